/**
 * TypeScript for cells.
 *
 * A cell is one module. What earlier cells declared stands behind it as declarations (chain.ts); its code is rewritten so that every name
 * of the session lives in one place (rewrite.ts, names.ts). Nothing here uses Node: compiler and files are handed in.
 */
import type ts from "typescript";
import { type CompletenessResult, type CompletionResult, complete, inspect, isComplete } from "./assist.js";
import { Chain, type Declarations, restrict } from "./chain.js";
import type { CellFiles } from "./files.js";
import { type CellDiagnostic, isIrrelevant, type Position, toCellDiagnostic, untypedPackage } from "./findings.js";
import { createLibrary, type Library } from "./library.js";
import { compileModule, dependencies, localImports, type SideModule } from "./modules.js";
import type { NameKind } from "./names.js";
import type { Places } from "./options.js";
import { isLocalSource, Programs, type View } from "./program.js";
import { type CellImport, hasTopLevelAwait, isUsing, rewriteCell, rewriteFactories } from "./rewrite.js";
import { type Shape, shapeOf } from "./shape.js";
import type { BoundFile, CheckerInternals, ProgramInternals, TypeScript } from "./typescript.js";

/** A cell, compiled. Plain data. */
export interface CompiledCell {
  /** The body of a strict function with a parameter for each of `uses`; undefined when the cell has nothing to run. */
  code: string | undefined;
  isAsync: boolean;
  /** The names that it declares. */
  declares: Record<string, NameKind>;
  /** The names that it has a parameter for, see `boxName`. */
  uses: string[];
  /** What is to be imported before it runs. */
  imports: CellImport[];
  /** Where its imports of local modules lead. */
  localImports: Record<string, string>;
  /** The source map from `code` to the cell. */
  map: string;
  /** What later cells see of it: to be handed to `commit` when it has run. */
  declarations: Declarations;
  /** Local modules that are new or were changed since they were last compiled. */
  sideModules: SideModule[];
  /** What the reader may want to know although it is no error. */
  hints: string[];
}

export type CompileResult = { ok: true; cell: CompiledCell } | { ok: false; diagnostics: CellDiagnostic[] };

export type { CompletenessResult, CompletionResult } from "./assist.js";

/** The compiler of one session. */
export interface Language {
  compile(code: string): CompileResult;
  /**
   * Takes up what a cell has declared.
   * @param assigned the names that have a value from it, where it stopped half-way
   * @returns what was taken up: with `restore`, a fresh compiler comes to know the same
   */
  commit(declarations: Declarations, assigned?: readonly string[]): Declarations;
  /** Forgets every name, and takes up these instead. */
  restore(all: readonly Declarations[]): void;
  complete(code: string, position: number): CompletionResult;
  /** Signature and documentation at a position, or undefined. */
  inspect(code: string, position: number): string | undefined;
  isComplete(code: string): CompletenessResult;
  /** Emit every local module again: the process that runs the cells is a new one. */
  forget(): void;
}

/** What a language is made of. */
export interface LanguageParts {
  ts: TypeScript;
  files: CellFiles;
  places: Places;
  /** The folder of TypeScript's own declarations. */
  libraryFolder: string;
  /** Declaration files that every cell sees, by name. */
  globals: Record<string, string>;
  /** The names under which the package's rooms are imported. */
  doors: readonly string[];
  /** Shared with other sessions; default: the session's own. */
  library?: Library;
}

/** Creates the language part. Cheap; the first cell reads and binds the libraries. */
export function createLanguage(parts: LanguageParts): Language {
  const { ts, files, places } = parts;
  const chain = new Chain(ts);
  const programs = new Programs(
    ts,
    files,
    places,
    chain,
    parts.globals,
    parts.libraryFolder,
    parts.library ?? createLibrary(ts),
  );
  /** The text of each local module as it was last compiled. */
  const compiled = new Map<string, string>();
  const hinted = new Set<string>();

  return {
    compile: (code) => new Compilation(parts, programs, chain, compiled, hinted).compile(code),
    commit(declarations, assigned) {
      const kept = assigned ? restrict(ts, declarations, assigned) : declarations;
      chain.add(kept);
      return kept;
    },
    restore(all) {
      chain.clear();
      for (const declarations of all) chain.add(declarations);
    },
    complete: (code, position) => complete(programs, code, position),
    inspect: (code, position) => inspect(programs, code, position),
    isComplete: (code) => isComplete(ts, code),
    forget: () => compiled.clear(),
  };
}

class Compilation {
  private readonly ts: TypeScript;
  private readonly hints: string[] = [];

  constructor(
    private readonly parts: LanguageParts,
    private readonly programs: Programs,
    private readonly chain: Chain,
    private readonly compiled: Map<string, string>,
    private readonly hinted: Set<string>,
  ) {
    this.ts = parts.ts;
  }

