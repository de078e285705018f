/**
 * Callbacks that Node's native side begins (files, sockets, child processes, cryptography, names), while a cell is interrupted. Each could loop, and
 * a hundred that are due at once would need a termination each. So none begins while an interrupt is under way: they wait in order. After it they
 * are handed on one a turn; once one of them had to be terminated, the others of its kind are dropped.
 *
 * All of them come through one function, which Node has for its asynchronous hooks (`setCallbackTrampoline`). Requests to a server do not, nor do
 * ticks of Node's own; these two are guarded by themselves.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Server, type Socket } from "node:net";

/** What callbacks are ended together by: their native class, the server that they ask, or the function that Node's tick calls. */
type Kind = string | object;

/** A callback that is due. */
interface Entry {
  kind: Kind;
  /** The number of its native object, 0 where it has none. */
  id: number;
  /** Whether it comes from the latest cell, so that an interrupt of that may end it. */
  mine: boolean;
}

/** What an interrupt does about callbacks of the native side. */
export interface Entries {
  /**
   * A tick of Node's own: runs, when it is due, or is kept for after the interrupt.
   * @param callback what it was queued with
   * @returns what is queued instead
   */
  tick<A extends unknown[]>(callback: (this: unknown, ...args: A) => unknown): (this: unknown, ...args: A) => void;
  /** A cell begins. */
  beginCell(): void;
  /** A new interrupt has come. */
  beginInterrupt(): void;
  /** What was terminated ends together with its kind; the rest is handed on. */
  clear(): void;
  /** Whether callbacks wait to be handed on. */
  waiting(): boolean;
}

interface Held extends Entry {
  begin: () => void;
  drop?: (() => void) | undefined;
}

/** Native objects that call back once, with all that they have to say in the arguments. */
const once = new Set(["FSReqCallback", "Process", "GetAddrInfoReqWrap", "GetNameInfoReqWrap", "QueryReqWrap"]);
/** Those that call back more than once. */
const often = new Set([
  ...[
    "TCP",
    "Pipe",
    "TTY",
    "TLSWrap",
    "UDP",
    "TCPConnectWrap",
    "PipeConnectWrap",
    "ShutdownWrap",
    "WriteWrap",
    "SendWrap",
  ],
  ...["FSEvent", "StatWatcher", "Signal", "Worker", "Zlib", "BrotliEncoder", "BrotliDecoder"],
]);
/** Callbacks that are held at most; more are dropped, so that a loop that makes them cannot fill the memory. */
const heldLimit = 100_000;

/** Promises between a callback of the native side and the user's code behind them, such as those of `crypto.subtle`. */
const hops = 12;

/** What a server tells of its clients. */
const requests = new Set<unknown>(["connection", "secureConnection", "request", "checkContinue", "connect", "upgrade"]);

interface Hooks {
  setCallbackTrampoline(trampoline: (...args: never[]) => unknown): void;
  async_hook_fields: Uint32Array;
  async_id_fields: Float64Array;
  constants: Record<"kBefore" | "kAfter" | "kUsesExecutionAsyncResource" | "kAsyncIdCounter", number>;
}
interface Streams {
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kArrayBufferOffset: number;
}
/**
 * Watches over what the native side begins on this thread.
 * @param native Node's native side; throws where there is none
 * @param interrupting whether an interrupt is under way
 * @param settling whether one is, or what came after it is still being looked at
 * @param watch a question, to be asked later as well, whether the code that runs now is that of an interrupted cell: its promises of files never come
 * @param terminations how often this thread has been terminated
 * @param soon a `setImmediate` that no interrupt ends
 */
