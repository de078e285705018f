/**
 * What cells load: local modules as they are now, packages as Node finds them.
 *
 * Local modules that a cell imports arrive compiled, again whenever they were edited; then they and all that import them are loaded afresh
 * by the next import. What only `require` or a computed `import()` reaches is Node's own business, except that a file that was edited is
 * loaded again.
 */
import { statSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { hostName } from "../heart/rewrite.js";
import { packageDoors } from "./doors.js";
import type { Loading } from "./loading.js";
import type { SideModule } from "./protocol.js";

interface Loaded {
  exports: unknown;
  /** Set until its body has ended. */
  loading?: Promise<void>;
}

/** The modules of one session. */
export interface Modules {
  /** Takes up compiled local modules. */
  add(modules: readonly SideModule[]): void;
  /** What a cell's imports of local modules stand for, from now on. */
  link(imports: Readonly<Record<string, string>>): void;
  /** The module that `import` gives: waits where it, or what it imports, awaits. */
  load(specifier: string): Promise<unknown>;
  /** `require` as cells see it. */
  require: NodeJS.Require;
  /** `import.meta` as cells see it. */
  meta: Record<string, unknown>;
  /** `module` as cells see it. */
  module: NodeJS.Module;
}

/**
 * @param packageRoot where `iommu-lab/…` is found when the root folder does not have it
 * @param root the folder that relative imports start from
 * @param notebook the notebook's file, as far as it is known
 * @param loading keeps modules whole
 */
export function createModules(packageRoot: string, root: string, notebook: string, loading: Loading): Modules {
  const side = new Map<string, SideModule>();
  const loaded = new Map<string, Loaded>();
  const fromPackage = createRequire(join(packageRoot, "package.json"));
  findOwnPackage(fromPackage, packageRoot);
  // What a module awaits may never come after an interrupt: the next import begins it again.
  loading.onInterrupt(() => {
    for (const [path, entry] of loaded) if (entry.loading) loaded.delete(path);
  });

  /** What a specifier stands for in a module: the path of a local module that was compiled, or undefined. */
  const localPath = (imports: Record<string, string>, specifier: string): string | undefined => {
    const path = imports[specifier];
    return path !== undefined && side.has(path) ? path : undefined;
  };

  const requireFrom = (file: string, imports: Record<string, string>): NodeJS.Require => {
    const own = createRequire(file);
    return Object.assign((id: string): unknown => {
      const path = localPath(imports, id);
      if (path !== undefined) return loadNow(path);
      forgetEdited(own, id);
      const exports = own(id);
      noteTimes(own, id);
      return exports;
    }, own);
  };

  const body = (path: string, module: SideModule): ((exports: Loaded) => unknown) => {
    if (module.json)
      return (entry) => {
        entry.exports = JSON.parse(module.code);
      };
    const head = `(${module.isAsync ? "async " : ""}function (exports, require, module, __filename, __dirname, ${hostName}) {`;
    const run = vm.runInThisContext(`${head}${module.code}\n})`, { filename: path }) as (...args: unknown[]) => unknown;
    return (entry) =>
      run(entry.exports, requireFrom(path, module.imports), entry, path, dirname(path), {
        import: (specifier: unknown) => importFrom(path, module.imports, String(specifier)),
        meta: metaOf(path),
      });
  };

  /** Loads a compiled module at once. */
  function loadNow(path: string): unknown {
    const known = loaded.get(path);
    if (known) return known.exports;
    const module = side.get(path) as SideModule;
    if (module.isAsync)
      throw new Error(`The module ${path} awaits at its top level: load it with import, which waits for it.`);
    const entry: Loaded = { exports: {} };
    const forget = () => void loaded.delete(path);
    try {
      loading.whole(() => {
        loaded.set(path, entry);
        body(path, module)(entry);
      }, forget);
    } catch (error) {
      forget();
      throw error;
    }
    return entry.exports;
  }

  /** Loads a compiled module after those that it imports; in a circle, one sees the other half-way, as in JavaScript. */
  async function loadInOrder(path: string, above: ReadonlySet<string>): Promise<void> {
    const known = loaded.get(path);
    if (known) return known.loading;
    const module = side.get(path) as SideModule;
    if (!needsWaiting(path, new Set())) {
      loadNow(path);
      return;
    }
    const inside = new Set([...above, path]);
    const entry: Loaded = { exports: {} };
    loaded.set(path, entry);
    const work = (async () => {
      for (const next of Object.values(module.imports))
        if (side.has(next) && !inside.has(next)) await loadInOrder(next, inside);
      await loading.whole(() => body(path, module)(entry));
    })();
    entry.loading = work;
    try {
      await work;
      delete entry.loading;
    } catch (error) {
      if (loaded.get(path) === entry) loaded.delete(path);
      throw error;
    }
  }

  const needsWaiting = (path: string, seen: Set<string>): boolean => {
    if (seen.has(path)) return false;
    seen.add(path);
    const module = side.get(path);
    if (!module) return false;
    return module.isAsync || Object.values(module.imports).some((next) => needsWaiting(next, seen));
  };

  async function importFrom(file: string, imports: Record<string, string>, specifier: string): Promise<unknown> {
    const local =
      localPath(imports, specifier) ??
      localPath(Object.fromEntries([...side.keys()].map((p) => [p, p])), join(dirname(file), specifier));
    if (local !== undefined) {
      await loadInOrder(local, new Set());
      return namespaceOf(loaded.get(local)?.exports);
    }
    const require = createRequire(file);
    forgetEdited(require, specifier);
    try {
      const exports = require(specifier);
      noteTimes(require, specifier);
      return namespaceOf(exports);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ERR_REQUIRE_ASYNC_MODULE" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || code === "ERR_REQUIRE_ESM")
        return nativeImport(specifier, file);
      throw error;
    }
  }

  /** The imports of all cells so far: what a relative specifier of a cell stands for. */
  const fromCells = join(root, "cell.js");
  const cellImports: Record<string, string> = {};
  const cellModule = new Module(notebook) as NodeJS.Module & { filename: string; paths: string[] };
  cellModule.filename = notebook;
  cellModule.paths = (Module as unknown as { _nodeModulePaths(folder: string): string[] })._nodeModulePaths(root);

  return {
    add(modules) {
      const changed = new Set(modules.map(({ path }) => path));
      for (const module of modules) side.set(module.path, module);
      // What imports a module that was edited is loaded afresh as well.
      for (let grown = true; grown; ) {
        grown = false;
        for (const { path, imports } of side.values())
          if (!changed.has(path) && Object.values(imports).some((next) => changed.has(next))) {
            changed.add(path);
            grown = true;
          }
      }
      for (const path of changed) loaded.delete(path);
    },
    link: (imports) => void Object.assign(cellImports, imports),
    load: (specifier) => importFrom(fromCells, cellImports, specifier),
    require: requireFrom(fromCells, cellImports),
    meta: metaOf(notebook),
    module: cellModule,
  };
}

/** Resolves `iommu-lab/…` from anywhere: to the package of this kernel, unless the folder has one of its own. */
function findOwnPackage(fromPackage: NodeJS.Require, packageRoot: string): void {
  const internals = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
  const resolve = internals._resolveFilename;
  let inside = false;
  internals._resolveFilename = function (request, ...rest) {
    try {
      return resolve.call(this, request, ...rest);
    } catch (error) {
      // The package looks its own names up through this very function.
      if (inside || !/^iommu-lab\//.test(request)) throw error;
      inside = true;
      try {
        return fromPackage.resolve(request);
      } catch {
        const { doors } = packageDoors(packageRoot);
        throw new Error(`There is no "${request}". There are: ${doors.map((door) => `"${door}"`).join(", ")}.`);
      } finally {
        inside = false;
      }
    }
  };
}

/** `import.meta` of a file. */
function metaOf(path: string): Record<string, unknown> {
  return {
    url: pathToFileURL(path).href,
    filename: path,
    dirname: dirname(path),
    resolve: (specifier: string) => {
      const found = createRequire(path).resolve(specifier);
      return isAbsolute(found) ? pathToFileURL(found).href : found;
    },
  };
}

/** When each local file that Node's `require` has loaded was last edited, as of its loading. */
const times = new Map<string, number>();
const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The local file that a name stands for. */
function localFile(require: NodeJS.Require, id: string): string | undefined {
  try {
    const path = require.resolve(id);
    return isAbsolute(path) && !path.includes("/node_modules/") ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A loaded local file with all local files that it has loaded, each once. */
function withChildren(require: NodeJS.Require, path: string, seen = new Set<string>()): Set<string> {
  const cached = require.cache[path];
  if (!cached || seen.has(path) || path.includes("/node_modules/")) return seen;
  seen.add(path);
  for (const { filename } of cached.children) withChildren(require, filename, seen);
  return seen;
}

/** Remembers when the files of a module that was just loaded were edited. */
function noteTimes(require: NodeJS.Require, id: string): void {
  const path = localFile(require, id);
  if (path === undefined) return;
  for (const file of withChildren(require, path)) if (!times.has(file)) times.set(file, modified(file));
}

/** Takes a module out of Node's cache, with all that it has loaded, when one of its files was edited since. */
function forgetEdited(require: NodeJS.Require, id: string): void {
  const path = localFile(require, id);
  if (path === undefined) return;
  const files = withChildren(require, path);
  if (![...files].some((file) => times.has(file) && times.get(file) !== modified(file))) return;
  for (const file of files) {
    times.delete(file);
    delete require.cache[file];
  }
}

/** What `import * as ns` and `import()` give for a module: an ECMAScript module's own namespace, or one made of its exports. */
export function namespaceOf(exports: unknown): unknown {
  if (exports !== null && typeof exports === "object") {
    const { __esModule } = exports as { __esModule?: unknown };
    if (__esModule || Object.prototype.toString.call(exports) === "[object Module]") return exports;
  }
  const namespace: Record<string, unknown> = {};
  if ((typeof exports === "object" && exports !== null) || typeof exports === "function")
    for (const key of Object.getOwnPropertyNames(exports))
      if (key !== "default")
        Object.defineProperty(namespace, key, {
          enumerable: true,
          get: () => (exports as Record<string, unknown>)[key],
        });
  Object.defineProperty(namespace, "default", { enumerable: true, value: exports });
  return namespace;
}

/** Node's own `import()`, as from a file. */
const nativeImport = (specifier: string, file: string): Promise<unknown> =>
  (
    vm.runInThisContext("(specifier) => import(specifier)", {
      filename: file,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }) as (specifier: string) => Promise<unknown>
  )(specifier);
