/**
 * The program of a start-up snapshot. Node takes only one file for it, which may import nothing but Node's own modules: so this room's compiled
 * modules and TypeScript are joined into one, each as a function that is called at its first import.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type ts from "typescript";

/**
 * The program's text: only characters that take one byte each, or the snapshot would hold it with two.
 * @param packageRoot this package's folder
 * @param folder one that cells could be in
 */
export function snapshotProgram(packageRoot: string, folder: string): string {
  const require = createRequire(join(packageRoot, "package.json"));
  const typescript = require.resolve("typescript");
  const compiler = require("typescript") as typeof ts;
  const room = join(packageRoot, "dist", "cells");
  const modules = new Map<string, string>();
  const add = (path: string) => {
    if (modules.has(path)) return;
    modules.set(path, "");
    const { outputText } = compiler.transpileModule(readFileSync(path, "utf8"), {
      compilerOptions: { module: compiler.ModuleKind.CommonJS, target: compiler.ScriptTarget.ES2022 },
    });
    const code = outputText.replace(/require\("(\.[^"]+)"\)/g, (_, specifier: string) => {
      const target = join(dirname(path), specifier);
      add(target);
      return `load(${JSON.stringify(target)})`;
    });
    modules.set(path, code);
  };
  const [first, serve] = ["snapshot-start.js", "serve.js"].map((name) => join(room, "host", name));
  add(first);
  add(serve);
  const wrapped = [...modules].map(
    ([path, code]) => `${JSON.stringify(path)}: function (module, exports, require, load) {\n${code}\n}`,
  );
  // What TypeScript can do without, and no snapshot can hold.
  const without = ["perf_hooks", "crypto", "inspector"];
  const program = `
const modules = {
${wrapped.join(",\n")}
};
const loaded = {};
function load(path) {
  if (!loaded[path]) {
    loaded[path] = { exports: {} };
    modules[path](loaded[path], loaded[path].exports, require, load);
  }
  return loaded[path].exports;
}
function loadTypeScript() {
  const module = { exports: {} };
  const known = require;
  const offered = (name) => {
    if (${JSON.stringify(without)}.includes(name)) throw new Error(name);
    return known(name);
  };
  (function (module, exports, require, __filename, __dirname) {
${readFileSync(typescript, "utf8")}
  })(module, module.exports, offered, ${JSON.stringify(typescript)}, ${JSON.stringify(dirname(typescript))});
  return module.exports;
}
load(${JSON.stringify(first)}).start({
  packageRoot: ${JSON.stringify(packageRoot)},
  typescript: loadTypeScript(),
  libraryFolder: ${JSON.stringify(dirname(typescript))},
  folder: ${JSON.stringify(folder)},
  serve: (language) => load(${JSON.stringify(serve)}).serve(language),
});
`;
  return program.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
