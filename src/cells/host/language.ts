/**
 * TypeScript for cells: tslab's converter (its fork of TypeScript 5.0.4), with options of our own.
 *
 * How a cell becomes a program, in tslab's way: the cell is one file, everything that earlier cells declared stands as `declare …` in a
 * second file, and names of earlier cells are rewritten to `exports.name`. The value of a last expression is exported under a hidden name.
 *
 * What is changed on the way in: `moduleResolution: Bundler` and `strict` (so that `iommu-lab/…` is found with its types), source maps
 * (so that an error names the cell's line), `for await` at the top level, and file watching: nothing is watched; the few local modules that
 * cells import are compared by modification time before each compilation.
 */
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import type { CellDiagnostic, CompileResult, CompletenessResult, CompletionResult, SideModule } from "./protocol.js";

type TypeScript = typeof import("@tslab/typescript-for-tslab");
type Converter = import("tslab/dist/converter.js").Converter;

/** The language part for one root folder. */
export interface Language {
  compile(declarations: string, code: string): CompileResult;
  complete(declarations: string, code: string, position: number): CompletionResult;
  /** Signature and documentation at a position, or undefined. */
  inspect(declarations: string, code: string, position: number): string | undefined;
  isComplete(code: string): CompletenessResult;
  /** The declarations after a cell that stopped half-way: only names that were assigned change. */
  restrict(before: string, after: string, assigned: readonly string[]): string;
  /** Emit every local module again: the executor is a new one. */
  forget(): void;
}

/**
 * Creates the language part. Takes about a second: TypeScript reads and binds its libraries.
 * @param packageRoot this package's folder, where `iommu-lab/…` and the libraries are found
 * @param root the folder that cells are in; becomes the working directory
 */
export function createLanguage(packageRoot: string, root: string): Language {
  process.chdir(root);
  const requireTslab = createRequire(createRequire(join(packageRoot, "package.json")).resolve("tslab"));
  const path = requireTslab.resolve("@tslab/typescript-for-tslab");
  const ts = requireTslab(path) as TypeScript;
  const { copy, watched, lastMaps } = withOptions(ts, packageRoot, root);
  (requireTslab.cache[path] as { exports: unknown }).exports = copy;
  const { createConverter } = requireTslab("./converter.js") as typeof import("tslab/dist/converter.js");
  const { printQuickInfo } = requireTslab("./inspect.js") as { printQuickInfo: (info: unknown) => string };
  const converter: Converter = createConverter();

  return {
    compile(declarations, code) {
      watched.refresh();
      lastMaps.length = 0;
      const result = converter.convert(declarations, code);
      if (result.diagnostics.length > 0) return { ok: false, diagnostics: result.diagnostics.map(toDiagnostic) };
      const sideModules: SideModule[] = (result.sideOutputs ?? []).map(({ path, data }) => ({ path, code: data }));
      const isAsync = result.hasToplevelAwait === true || hasTopLevelForAwait(ts, code);
      return {
        ok: true,
        cell: {
          code: result.output === undefined || result.output === "" ? undefined : result.output,
          isAsync,
          lastExpression: result.lastExpressionVar,
          maps: [...lastMaps],
          declarations: result.declOutput ?? "",
          sideModules,
        },
      };
    },
    complete(declarations, code, position) {
      const info = converter.complete(declarations, code, position);
      const kinds = new Map((info.original?.entries ?? []).map((entry) => [entry.name, String(entry.kind)]));
      const seen = new Set(info.candidates);
      return {
        start: info.start,
        end: info.end,
        matches: [...seen].map((text) => ({ text, kind: kinds.get(text) ?? "" })),
      };
    },
    inspect(declarations, code, position) {
      for (const at of inspectPositions(code, position)) {
        const info = converter.inspect(declarations, code, at);
        if (info) return printQuickInfo(info);
      }
      return undefined;
    },
    isComplete: (code) => isComplete(ts, code),
    restrict: (before, after, assigned) => restrict(ts, before, after, new Set(assigned)),
    forget: () => watched.forget(),
  };
}

