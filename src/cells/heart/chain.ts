/**
 * What earlier cells have declared, as later cells see it: one file of declarations a cell, each seen through the one after it.
 *
 * A declaration sees what stood before its own cell. So when a later cell declares a type again, the values of the old type keep it; and a
 * name that is declared again hides the old one, whatever both are.
 *
 * Files that nothing can see any more are dropped: running the same cell a thousand times leaves one. And neighbours are joined where they mean the
 * same in one file, so that a thousand cells with new names leave some dozens.
 */
import type ts from "typescript";
import { boundNames } from "./rewrite.js";
import type { TypeScript } from "./typescript.js";

/** The declarations of one cell. Plain data: the supervisor keeps it, to give it to a compiler that starts afresh. */
export interface Declarations {
  /** The text of a declaration file. */
  text: string;
  /** The names that have a value. */
  values: string[];
}

/** A link of the chain. */
export interface Link extends Declarations {
  /** Its file's name, without the folder: a place that is used again when the link is dropped. */
  name: string;
  slot: number;
  /** No other link of the session has it. */
  id: number;
  has: ReadonlySet<string>;
  /** The names it declares: 1 as a value, 2 as a type, 3 as both. */
  declares: ReadonlyMap<string, number>;
  /** Every word in it. */
  mentions: ReadonlySet<string>;
  /** Whether it adds to what all files see. */
  isGlobal: boolean;
}

const value = 1;
const type = 2;

/** How many links may stand before neighbours are joined, how many of the latest stay as they are, and the largest text of one in UTF-16 units. */
const crowd = 40;
const latest = 8;
const largest = 1 << 14;

/** The chain of one session. */
export class Chain {
  links: Link[] = [];
  private count = 0;
  private limit = crowd;

  constructor(private readonly ts: TypeScript) {}

  /** Adds a cell's declarations, and drops what they hide. */
  add(declarations: Declarations): void {
    const file = this.ts.createSourceFile("d.ts", declarations.text, this.ts.ScriptTarget.Latest, false);
    const declares = declaredNames(this.ts, file);
    const globalAugmentation = file.statements.some((s) => this.ts.isModuleDeclaration(s) && !isNamespace(this.ts, s));
    if (declares.size === 0 && !globalAugmentation) return;
    const slot = this.freeSlot();
    this.links.push({
      ...declarations,
      name: slotName(slot),
      slot,
      id: ++this.count,
      has: new Set(declarations.values),
      declares,
      mentions: new Set(declarations.text.match(/[\p{L}\p{Nl}\w$]+/gu) ?? []),
      isGlobal: globalAugmentation,
    });
    this.links = this.links.filter((link, i) => this.isSeen(link, i));
    if (this.links.length > this.limit) this.join();
  }

  /** Joins neighbours. Where hardly any can be, it is tried again only after as many more. */
  private join(): void {
    const kept = this.links.slice(-latest);
    const joined: Link[] = [];
    for (const link of this.links.slice(0, -latest)) {
      const before = joined.at(-1);
      if (before && canJoin(before, link)) joined[joined.length - 1] = this.joinedOf(before, link);
      else joined.push(link);
    }
    this.links = [...joined, ...kept];
    this.limit = Math.max(crowd, this.links.length + crowd / 2);
  }

  private joinedOf(older: Link, newer: Link): Link {
    return {
      text: `${older.text}\n${newer.text}`,
      values: [...older.values, ...newer.values],
      name: older.name,
      slot: older.slot,
      id: ++this.count,
      has: new Set([...older.has, ...newer.has]),
      declares: new Map([...older.declares, ...newer.declares]),
      mentions: new Set([...older.mentions, ...newer.mentions]),
      isGlobal: false,
    };
  }

  /** The highest place that a link has. */
  get highest(): number {
    return this.links.reduce((highest, { slot }) => Math.max(highest, slot), 0);
  }

