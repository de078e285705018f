/** Keeps what user code does to the process from ending the session. */
import { createHook } from "node:async_hooks";

/** What a cell sees that calls `process.exit`. */
class ProcessExit extends Error {
  override name = "ProcessExit";
}

/**
 * Redirects standard output and error to the cell, and turns `process.exit` into an error.
 * @param write takes what is written
 */
export function guardProcess(write: (name: "stdout" | "stderr", text: string) => void): void {
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new TextDecoder();
    process[name].write = ((
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | (() => void),
      written?: () => void,
    ): boolean => {
      const text =
        typeof chunk === "string"
          ? typeof encoding === "string" && encoding !== "utf8" && encoding !== "utf-8"
            ? Buffer.from(chunk, encoding).toString()
            : chunk
          : decoder.decode(chunk, { stream: true });
      write(name, text);
      const done = typeof encoding === "function" ? encoding : written;
      if (done) queueMicrotask(done);
      return true;
    }) as typeof process.stdout.write;
  }
  const refuse = (call: string): never => {
    throw new ProcessExit(`${call} was called in a cell. The session goes on and keeps its variables.`);
  };
  process.exit = ((code?: number | string | null) => refuse(`process.exit(${code ?? ""})`)) as typeof process.exit;
  process.abort = () => refuse("process.abort()");
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("SIGHUP", () => {});
}

/**
 * Keeps a termination from ending the process where user code (or a package) uses asynchronous hooks, `AsyncLocalStorage` for one: they
 * switch on Node's check of its stack of asynchronous ids, which a termination does not unwind.
 * @param native Node's native side; throws where there is none
 * @returns `clear`: empties that stack, after a termination
 */
export function guardAsyncHooks(native: (name: string) => unknown): { clear(): void } {
  try {
    const hooks = native("async_wrap") as {
      async_hook_fields: Uint32Array;
      clearAsyncIdStack(): void;
      constants: { kCheck: number; kTotals: number };
    };
    const { async_hook_fields: fields, constants } = hooks;
    const unchecked = () => {
      fields[constants.kCheck] = 0;
      fields[constants.kTotals] = 0;
    };
    unchecked();
    const prototype = Object.getPrototypeOf(createHook({})) as Record<"enable" | "disable", () => unknown>;
    for (const name of ["enable", "disable"] as const) {
      const original = prototype[name];
      prototype[name] = function (this: unknown) {
        const result = original.call(this);
        unchecked();
        return result;
      };
    }
    return { clear: () => hooks.clearAsyncIdStack() };
  } catch {
    // A Node without these internals: the command line's switch is what there is.
    return { clear() {} };
  }
}

/** What Node keeps of an immediate. */
interface NodeImmediate {
  _destroyed: boolean;
  _onImmediate: (() => void) | null;
  _idleNext: NodeImmediate | null;
  unref(): void;
}

/**
 * Keeps Node's queue of immediates going across terminations. Node marks an immediate as over when it begins, and moves on when it has run, which
 * a termination skips: the queue then stands at one that is over, and every turn of the event loop throws, for ever.
 * @returns told of an error that nobody has caught: whether it was that one; then the queue goes on
 */
export function guardImmediates(): (error: unknown) => boolean {
  const make = (): NodeImmediate => setImmediate(() => {}) as unknown as NodeImmediate;
  const over = Symbol("over");
  const next = Symbol("next");
  type Guarded = NodeImmediate & { [over]?: boolean; [next]?: NodeImmediate | null };
  const probe = make();
  clearImmediate(probe as unknown as NodeJS.Immediate);
  if (!["_destroyed", "_onImmediate", "_idleNext"].every((name) => Object.hasOwn(probe, name))) return () => false;

  /** The latest that was found to be over. */
  let stuck: Guarded | undefined;
  Object.defineProperty(Object.getPrototypeOf(probe) as object, "_destroyed", {
    configurable: true,
    get(this: Guarded): boolean {
      if (this[over] !== true) return false;
      stuck = this;
      return true;
    },
    set(this: Guarded, value: boolean) {
      this[over] = value;
      if (value) this[next] = this._idleNext;
    },
  });
  /** Node counts one that begins twice twice. This counts one up: a pair, of which the second leaves the queue without being counted. */
  const countUp = () => {
    const [first, second] = [make(), make()];
    second.unref();
    Object.defineProperty(first, "_idleNext", { get: () => second._idleNext, set: () => {} });
  };
  return (error) => {
    if (!stuck || !(error instanceof TypeError) || !error.message.includes("'_idleNext'")) return false;
    // It begins once more, with nothing to do.
    stuck._onImmediate = () => {};
    stuck._idleNext ??= stuck[next] ?? null;
    stuck[over] = false;
    stuck = undefined;
    countUp();
    return true;
  };
}
