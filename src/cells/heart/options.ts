/** The compiler's options for cells, and what a `tsconfig.json` beside the notebook may change about them. */
import type ts from "typescript";
import type { CellFiles } from "./files.js";
import type { TypeScript } from "./typescript.js";

/** What every Node from 20 on has: ECMAScript 2023, and parts of later standards. Others come with the places that say what runs the cells. */
const libraries = [
  "lib.es2023.d.ts",
  "lib.es2024.sharedmemory.d.ts",
  "lib.es2024.string.d.ts",
  "lib.es2024.regexp.d.ts",
];

/** Options that a reader may set: what is checked and how names are found, not how a cell becomes code. */
const adjustable = new Set([
  "strict",
  "alwaysStrict",
  "noImplicitAny",
  "noImplicitThis",
  "strictNullChecks",
  "strictFunctionTypes",
  "strictBindCallApply",
  "strictBuiltinIteratorReturn",
  "strictPropertyInitialization",
  "useUnknownInCatchVariables",
  "exactOptionalPropertyTypes",
  "noUncheckedIndexedAccess",
  "noImplicitOverride",
  "noImplicitReturns",
  "noFallthroughCasesInSwitch",
  "noPropertyAccessFromIndexSignature",
  "allowUnreachableCode",
  "allowUnusedLabels",
  "allowJs",
  "checkJs",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "experimentalDecorators",
  "emitDecoratorMetadata",
  "useDefineForClassFields",
  "baseUrl",
  "paths",
  "pathsBasePath",
  "typeRoots",
  "customConditions",
  "skipLibCheck",
]);

/** Where things are. */
export interface Places {
  /** The folder that cells are in. */
  root: string;
  /** Declarations that every cell sees, such as Node's and the `lab` global's: names or absolute paths. */
  types: string[];
  /** Folders of `@types` packages, besides those above `root`. */
  typeRoots: string[];
  /** Files of ECMAScript's declarations that the engine fulfils, beside those that every one does. */
  libraries: readonly string[];
  /** Where `iommu-lab/…` is declared. */
  paths: Record<string, string[]>;
}

/** The options, and when the file that they depend on was changed. */
export interface CellOptions {
  options: ts.CompilerOptions;
  modified: number;
  /** What is wrong with the `tsconfig.json`. */
  problem?: string;
}

/** Reads the options. */
export function readOptions(ts: TypeScript, files: CellFiles, places: Places): CellOptions {
  const config = `${places.root}/tsconfig.json`;
  const modified = files.modified(config);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    lib: [...libraries, ...places.libraries],
    types: places.types,
    strict: true,
    esModuleInterop: true,
    resolveJsonModule: true,
    allowJs: true,
    allowImportingTsExtensions: true,
    noUncheckedSideEffectImports: true,
    preserveConstEnums: true,
    skipLibCheck: true,
    declaration: true,
    sourceMap: true,
    suppressOutputPathCheck: true,
    jsx: ts.JsxEmit.React,
    newLine: ts.NewLineKind.LineFeed,
    paths: places.paths,
    typeRoots: places.typeRoots,
  };
  if (modified === 0) return { options, modified };
  const { config: json, error } = ts.readConfigFile(config, files.readFile);
  const parsed = ts.parseJsonConfigFileContent(
    // Only the options are wanted; what files there are does not matter.
    { compilerOptions: {}, ...(json as object | undefined), files: [], include: [] },
    {
      useCaseSensitiveFileNames: true,
      fileExists: files.fileExists,
      readFile: files.readFile,
      readDirectory: () => [],
    },
    places.root,
    undefined,
    config,
  );
  const problems = [...(error ? [error] : []), ...parsed.errors].filter(({ code }) => code !== 18002 && code !== 18003);
  for (const [name, value] of Object.entries(parsed.options)) if (adjustable.has(name)) options[name] = value;
  options.paths = { ...parsed.options.paths, ...places.paths };
  options.typeRoots = [...(parsed.options.typeRoots ?? []), ...places.typeRoots];
  options.types = [...new Set([...places.types, ...(parsed.options.types ?? [])])];
  options.lib = [...new Set([...libraries, ...places.libraries, ...(parsed.options.lib ?? [])])];
  if (problems.length === 0) return { options, modified };
  return { options, modified, problem: ts.flattenDiagnosticMessageText(problems[0].messageText, " ") };
}
