/**
 * What code belongs to, carried through promises, timers and microtasks: `AsyncLocalStorage` without its asynchronous hooks. Those end the process
 * when a termination unwinds Node's own frames, and a cell's interrupt is a termination.
 *
 * Not carried through: callbacks of sockets, files and event emitters that use no promise.
 */
import { promiseHooks } from "node:v8";

/** Carries one value at a time. */
export interface Context<T extends object> {
  /** What the code that runs now belongs to. */
  get(): T | undefined;
  /** What a promise was made by. */
  of(promise: object): T | undefined;
  /** Calls a function on behalf of a value. */
  run<R>(value: T, action: () => R): R;
  /** A function that runs, whenever it does, on behalf of what runs now. */
  bind<A extends unknown[], R>(action: (this: unknown, ...args: A) => R): (this: unknown, ...args: A) => R;
  /** What an error that nobody has caught was thrown by. */
  thrownBy(error: unknown): T | undefined;
  /**
   * Drops the ticks and microtasks that have been queued so far on behalf of a value that passes.
   * @param meanwhile for as long as it says so, those that are queued from now on as well
   */
  drop(passes: (value: T) => boolean, meanwhile?: () => boolean): void;
  /** The original `process.nextTick`, which carries nothing. */
  tick(callback: () => void): void;
  /** Forgets what ran: at the beginning of a turn, because a termination runs no `finally`. */
  reset(): void;
}

/** A base class whose constructor returns its argument: a subclass can then give a private field to an object that is there already. */
function given(object: object): object {
  return object;
}
const Given = given as unknown as new (object: object) => object;

/** Takes a callback that a tick was queued with, and gives what is queued instead. */
type Tick = (
  callback: (this: unknown, ...args: unknown[]) => unknown,
) => (this: unknown, ...args: unknown[]) => unknown;

/**
 * Starts to carry values.
 * @param tick for ticks that belong to nothing, such as Node's own
 */
export function createContext<T extends object>(tick: Tick = (callback) => callback): Context<T> {
  let current: T | undefined;
  let thrown: { error: unknown; by: T | undefined } | undefined;

  /** A private field, so that it is seen by nobody: neither by user code nor where the promise is printed. */
  class Stamp extends Given {
    #by: T;
    constructor(promise: object, by: T) {
      super(promise);
      this.#by = by;
    }
    static of(promise: object): T | undefined {
      return #by in promise ? (promise as Stamp).#by : undefined;
    }
  }

  promiseHooks.createHook({
    init(promise) {
      if (current !== undefined) new Stamp(promise, current);
    },
    before(promise) {
      current = Stamp.of(promise);
    },
    after() {
      current = undefined;
    },
  });

  const call = <R>(value: T | undefined, action: () => R): R => {
    const before = current;
    current = value;
    try {
      return action();
    } catch (error) {
      thrown ??= { error, by: value };
      throw error;
    } finally {
      current = before;
    }
  };
  const context: Context<T> = {
    get: () => current,
    of: (promise) => Stamp.of(promise),
    run: call,
    bind(action) {
      const value = current;
      return function (...args) {
        return call(value, () => action.apply(this, args));
      };
    },
    thrownBy(error) {
      const by = thrown?.error === error ? thrown?.by : undefined;
      thrown = undefined;
      return by;
    },
    drop(passes, meanwhile = () => false) {
      turns++;
      dropped = passes;
      dropping = meanwhile;
    },
    tick: (callback) => nextTick.call(process, callback),
    reset() {
      current = undefined;
      thrown = undefined;
    },
  };

  /** How often something has been dropped, and what the last time. */
  let turns = 0;
  let dropped: (value: T) => boolean = () => false;
  let dropping = () => false;
  const queued = (callback: (...args: unknown[]) => unknown) => {
    const value = current;
    if (value === undefined || typeof callback !== "function") return callback;
    const turn = turns;
    return function (this: unknown, ...args: unknown[]) {
      if ((turn === turns && !dropping()) || !dropped(value)) call(value, () => callback.apply(this, args));
    };
  };
  const { queueMicrotask, process } = globalThis;
  globalThis.queueMicrotask = (callback) => queueMicrotask(queued(callback) as () => void);
  const { nextTick } = process;
  const nobodys = (callback: (...args: unknown[]) => unknown) =>
    current === undefined && typeof callback === "function" ? tick(callback) : queued(callback);
  process.nextTick = ((callback: () => void, ...args: []) =>
    nextTick.call(process, nobodys(callback) as () => void, ...args)) as typeof nextTick;
  return context;
}