function toDiagnostic(d: import("tslab/dist/converter.js").Diagnostic): CellDiagnostic {
  return {
    code: d.code,
    message: d.messageText,
    start: { line: d.start.line, character: d.start.character },
    end: { line: d.end.line, character: d.end.character },
    ...(d.fileName === undefined ? {} : { file: d.fileName }),
  };
}

/**
 * A copy of TypeScript's exports that hands tslab's converter other options. (They are getters, so they cannot be replaced in place.)
 */
function withOptions(ts: TypeScript, packageRoot: string, root: string) {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(ts)) copy[key] = (ts as unknown as Record<string, unknown>)[key];

  type WatchCallback = (file: string, kind: number) => void;
  const callbacks = new Map<string, WatchCallback>();
  const modified = new Map<string, number>();
  const mtime = (file: string) => {
    try {
      return statSync(file).mtimeMs;
    } catch {
      return 0;
    }
  };
  const isLocal = (file: string) => /\.[jt]sx?$/.test(file) && !/\.d\.ts$|\/node_modules\//.test(file);
  const watched = {
    /** Tells TypeScript which local modules were edited since the last cell. */
    refresh() {
      for (const [file, callback] of callbacks) {
        const now = mtime(file);
        if (now === modified.get(file)) continue;
        modified.set(file, now);
        callback(file, now === 0 ? ts.FileWatcherEventKind.Deleted : ts.FileWatcherEventKind.Changed);
      }
    },
    forget() {
      for (const [file, callback] of callbacks) callback(file, ts.FileWatcherEventKind.Changed);
    },
  };
  // tslab sets this on its `ts.sys`, which is the copy's; the compiler itself reads the original.
  ts.sys.useCaseSensitiveFileNames = true;
  copy["sys"] = Object.assign(Object.create(ts.sys) as typeof ts.sys, {
    watchFile: (file: string, callback: WatchCallback) => {
      if (!isLocal(file)) return { close() {} };
      callbacks.set(file, callback);
      modified.set(file, mtime(file));
      return { close: () => void (callbacks.get(file) === callback && callbacks.delete(file)) };
    },
    watchDirectory: () => ({ close() {} }),
  });

  copy["createWatchCompilerHost"] = (
    files: string[],
    options: import("@tslab/typescript-for-tslab").CompilerOptions,
    ...[system, _createProgram, ...rest]: unknown[]
  ) =>
    (ts.createWatchCompilerHost as (...args: unknown[]) => unknown)(
      files,
      {
        ...options,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        strict: true,
        lib: ["lib.es2023.d.ts"],
        inlineSourceMap: true,
        // The `lab` global's declaration, beside Node's.
        types: ["node", join(packageRoot, "dist", "cells", "display", "global")],
        typeRoots: [join(packageRoot, "node_modules", "@types")],
        ...(relative(packageRoot, root).startsWith("..") ? { baseUrl: root, paths: packagePaths(packageRoot) } : {}),
      },
      system,
      (...args: unknown[]) => plainBuilder(ts, args),
      ...rest,
    );

  rewriteShorthands(ts, copy);

  const lastMaps: string[] = [];
  const mapComment = /\n?\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([\w+/=]+)\s*$/;
  copy["transpileModule"] = (code: string, options: import("@tslab/typescript-for-tslab").TranspileOptions) => {
    const inner = mapComment.exec(code);
    const result = ts.transpileModule(inner ? code.slice(0, inner.index) : code, {
      ...options,
      compilerOptions: { ...options.compilerOptions, sourceMap: true },
    });
    const text = result.outputText.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");
    // The cell itself is transpiled last, so that what stands here after a compilation is its maps.
    lastMaps.length = 0;
    if (result.sourceMapText) lastMaps.push(result.sourceMapText);
    if (inner) lastMaps.push(Buffer.from(inner[1], "base64").toString("utf8"));
    return { ...result, outputText: text };
  };
  return { copy, watched, lastMaps };
}

