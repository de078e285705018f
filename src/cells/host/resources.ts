/**
 * What a cell leaves running: its timers and worker threads. An interrupt ends them; otherwise a left-over timer would go on in the next cell.
 * A timer belongs to the cell that has set it, a worker thread to the cell that has given it work last (so that pools can outlive a cell).
 */
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import util from "node:util";
import workerThreads, { type Worker as WorkerThread } from "node:worker_threads";
import type { Context } from "./context.js";
import type { Origin } from "./protocol.js";

type Callback = (...args: unknown[]) => void;

interface Tracked {
  /** The cell that it belongs to. */
  cell: number;
  /** When a timeout is over, as `performance.now()`; undefined for what repeats or has no such time. */
  due?: number;
  clear(): void;
}

/** What code belongs to: a cell's run or a comm message, and the number that its timers and threads go by here. */
export interface Owner {
  origin: Origin;
  cell: number;
}

/** Keeps track of the timers and worker threads that user code makes. */
export interface Resources {
  /** The original setImmediate, untracked. */
  soon(callback: () => void): void;
  /** The original setTimeout, untracked. */
  later(callback: () => void, ms: number): void;
  /** Whether a cell has timeouts that will be over before a moment (of `performance.now()`). */
  dueBefore(cell: number, moment: number): boolean;
  /**
   * Ends what an interrupt should end: all that belongs to the cell whose timer was terminated, and to the cell that is given. Timers of other
   * cells that had become due meanwhile begin then.
   * @returns the cells
   */
  clear(cell: number | undefined): number[];
}

/**
 * Replaces the timer functions and the Worker class by tracked ones.
 * @param context carried from where a timer is set to its callback
 * @param owner what the code that runs now belongs to
 * @param interrupting whether an interrupt is under way: then no timer's callback begins, or each of many that loop would need a termination
 * @param watch a question whether the code that runs now is that of an interrupted cell: its timers never come
 */