export function guardEntries(
  native: (name: string) => unknown,
  interrupting: () => boolean,
  settling: () => boolean,
  watch: () => () => boolean,
  terminations: () => number,
  soon: (callback: () => void) => void,
): Entries & { install(): void } {
  let held: Held[] = [];
  /** Counts who hands on: the latest goes on, an earlier one that a termination has left does not. */
  let turn = 0;
  /** What runs, with the microtasks that it has queued; still set after a termination, which drops those. */
  let current: (Entry & { since: number }) | undefined;
  const { queueMicrotask: afterwards } = globalThis;
  /** The kinds that this interrupt ends. */
  let ended = new Set<Kind>();
  /** Requests of interrupted cells that are not heard any more: native classes with their numbers. */
  let unheard: { kind: Kind; from: number; to: number }[] = [];
  let cellFrom = 0;
  let counter = () => 0;

  /** A callback is over when what it has settled has been handed on, through some promises. */
  const forget = (entry: Entry, after: number): void => {
    if (current !== entry) return;
    if (after === 0) current = undefined;
    else afterwards(() => forget(entry, after - 1));
  };
  const hand = <T>(entry: Entry, begin: () => T): T => {
    const mine = { ...entry, since: terminations() };
    current = mine;
    try {
      return begin();
    } finally {
      forget(mine, hops);
    }
  };
  const ends = ({ kind, mine }: Entry) => mine && settling() && ended.has(kind);
  /** Keeps a callback, if it may not begin now. */
  const keep = (entry: Entry, begin: () => void, drop?: () => void): boolean => {
    if (!interrupting()) {
      if (ends(entry)) {
        drop?.();
        return true;
      }
      if (held.length === 0) return false;
    }
    if (held.length < heldLimit) held.push({ ...entry, begin, drop });
    else drop?.();
    return true;
  };
  /** Where a callback begins while another still counts as running, that one has been terminated: its kind ends. */
  const terminated = () => {
    if (!current) return;
    const { kind, id, mine, since } = current;
    current = undefined;
    if (since === terminations() || !settling()) return;
    ended.add(kind);
    if (mine && id > 0 && !often.has(kind as string))
      unheard = [...unheard, { kind, from: cellFrom, to: counter() + 1 }].slice(-100);
    for (const entry of held) if (ends(entry)) entry.drop?.();
    held = held.filter((entry) => !ends(entry));
  };
  const handOn = (now: number): void => {
    if (now !== turn || interrupting()) return;
    terminated();
    const next = held.shift();
    if (held.length > 0) soon(() => handOn(now));
    if (!next) return;
    if (ends(next)) next.drop?.();
    else hand(next, next.begin);
  };

  const kinds = new Map<object, string | undefined>();
  const kindOf = (resource: object): string | undefined => {
    const prototype = Object.getPrototypeOf(resource) as object;
    if (!kinds.has(prototype)) {
      const name = String((prototype.constructor as { name?: unknown } | undefined)?.name);
      kinds.set(prototype, once.has(name) || often.has(name) || /Job$/.test(name) ? name : undefined);
    }
    return kinds.get(prototype);
  };

  function guardNative(): void {
    const hooks = native("async_wrap") as Hooks;
    const streams = native("stream_wrap") as Streams;
    const { async_hook_fields: fields, async_id_fields: ids, constants } = hooks;
    counter = () => ids[constants.kAsyncIdCounter];
    const { streamBaseState: state, kReadBytesOrError: bytes, kArrayBufferOffset: offset } = streams;
    if (typeof hooks.setCallbackTrampoline !== "function" || !(state[bytes] >= 0 || state[bytes] <= 0)) return;
    hooks.setCallbackTrampoline(function (
      this: unknown,
      id: number,
      resource: object,
      callback: (...args: unknown[]) => unknown,
      ...args: unknown[]
    ): unknown {
      const kind = id === 0 ? undefined : kindOf(resource);
      if (kind === undefined) return Reflect.apply(callback, this, args);
      terminated();
      if (unheard.some((range) => range.kind === kind && id >= range.from && id < range.to)) return undefined;
      const [read, from] = [state[bytes], state[offset]];
      const later = () => {
        [state[bytes], state[offset]] = [read, from];
        Reflect.apply(callback, this, args);
      };
      const entry = { kind, id, mine: id > cellFrom };
      if (keep(entry, later)) return undefined;
      return hand(entry, () => Reflect.apply(callback, this, args));
    });
    fields[constants.kUsesExecutionAsyncResource] = 1;
  }

  function guardServers(): void {
    const emit = Server.prototype.emit as (this: Server, event: string | symbol, ...args: unknown[]) => boolean;
    const guarded = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
      if (!requests.has(event)) return emit.call(this, event, ...args);
      const drop = () => {
        const [client] = args as [(Socket & { socket?: Socket }) | undefined];
        (client?.socket ?? client)?.destroy();
      };
      if (current?.kind === this) terminated();
      const entry = { kind: this, id: 0, mine: true };
      if (keep(entry, () => emit.call(this, event, ...args), drop)) return true;
      return hand(entry, () => emit.call(this, event, ...args));
    };
    Server.prototype.emit = guarded as typeof Server.prototype.emit;
  }

  /** Promises of files are settled on the native side, in no callback: here they pass through one. */
  function guardPromises(): void {
    const entry = { kind: guardPromises, id: 0, mine: true };
    const pass = () =>
      new Promise<void>((resolve) => {
        terminated();
        if (!keep(entry, resolve)) hand(entry, resolve);
      });
    const offered = fs.promises as unknown as Record<string, unknown>;
    for (const [name, original] of Object.entries(offered)) {
      if (typeof original !== "function" || original.constructor.name !== "AsyncFunction") continue;
      // Asynchronous as well, so that an error's stack leads through it to the cell.
      const guarded = {
        async [name](this: unknown, ...args: unknown[]): Promise<unknown> {
          const over = watch();
          if (over()) return new Promise(() => {});
          try {
            return await (Reflect.apply(original, this, args) as Promise<unknown>);
          } finally {
            await pass();
            if (over()) await new Promise(() => {});
          }
        },
      }[name];
      Object.defineProperty(guarded, "length", { value: original.length, configurable: true });
      offered[name] = guarded;
    }
    syncBuiltinESMExports();
  }

  return {
    install() {
      guardServers();
      guardPromises();
      try {
        guardNative();
      } catch {
        // A Node without these internals: each callback takes a termination of its own.
      }
    },
    tick(callback) {
      const entry = { kind: callback, id: 0, mine: current?.mine ?? false };
      return function (...args) {
        terminated();
        const begin = () => callback.apply(this, args);
        if (!keep(entry, begin)) hand(entry, begin);
      };
    },
    beginCell() {
      cellFrom = counter();
    },
    beginInterrupt() {
      ended = new Set();
    },
    clear() {
      terminated();
      const now = ++turn;
      if (held.length > 0) soon(() => handOn(now));
    },
    waiting: () => held.length > 0,
  };
}