/**
 * tslab rewrites a name of an earlier cell to `exports.name`, but not where it stands as a shorthand property: `{ name }` would look for a
 * variable that is not there. Here such a property becomes `name: exports.name` before tslab's own visitor comes by.
 */
function rewriteShorthands(ts: TypeScript, copy: Record<string, unknown>) {
  type Node = import("@tslab/typescript-for-tslab").Node;
  let program: { getTypeChecker(): import("@tslab/typescript-for-tslab").TypeChecker } | undefined;
  copy["createWatchProgram"] = (...args: unknown[]) => {
    const watch = (ts.createWatchProgram as (...args: unknown[]) => { getProgram(): { getProgram(): typeof program } })(
      ...args,
    );
    program = { getTypeChecker: () => watch.getProgram().getProgram()!.getTypeChecker() };
    return watch;
  };
  copy["visitEachChild"] = (
    node: Node,
    visit: (child: Node) => Node,
    context: import("@tslab/typescript-for-tslab").TransformationContext,
  ) =>
    ts.visitEachChild(
      node,
      (child) => {
        if (!ts.isShorthandPropertyAssignment(child)) return visit(child);
        const original = ts.getOriginalNode(child);
        const declared = program?.getTypeChecker().getShorthandAssignmentValueSymbol(original)?.declarations ?? [];
        const earlier = declared.some((d) => d.getSourceFile().fileName.endsWith("__prev__.d.ts"));
        if (!earlier) return visit(child);
        const value = ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier("exports"), child.name);
        const fallback = child.objectAssignmentInitializer;
        return ts.factory.createPropertyAssignment(
          ts.factory.createIdentifier(child.name.text),
          fallback ? ts.factory.createAssignment(value, visit(fallback) as typeof fallback) : value,
        );
      },
      context,
    );
}

/**
 * A program without the bookkeeping of an incremental build, which for a cell costs more than the cell: nothing here needs to know which
 * files an edit affects. What tslab asks of it beyond the program is supplied by hand: the local modules that a file depends on, and the
 * names that the cell and the declarations before it have (a side effect of that bookkeeping).
 */
function plainBuilder(ts: TypeScript, args: unknown[]): unknown {
  type Bound = import("@tslab/typescript-for-tslab").SourceFile & {
    resolvedModules?: {
      forEach(visit: (resolution: { resolvedModule?: { resolvedFileName: string } } | undefined) => void): void;
    };
  };
  const internal = ts as unknown as {
    createAbstractBuilder(...args: unknown[]): import("@tslab/typescript-for-tslab").BuilderProgram;
    bindSourceFile(file: Bound, options: unknown): void;
  };
  const builder = internal.createAbstractBuilder(...args);
  const program = builder.getProgram();
  const options = program.getCompilerOptions();
  for (const name of program.getRootFileNames()) {
    const file = program.getSourceFile(name) as Bound | undefined;
    if (file) internal.bindSourceFile(file, options);
  }
  const getAllDependencies = (start: Bound): readonly string[] => {
    const found = new Set<string>([start.fileName]);
    const pending = [start];
    for (let file = pending.pop(); file; file = pending.pop()) {
      file.resolvedModules?.forEach((resolution) => {
        const name = resolution?.resolvedModule?.resolvedFileName;
        if (name === undefined || found.has(name) || name.endsWith(".d.ts")) return;
        found.add(name);
        const next = program.getSourceFile(name) as Bound | undefined;
        if (next) pending.push(next);
      });
    }
    return [...found];
  };
  return Object.assign(builder, { getAllDependencies });
}

