/**
 * Modules load whole or not at all.
 *
 * A termination runs no `finally`: it leaves a half-evaluated module in Node's caches, and the next `require` would hand out what is there.
 * So an interrupt waits for a load that is under way (executor-helper.ts says how long). A load that never ends is torn all the same; then what
 * was left of it is forgotten. CommonJS modules can be forgotten, ES modules cannot: from then on, loading another ES module is an error that says so.
 */
import { existsSync, readFileSync } from "node:fs";
import Module from "node:module";
import { dirname, extname, join } from "node:path";
import { Word } from "./shared.js";

/** Keeps loads from being torn. */
export interface Loading {
  /**
   * Runs a load that an interrupt should wait for.
   * @param forget undoes what is left of the load, where it was torn all the same
   */
  whole<T>(load: () => T, forget?: () => void): T;
  /** Has something done at each interrupt. */
  onInterrupt(action: () => void): void;
  /** Tells that a cell has been interrupted. */
  interrupted(): void;
  /** After the main thread has been terminated: forgets what was being loaded. */
  afterTermination(): void;
}

/** An ES module that can't be loaded any more. */
class ModuleInterrupted extends Error {
  override name = "ModuleInterrupted";
}

interface CachedModule {
  loaded: boolean;
  filename: string;
}
type Load = (this: unknown, ...args: unknown[]) => unknown;
const internals = Module as unknown as {
  _load: Load;
  _cache: Record<string, CachedModule | undefined>;
  prototype: { load: (this: CachedModule, filename: string) => void };
};

/** Watches over every `require` of this process. */
export function createLoading(shared: Int32Array): Loading {
  let stack: { forget: (() => void) | undefined }[] = [];
  /** The ES modules whose load was torn. */
  let torn: string[] = [];
  const actions: (() => void)[] = [];

  const whole = <T>(load: () => T, forget?: () => void): T => {
    stack.push({ forget });
    Atomics.store(shared, Word.loading, stack.length);
    try {
      return load();
    } finally {
      stack.pop();
      Atomics.store(shared, Word.loading, stack.length);
      // An interrupt has waited for this: its termination comes now, and must not find the next load under way.
      if (stack.length === 0 && Atomics.load(shared, Word.interrupting) > 0) Atomics.wait(shared, Word.never, 0, 2000);
    }
  };

  const load = internals._load;
  internals._load = function (...args) {
    return whole(() => load.apply(this, args));
  };
  const loadFile = internals.prototype.load;
  internals.prototype.load = function (filename) {
    if (torn.length > 0 && isEsModule(filename))
      throw new ModuleInterrupted(
        `An interrupt has stopped the loading of ${torn.join(", ")} half-way. Node.js cannot load an ES module a second time: restart the kernel to load ${filename}.`,
      );
    loadFile.call(this, filename);
  };

  return {
    whole,
    onInterrupt: (action) => void actions.push(action),
    interrupted() {
      for (const action of actions) action();
    },
    afterTermination() {
      for (const { forget } of stack) forget?.();
      if (stack.length > 0)
        for (const [name, module] of Object.entries(internals._cache)) {
          if (module?.loaded !== false) continue;
          delete internals._cache[name];
          if (isEsModule(name)) torn = [...torn, name];
        }
      stack = [];
      Atomics.store(shared, Word.loading, 0);
    },
  };
}

/** Whether Node takes a file for an ES module. */
function isEsModule(file: string): boolean {
  const extension = extname(file);
  if (extension !== ".js") return extension === ".mjs";
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const description = join(folder, "package.json");
    if (existsSync(description))
      try {
        return (JSON.parse(readFileSync(description, "utf8")) as { type?: string }).type === "module";
      } catch {
        return false;
      }
    if (dirname(folder) === folder) return false;
  }
}