  /** The lowest place that no link has. */
  private freeSlot(): number {
    const taken = new Set(this.links.map(({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot++;
    return slot;
  }

  clear(): void {
    this.links = [];
  }

  /** Whether a later link, or the next cell, can see one of a link's names. */
  private isSeen(link: Link, index: number): boolean {
    if (link.declares.size === 0) return true;
    for (const [name, kinds] of link.declares) {
      let visible = kinds;
      for (let i = index + 1; i < this.links.length && visible !== 0; i++) {
        const later = this.links[i];
        const hides = later.declares.get(name) ?? 0;
        // One that declares the name only in part may mean the older part.
        if (later.mentions.has(name) && (visible & ~hides) !== 0) return true;
        visible &= ~hides;
      }
      if (visible !== 0) return true;
    }
    return false;
  }
}

/** Whether two neighbours mean the same in one file: the older sees nothing that the newer declares, and neither hides the other's names. */
function canJoin(older: Link, newer: Link): boolean {
  if (older.isGlobal || newer.isGlobal || older.text.length + newer.text.length > largest) return false;
  for (const name of newer.declares.keys()) if (older.mentions.has(name)) return false;
  return true;
}

/** The name of a place in the chain, from 1 on. */
export const slotName = (slot: number): string => `[cell ${slot}].d.ts`;

function isNamespace(ts: TypeScript, statement: ts.ModuleDeclaration): boolean {
  return ts.isIdentifier(statement.name) && statement.name.text !== "global";
}

/** The names that a declaration file declares, as value, type or both. An import may be either. */
function declaredNames(ts: TypeScript, file: ts.SourceFile): Map<string, number> {
  const names = new Map<string, number>();
  const add = (name: string, kinds: number) => names.set(name, (names.get(name) ?? 0) | kinds);
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations)
        for (const n of boundNames(ts, name)) add(n, value);
    else if (ts.isFunctionDeclaration(statement) && statement.name) add(statement.name.text, value);
    else if ((ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) && statement.name)
      add(statement.name.text, value | type);
    else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
      add(statement.name.text, type);
    else if (ts.isModuleDeclaration(statement) && isNamespace(ts, statement)) add(statement.name.text, value | type);
    else if (ts.isImportEqualsDeclaration(statement)) add(statement.name.text, value | type);
    else if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause;
      if (clause?.name) add(clause.name.text, value | type);
      const bindings = clause?.namedBindings;
      if (bindings && ts.isNamespaceImport(bindings)) add(bindings.name.text, value | type);
      if (bindings && ts.isNamedImports(bindings))
        for (const { name } of bindings.elements) add(name.text, value | type);
    }
  }
  return names;
}

/**
 * The declarations of a cell that stopped half-way: its types, and the names that were assigned.
 * @param declarations those of the whole cell
 * @param assigned the names that have a value from it
 */
export function restrict(ts: TypeScript, declarations: Declarations, assigned: readonly string[]): Declarations {
  const kept = new Set(assigned);
  const missing = new Set(declarations.values.filter((name) => !kept.has(name)));
  if (missing.size === 0) return declarations;
  const keep = (name: string) => !missing.has(name);
  const file = ts.createSourceFile("d.ts", declarations.text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ newLine: ts.NewLineKind.LineFeed });
  const text = file.statements
    .map((statement) => filter(ts, statement, keep))
    .filter((statement) => statement !== undefined)
    .map((statement) => printer.printNode(ts.EmitHint.Unspecified, statement, file))
    .join("\n");
  return { text: `${text}\nexport {};\n`, values: declarations.values.filter(keep) };
}

/** The statement with only the names that pass, or undefined when none is left. */
function filter(ts: TypeScript, statement: ts.Statement, keep: (name: string) => boolean): ts.Statement | undefined {
  if (ts.isVariableStatement(statement)) {
    const list = statement.declarationList;
    const kept = list.declarations.filter((d) => ts.isIdentifier(d.name) && keep(d.name.text));
    if (kept.length === 0) return undefined;
    return ts.factory.updateVariableStatement(
      statement,
      statement.modifiers,
      ts.factory.updateVariableDeclarationList(list, kept),
    );
  }
  if (ts.isImportDeclaration(statement)) {
    const clause = statement.importClause;
    if (!clause) return undefined;
    const name = clause.name && keep(clause.name.text) ? clause.name : undefined;
    const bindings = clause.namedBindings;
    const named =
      bindings === undefined
        ? undefined
        : ts.isNamespaceImport(bindings)
          ? keep(bindings.name.text)
            ? bindings
            : undefined
          : ts.factory.updateNamedImports(
              bindings,
              bindings.elements.filter((e) => keep(e.name.text)),
            );
    if (!name && (!named || (ts.isNamedImports(named) && named.elements.length === 0))) return undefined;
    return ts.factory.updateImportDeclaration(
      statement,
      statement.modifiers,
      ts.factory.updateImportClause(clause, clause.isTypeOnly, name, named),
      statement.moduleSpecifier,
      statement.attributes,
    );
  }
  const name = (statement as { name?: ts.Node }).name;
  return name && ts.isIdentifier(name) && !keep(name.text) ? undefined : statement;
}