/** tslab recognises `await` at the top level, but not in `for await`. */
function hasTopLevelForAwait(ts: TypeScript, code: string): boolean {
  if (!/\bfor\s+await\b/.test(code)) return false;
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.Latest, false);
  const visit = (node: import("@tslab/typescript-for-tslab").Node): boolean => {
    if (ts.isForOfStatement(node) && node.awaitModifier) return true;
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(file);
}

/** The position itself, the one before it, and the name of the call that it stands in. */
function inspectPositions(code: string, position: number): number[] {
  const positions = [position];
  if (position > 0) positions.push(position - 1);
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    const c = code[i];
    if (c === ")" || c === "]" || c === "}") depth++;
    else if (c === "(" || c === "[" || c === "{") {
      if (depth > 0) depth--;
      else if (c === "(") {
        const name = /[\w$]\s*(<[^<>()]*>)?$/.exec(code.slice(0, i));
        if (name) positions.push(name.index);
        break;
      }
    }
  }
  return positions;
}

/** Diagnostics that more text could cure, wherever they are reported: unterminated template literal, comment, and the like. */
const unterminated = new Set([1010, 1160, 1126, 1161]);

function isComplete(ts: TypeScript, code: string): CompletenessResult {
  // A leading "export {}" makes it a module, in which `await` may stand at the top level.
  const prefix = "export {};";
  const file = ts.createSourceFile("cell.ts", prefix + code, ts.ScriptTarget.Latest, false);
  const errors = (file as unknown as { parseDiagnostics: import("@tslab/typescript-for-tslab").Diagnostic[] })
    .parseDiagnostics;
  if (errors.length === 0) return { status: "complete" };
  const end = (prefix + code.trimEnd()).length;
  const open = errors.every(({ code, start = 0 }) => unterminated.has(code) || start >= end);
  if (!open) return { status: "invalid" };
  const last = /[^\n]*$/.exec(code.trimEnd())?.[0] ?? "";
  const indent = /^\s*/.exec(last)?.[0] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}

/**
 * Joins two sets of declarations: from `after`, what has no value (types) and the names that were assigned; from `before`, the rest.
 */
function restrict(ts: TypeScript, before: string, after: string, assigned: ReadonlySet<string>): string {
  type Statement = import("@tslab/typescript-for-tslab").Statement;
  const parse = (text: string) => ts.createSourceFile("d.ts", text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ newLine: ts.NewLineKind.LineFeed });
  const oldFile = parse(before);
  const newFile = parse(after);
  const taken = new Set<string>();
  const out: string[] = [];

  /** The statement with only the names that pass, or undefined when none is left. */
  const filter = (statement: Statement, keep: (name: string) => boolean): Statement | undefined => {
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
        statement.assertClause,
      );
    }
    const name = (statement as { name?: import("@tslab/typescript-for-tslab").Node }).name;
    if (name && ts.isIdentifier(name)) return keep(name.text) ? statement : undefined;
    return statement;
  };
  const isTypeOnly = (s: Statement) => ts.isInterfaceDeclaration(s) || ts.isTypeAliasDeclaration(s);
  const put = (file: import("@tslab/typescript-for-tslab").SourceFile, statement: Statement) =>
    out.push(printer.printNode(ts.EmitHint.Unspecified, statement, file));

  for (const statement of newFile.statements) {
    const kept = filter(statement, (name) => {
      const keep = isTypeOnly(statement) || assigned.has(name);
      if (keep) taken.add(name);
      return keep;
    });
    if (kept) put(newFile, kept);
  }
  for (const statement of oldFile.statements) {
    const kept = filter(statement, (name) => !taken.has(name));
    if (kept) put(oldFile, kept);
  }
  return `${out.join("\n")}\n`;
}

/** Where the package's doors are declared, as its `exports` say: for a compiler that stands outside of the package's folder. */
function packagePaths(packageRoot: string): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([door, target]) =>
      typeof target === "string" ? [] : [[door.replace(/^\./, "iommu-lab"), [join(packageRoot, target.types)]]],
    ),
  );
}
