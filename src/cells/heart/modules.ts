/** The local modules that a cell imports, each compiled on its own. */
import type ts from "typescript";
import { isLocalSource, type View } from "./program.js";
import { hasTopLevelAwait, hostName } from "./rewrite.js";
import type { BoundFile, ProgramInternals, TypeScript } from "./typescript.js";

/** A local module, compiled. Plain data. */
export interface SideModule {
  path: string;
  /** The body of a CommonJS module; for JSON, the text. */
  code: string;
  json: boolean;
  /** Whether it awaits at its top level. */
  isAsync: boolean;
  /** Where its imports of other local modules lead. */
  imports: Record<string, string>;
  /** The source map from `code` to the file at `path`. */
  map?: string;
}

/** The local modules that a file imports, by specifier. */
export function localImports(program: ts.Program, file: BoundFile): Record<string, string> {
  const found: Record<string, string> = {};
  for (const specifier of file.imports ?? []) {
    const { resolvedModule } =
      (program as unknown as ProgramInternals).getResolvedModuleFromModuleSpecifier(specifier, file) ?? {};
    if (resolvedModule && !resolvedModule.isExternalLibraryImport && isLocalSource(resolvedModule.resolvedFileName))
      found[specifier.text] = resolvedModule.resolvedFileName;
  }
  return found;
}

/** All local modules that a cell depends on, each before those that import it, as far as circles allow. */
export function dependencies({ program, file }: View): BoundFile[] {
  const order: BoundFile[] = [];
  const seen = new Set<string>();
  const visit = (from: BoundFile) => {
    for (const path of Object.values(localImports(program, from))) {
      if (seen.has(path)) continue;
      seen.add(path);
      const next = program.getSourceFile(path) as BoundFile | undefined;
      if (!next) continue;
      visit(next);
      order.push(next);
    }
  };
  visit(file);
  return order;
}

/** Compiles a local module. */
export function compileModule(
  ts: TypeScript,
  program: ts.Program,
  file: BoundFile,
  options: ts.CompilerOptions,
): SideModule {
  const path = file.fileName;
  if (path.endsWith(".json")) return { path, code: file.text, json: true, isAsync: false, imports: {} };
  const { outputText, sourceMapText } = ts.transpileModule(file.text, {
    // An ending that says "module" would keep its imports as they are.
    fileName: path.replace(/\.[cm]([jt]s)$/, ".$1"),
    compilerOptions: {
      target: options.target ?? ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      sourceMap: true,
      newLine: ts.NewLineKind.LineFeed,
      preserveConstEnums: true,
      ...pick(options, [
        "jsx",
        "jsxFactory",
        "jsxFragmentFactory",
        "experimentalDecorators",
        "useDefineForClassFields",
      ]),
    },
    transformers: { before: [toHost(ts)] },
  });
  return {
    path,
    code: outputText.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n"),
    json: false,
    isAsync: hasTopLevelAwait(ts, file),
    imports: localImports(program, file),
    ...(sourceMapText === undefined ? {} : { map: sourceMapText }),
  };
}

/** `import(x)` and `import.meta` mean what the host makes of them. */
function toHost(ts: TypeScript): ts.TransformerFactory<ts.SourceFile> {
  return (context) => {
    const f = context.factory;
    const visit = (node: ts.Node): ts.Node => {
      if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
        return f.createPropertyAccessExpression(f.createIdentifier(hostName), "meta");
      const visited = ts.visitEachChild(node, visit, context);
      if (ts.isCallExpression(visited) && visited.expression.kind === ts.SyntaxKind.ImportKeyword)
        return f.createCallExpression(
          f.createPropertyAccessExpression(f.createIdentifier(hostName), "import"),
          undefined,
          visited.arguments,
        );
      return visited;
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
}

function pick(options: ts.CompilerOptions, names: string[]): ts.CompilerOptions {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