  compile(code: string): CompileResult {
    // A script's first line for the system's eyes: a comment.
    const shape = shapeOf(this.ts, code.replace(/^#!/, "//"));
    const view = this.programs.view(shape.text, shape.jsx);
    const locals = dependencies(view);
    const diagnostics = this.diagnostics(view, locals, shape);
    if (diagnostics.length > 0) return { ok: false, diagnostics };
    return { ok: true, cell: this.emit(view, locals, shape) };
  }

  private diagnostics({ program, file }: View, locals: BoundFile[], shape: Shape): CellDiagnostic[] {
    const { ts } = this;
    const found: ts.Diagnostic[] = [...program.getSyntacticDiagnostics(file)];
    if (found.length === 0) {
      found.push(...program.getSemanticDiagnostics(file));
      // A cell that asks not to be checked is checked all the same, for what its code depends on.
      if (file.checkJsDirective?.enabled === false) checkerOf(program).getDiagnostics(file);
    }
    for (const module of locals)
      found.push(...program.getSyntacticDiagnostics(module), ...program.getSemanticDiagnostics(module));
    const doors = this.parts.doors.map((door) => `"${door}"`);
    const wording = {
      root: this.parts.places.root,
      isCell: (path: string) => this.programs.isCell(path),
      place: (offset: number) => this.place(file, shape, offset),
      doors,
    };
    const errors: CellDiagnostic[] = [];
    const problem = this.programs.configProblem;
    if (problem !== undefined) this.hint("tsconfig", `tsconfig.json: ${problem}`);
    for (const diagnostic of found) {
      const untyped = untypedPackage(diagnostic);
      if (untyped !== undefined) {
        this.hint(untyped, `"${untyped}" has no types: what it exports is "any". ${typesHint(untyped)}`);
        continue;
      }
      if (isIrrelevant(diagnostic)) continue;
      // Names of JSX elements are not known without a library that declares them.
      if (diagnostic.code === 7026) continue;
      errors.push(toCellDiagnostic(ts, diagnostic, wording));
    }
    return errors;
  }

  private hint(key: string, text: string): void {
    if (this.hinted.has(key)) return;
    this.hinted.add(key);
    this.hints.push(text);
  }

  /** The place in the cell for an offset in what was compiled: a bracket that was added in front does not count. */
  private place(file: ts.SourceFile, shape: Shape, offset: number): Position {
    const inCell = shape.toCell(Math.min(offset, file.text.length));
    const lineStart = shape.cell.lastIndexOf("\n", inCell - 1) + 1;
    let line = 0;
    for (let at = shape.cell.indexOf("\n"); at !== -1 && at < lineStart; at = shape.cell.indexOf("\n", at + 1)) line++;
    return { line, character: inCell - lineStart };
  }

  /** The names of the session that make JSX elements. */
  private factories(file: BoundFile): Set<string> {
    const { jsxFactory, jsxFragmentFactory } = this.programs.options;
    const pragmas = [...file.text.matchAll(/@jsx(?:Frag)?\s+([\w$.]+)/g)].map(([, name]) => name);
    const candidates = [...pragmas, jsxFactory, jsxFragmentFactory, "React"].map((name) => name?.split(".")[0] ?? "");
    const known = (name: string) =>
      file.locals?.has(name) === true || this.chain.links.some(({ has }) => has.has(name));
    return new Set(candidates.filter(known));
  }

  private emit(view: View, locals: BoundFile[], shape: Shape): CompiledCell {
    const { ts } = this;
    const { program, file } = view;
    const checker = program.getTypeChecker();
    const values = new Map(this.chain.links.map((link) => [link.name, link.has]));
    const root = `${this.parts.places.root}/`;
    const { names, transform } = rewriteCell(ts, {
      file,
      checker,
      isEarlier: (declaration, name) => {
        if (!isTopLevel(ts, declaration)) return false;
        const path = declaration.getSourceFile().fileName;
        return path.startsWith(root) && values.get(path.slice(root.length))?.has(name) === true;
      },
      keepLast: shape.keepLast,
    });
    let code = "";
    let map = "";
    let text = "";
    const declares = (file.locals?.size ?? 0) > 0 || file.statements.some(ts.isModuleDeclaration);
    if (declares) showLocals(ts, checkerOf(program), file);
    (program as unknown as ProgramInternals).emit(
      file,
      (name, data) => {
        if (name.endsWith(".map")) map = data;
        else if (name.endsWith(".d.ts")) text = data;
        else code = data.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");
      },
      undefined,
      declares ? undefined : onlyCode,
      {
        before: [transform],
        after: shape.jsx ? [rewriteFactories(ts, this.factories(file), names)] : [],
        afterDeclarations: [withoutExports(ts) as ts.TransformerFactory<ts.SourceFile | ts.Bundle>],
      },
      declares,
    );
    code = code.replace(/^export \{\};\n?/m, "");
    const empty = code.trim() === "" && names.imports.length === 0;
    const sideModules = locals
      .filter((module) => isLocalSource(module.fileName) && this.compiled.get(module.fileName) !== module.text)
      .map((module) => {
        this.compiled.set(module.fileName, module.text);
        return compileModule(ts, program, module, this.programs.options);
      });
    return {
      code: empty ? undefined : code,
      isAsync: hasTopLevelAwait(ts, file),
      declares: names.declares,
      uses: [...names.uses],
      imports: names.imports,
      localImports: localImports(program, file),
      map,
      declarations: { text: text + blockVars(ts, checker, file), values: Object.keys(names.declares) },
      sideModules,
      hints: this.hints,
    };
  }
}

/** Whether a declaration declares a name of its file, and not a member of something. */
function isTopLevel(ts: TypeScript, declaration: ts.Declaration): boolean {
  let at: ts.Node = declaration;
  while (
    ts.isBindingElement(at) ||
    ts.isBindingName(at) ||
    ts.isVariableDeclaration(at) ||
    ts.isVariableDeclarationList(at) ||
    ts.isImportSpecifier(at) ||
    ts.isNamedImportBindings(at) ||
    ts.isImportClause(at)
  )
    at = at.parent;
  return ts.isSourceFile(at.parent);
}

/** The emitter's word for: no declarations. */
const onlyCode = 0;

const checkerOf = (program: ts.Program): CheckerInternals => program.getTypeChecker() as unknown as CheckerInternals;

/**
 * The declarations of a cell are those of all its names, exported or not. (The compiler would write only what a module exports.)
 */
function showLocals(ts: TypeScript, checker: CheckerInternals, file: BoundFile): void {
  const resolver = checker.getEmitResolver(file, undefined, true);
  const { isDeclarationVisible } = resolver;
  const isVisible = (node: ts.Node): boolean => {
    let at: ts.Node = node;
    while (ts.isBindingElement(at) || ts.isBindingName(at)) at = at.parent;
    if (ts.isImportClause(at) || ts.isNamespaceImport(at) || ts.isImportSpecifier(at)) return true;
    const variable = ts.isVariableDeclaration(at);
    if (variable && isUsing(ts, at as ts.VariableDeclaration)) return false;
    const container = variable ? at.parent.parent.parent : at.parent;
    if (container && ts.isSourceFile(container)) return true;
    // `namespace A.B { … }`: the inner one has no block around it, and is exported.
    if (container && ts.isModuleDeclaration(container)) return isVisible(container);
    if (container && ts.isModuleBlock(container) && ts.isStatement(variable ? at.parent.parent : at)) {
      const exported = (ts.getCombinedModifierFlags(at as ts.Declaration) & ts.ModifierFlags.Export) !== 0;
      const ambient = (ts.getCombinedModifierFlags(container.parent) & ts.ModifierFlags.Ambient) !== 0;
      return (exported || ambient) && isVisible(container.parent);
    }
    return isDeclarationVisible(node);
  };
  resolver.isDeclarationVisible = isVisible;
}

/** The declarations of `var`s that stand in blocks: they are the cell's, but no declaration file has a place for them. */
function blockVars(ts: TypeScript, checker: ts.TypeChecker, file: BoundFile): string {
  let text = "";
  for (const symbol of file.locals?.values() ?? []) {
    const { name } = symbol;
    let declaration: ts.Node | undefined = symbol.valueDeclaration;
    while (declaration && (ts.isBindingElement(declaration) || ts.isBindingName(declaration)))
      declaration = declaration.parent;
    if (!declaration || !ts.isVariableDeclaration(declaration)) continue;
    const statement = declaration.parent.parent;
    if (ts.isVariableStatement(statement) && ts.isSourceFile(statement.parent)) continue;
    const type = checker.getTypeOfSymbolAtLocation(symbol, file);
    text += `declare var ${name}: ${checker.typeToString(type, file, ts.TypeFormatFlags.NoTruncation)};\n`;
  }
  return text;
}

/** Drops what a module exports from its declarations: a cell's names are seen without. */
function withoutExports(ts: TypeScript) {
  return () =>
    (node: ts.SourceFile): ts.SourceFile => {
      const statements = node.statements.filter(
        (s) => !ts.isExportAssignment(s) && !(ts.isExportDeclaration(s) && (s.moduleSpecifier || s.exportClause)),
      );
      return ts.factory.updateSourceFile(node, [...statements, emptyExport(ts)]);
    };
}

function emptyExport(ts: TypeScript): ts.ExportDeclaration {
  return ts.factory.createExportDeclaration(undefined, false, ts.factory.createNamedExports([]));
}

function typesHint(name: string): string {
  const types = name.startsWith("@") ? name.slice(1).replace("/", "__") : name.split("/")[0];
  return `Its types may be in @types/${types.split("/")[0]}.`;
}
