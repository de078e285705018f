/** Loads the compiler. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { TypeScript } from "../heart/typescript.js";
import { type Compiler, prepareCompiler } from "./language.js";

/**
 * The project's own TypeScript.
 * @param packageRoot this package's folder
 */
export function loadCompiler(packageRoot: string): Compiler {
  const require = createRequire(join(packageRoot, "package.json"));
  return prepareCompiler(require("typescript") as TypeScript, dirname(require.resolve("typescript")));
}