export function trackResources(
  context: Context<Owner>,
  owner: () => Owner,
  interrupting: () => boolean,
  watch: () => () => boolean,
): Resources {
  const original = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
  /**
   * An immediate whose callback runs as a tick of its own, right behind it. A termination in the callback of an immediate leaves Node's queue of
   * immediates at one that is over, and every turn from then on throws; between two of them it does no harm.
   */
  const immediately = (callback: Callback): NodeJS.Immediate => original.setImmediate(() => context.tick(callback));
  const live = new Set<Tracked>();
  /** Callbacks that have become due during an interrupt. */
  let postponed: { entry: Tracked; begin: () => void }[] = [];
  /** The timer whose callback is running; still set after a termination, which runs no `finally`. */
  let current: Tracked | undefined;

  const byHandle = new WeakMap<object, Tracked>();
  const track = (
    start: (callback: Callback, ...rest: unknown[]) => object,
    stop: (handle: never) => void,
    repeats: boolean,
  ) =>
    function timer(callback: Callback, ...rest: unknown[]) {
      if (typeof callback !== "function") return start(callback, ...rest);
      const entry: Tracked = {
        cell: owner().cell,
        ...(repeats ? {} : { due: performance.now() + (Number(rest[0]) || 0) }),
        clear: () => stop(handle as never),
      };
      const begin = context.bind((self: unknown, args: unknown[]) => {
        const before = current;
        current = entry;
        try {
          callback.apply(self, args);
        } finally {
          current = before;
          if (!repeats) live.delete(entry);
        }
      });
      const handle: object = start(
        function (this: unknown, ...args: unknown[]) {
          if (!live.has(entry)) return;
          if (!interrupting()) return begin(this, args);
          // What repeats has another turn.
          if (!repeats) postponed.push({ entry, begin: () => begin(this, args) });
        },
        ...rest,
      );
      if (watch()()) {
        entry.clear();
        return handle;
      }
      live.add(entry);
      byHandle.set(handle, entry);
      return handle;
    };
  const untrack = (stop: (handle: never) => void) => (handle: unknown) => {
    if (typeof handle === "object" && handle !== null) {
      const entry = byHandle.get(handle);
      if (entry) live.delete(entry);
    }
    stop(handle as never);
  };
  const tracked = {
    setTimeout: track(original.setTimeout as never, original.clearTimeout as never, false),
    setInterval: track(original.setInterval as never, original.clearInterval as never, true),
    setImmediate: track(
      (callback, ...args) => immediately(() => callback(...args)),
      original.clearImmediate as never,
      false,
    ),
    clearTimeout: untrack(original.clearTimeout as never),
    clearInterval: untrack(original.clearInterval as never),
    clearImmediate: untrack(original.clearImmediate as never),
  };
  /** A promise that a tracked timer resolves; after an interrupt it stays pending, and with it the code that waits. */
  const waiting =
    (timer: (callback: Callback, ...rest: unknown[]) => object, stop: (handle: unknown) => void) =>
    (value: unknown, ms: unknown[], options: { signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        const abort = () => {
          stop(handle);
          reject(
            Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), {
              name: "AbortError",
              code: "ABORT_ERR",
            }),
          );
        };
        const handle = timer(
          () => {
            signal?.removeEventListener("abort", abort);
            resolve(value);
          },
          ...ms,
        );
        if (signal?.aborted) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      });
  const timeout = waiting(tracked.setTimeout, tracked.clearTimeout);
  const immediate = waiting(tracked.setImmediate, tracked.clearImmediate);
  const promised = {
    setTimeout: (ms?: number, value?: unknown, options?: { signal?: AbortSignal }) => timeout(value, [ms], options),
    setImmediate: (value?: unknown, options?: { signal?: AbortSignal }) => immediate(value, [], options),
  };
  Object.defineProperty(tracked.setTimeout, util.promisify.custom, { value: promised.setTimeout });
  Object.defineProperty(tracked.setImmediate, util.promisify.custom, { value: promised.setImmediate });
  Object.assign(globalThis, tracked);
  Object.assign(timersPromises, promised);

  const endedThreads = new WeakSet<WorkerThread>();
  const OriginalWorker = workerThreads.Worker;
  class TrackedWorker extends OriginalWorker {
    readonly #entry: Tracked = {
      cell: owner().cell,
      clear: () => {
        endedThreads.add(this);
        void this.terminate();
      },
    };

    constructor(...args: ConstructorParameters<typeof OriginalWorker>) {
      super(...args);
      live.add(this.#entry);
      this.once("exit", () => live.delete(this.#entry));
    }

    /** What a thread has said before an interrupt has ended it is not heard any more. */
    override emit(name: string | symbol, ...args: unknown[]): boolean {
      return endedThreads.has(this) && name === "message"
        ? false
        : super.emit(name as "message", ...(args as [unknown]));
    }

    /** A worker belongs to the cell that gave it work last: of a pool that an earlier cell has made, an interrupt ends what this cell uses. */
    override postMessage(...args: Parameters<WorkerThread["postMessage"]>): void {
      this.#entry.cell = owner().cell;
      super.postMessage(...args);
    }
  }
  Object.defineProperty(TrackedWorker, "name", { value: "Worker" });
  (workerThreads as { Worker: unknown }).Worker = TrackedWorker;
  syncBuiltinESMExports();

  return {
    soon: (callback) => void immediately(callback),
    later: (callback, ms) => void original.setTimeout(callback, ms),
    dueBefore: (cell, moment) => [...live].some((entry) => entry.cell === cell && (entry.due ?? Infinity) <= moment),
    clear(cell) {
      const stopped = current?.cell;
      current = undefined;
      for (const entry of live) {
        if (entry.cell !== stopped && entry.cell !== cell) continue;
        live.delete(entry);
        entry.clear();
      }
      for (const { entry, begin } of postponed)
        immediately(() => {
          if (live.has(entry)) begin();
        });
      postponed = [];
      return [stopped, cell].filter((ended) => ended !== undefined);
    },
  };
}
