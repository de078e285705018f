/**
 * The names that cells share, and the modules that they load.
 *
 * A compiled cell is the body of a CommonJS module: it assigns what it declares to `exports`, in between its statements, and reads names of
 * earlier cells from there. So what a cell has assigned when it is stopped is there.
 */
import Module, { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import vm from "node:vm";
import type { CompiledCell, SideModule } from "./protocol.js";

/** The scope of one session. */
export interface Scope {
  addSideModules(modules: readonly SideModule[]): void;
  /** Prepares a cell; the function returned runs it. */
  beginCell(name: string, cell: CompiledCell): () => unknown;
  /** The value of the last expression, which is forgotten. */
  takeLast(exportName: string | undefined): unknown;
  /** Ends the cell; returns the names that it has assigned. */
  endCell(succeeded: boolean): string[];
}

type Require = (id: string) => unknown;

/**
 * Creates an empty scope.
 * @param packageRoot where `iommu-lab/…` is found when the root folder does not have it
 * @param root the folder that relative imports start from
 */
export function createScope(packageRoot: string, root: string): Scope {
  const names: Record<string, unknown> = {};
  let begun: { unset: Set<string>; assigned: Set<string> } | undefined;
  const side = new Map<string, string>();
  const loaded = new Map<string, { exports: unknown }>();
  const fromRoot = createRequire(join(root, "cell.js"));
  const fromPackage = createRequire(join(packageRoot, "package.json"));

  /** Resolves `iommu-lab/…` from anywhere: to the package of this kernel, unless the folder has one of its own. */
  const internals = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
  const resolve = internals._resolveFilename;
  internals._resolveFilename = function (request, ...rest) {
    try {
      return resolve.call(this, request, ...rest);
    } catch (error) {
      if (!/^iommu-lab\//.test(request)) throw error;
      return fromPackage.resolve(request);
    }
  };

  const sidePath = (folder: string, id: string): string | undefined => {
    if (!/^\.{0,2}\//.test(id)) return undefined;
    const path = id.startsWith("/") ? id : join(folder, id);
    const candidates =
      extname(path) === "" ? [`${path}.js`, join(path, "index.js")] : [path.replace(/\.tsx?$/, ".js"), `${path}.js`];
    return candidates.find((candidate) => side.has(candidate));
  };
  const requireIn = (folder: string, otherwise: Require): Require =>
    Object.assign((id: string): unknown => {
      const path = sidePath(folder, id);
      if (path === undefined) return otherwise(id);
      const cached = loaded.get(path);
      if (cached) return cached.exports;
      const module = { exports: {} as unknown };
      loaded.set(path, module);
      try {
        const wrapper = vm.runInThisContext(
          `(function (exports, require, module, __filename, __dirname) {${side.get(path)}\n})`,
          { filename: path },
        ) as (...args: unknown[]) => void;
        wrapper(module.exports, requireIn(dirname(path), createRequire(path)), module, path, dirname(path));
      } catch (error) {
        loaded.delete(path);
        throw error;
      }
      return module.exports;
    }, otherwise);
  const requireCell = requireIn(root, fromRoot);

  const set = (cell: typeof begun, name: string, value: unknown) => {
    // Compiled code first sets every name that it declares to undefined. That alone must not lose the value of an earlier cell.
    if (cell && value === undefined && !cell.unset.has(name) && !cell.assigned.has(name)) {
      cell.unset.add(name);
      return;
    }
    cell?.assigned.add(name);
    names[name] = value;
  };
  const exportsOf = (cell: typeof begun) =>
    new Proxy(names, {
      set: (_, name, value) => {
        set(cell, String(name), value);
        return true;
      },
      defineProperty: (_, name, { get, value }) => {
        if (name === "__esModule") return true;
        // An imported name: its value now, so that later cells can reassign it.
        set(cell, String(name), get ? (get as () => unknown)() : value);
        return true;
      },
    });

  return {
    addSideModules(modules) {
      for (const { path, code } of modules) {
        side.set(path, code);
        loaded.delete(path);
      }
    },
    beginCell(name, cell) {
      begun = { unset: new Set(), assigned: new Set() };
      const exports = exportsOf(begun);
      if (cell.code === undefined) return () => undefined;
      const head = cell.isAsync ? "(async function (exports, require) {" : "(function (exports, require) {";
      return () => {
        const run = vm.runInThisContext(`${head}\n${cell.code}\n})`, { filename: name, lineOffset: -1 }) as (
          ...args: unknown[]
        ) => unknown;
        return run(exports, requireCell);
      };
    },
    takeLast(name) {
      if (name === undefined) return undefined;
      const value = names[name];
      delete names[name];
      begun?.assigned.delete(name);
      begun?.unset.delete(name);
      return value;
    },
    endCell(succeeded) {
      if (!begun) return [];
      if (succeeded) for (const name of begun.unset) if (!begun.assigned.has(name)) names[name] = undefined;
      const assigned = [...begun.assigned];
      begun = undefined;
      return assigned;
    },
  };
}
