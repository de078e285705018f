/** Keeps Node's own lazily loaded parts whole across interrupts. */
import { Socket } from "node:net";
import type { Loading } from "./loading.js";

const key = Symbol.for("undici.globalDispatcher.1");
type Globals = Record<string | symbol, unknown>;
const globals = globalThis as unknown as Globals;

/** The dispatcher of Node's `fetch` that no user code has replaced. */
let own: unknown;
let warm = false;

/** Globals that Node loads at their first use. A termination in the midst of that would leave them broken for good. */
const lazy = ["Response", "WebSocket", "ReadableStream", "Blob", "BroadcastChannel", "crypto"];
const mention = /\b(fetch|Request|Response|Headers|FormData|WebSocket|EventSource|Blob|File|crypto|ReadableStream)\b/;

/**
 * Loads what is loaded lazily, once: before code that mentions it, or (without code) at a quiet moment.
 */
export function warmUp(code: string | undefined, loading: Loading): void {
  if (warm || (code !== undefined && !mention.test(code))) return;
  loading.whole(() => {
    for (const name of lazy) void globals[name];
    void (globals["crypto"] as { subtle?: unknown } | undefined)?.subtle;
    own = globals[key];
    warm = true;
  });
}

/**
 * Gives `fetch` new connections: a termination may have hit the old ones' bookkeeping half-way, and they would never send again. A
 * dispatcher that user code has set is left alone.
 */
export function freshDispatcher(): void {
  if (own === undefined || globals[key] !== own) return;
  try {
    own = new (own as { constructor: new () => unknown }).constructor();
    globals[key] = own;
  } catch {
    // Without its constructor it stays as it is.
  }
}

/** What Node's `fetch` keeps at a socket that it reads answers from. */
const parserName = "parser";
const isRead = (socket: Socket): boolean =>
  Object.getOwnPropertySymbols(socket).some(({ description }) => description === parserName);

/**
 * Lets `fetch` read what has come on a connection whole. All connections share one mark of who reads (undici's `currentParser`), which a
 * `finally` takes back; a termination runs none, and no connection, new ones neither, would read again. So an interrupt waits for a read that
 * is under way, as it does for a load, and a read that is due meanwhile begins after it.
 * @param interrupting whether an interrupt is under way
 * @param watch a question, to be asked later as well, whether the code that runs now is that of an interrupted cell: what it fetches never comes
 * @param later a `setTimeout` that no interrupt ends
 */
export function guardFetch(
  loading: Loading,
  interrupting: () => boolean,
  watch: () => () => boolean,
  later: (callback: () => void, ms: number) => void,
): void {
  const emit = Socket.prototype.emit as (this: Socket, event: string | symbol, ...args: unknown[]) => boolean;
  const guarded = function (this: Socket, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== "readable" || !isRead(this)) return emit.call(this, event, ...args);
    if (!interrupting()) return loading.whole(() => emit.call(this, event, ...args));
    const again = () => {
      if (interrupting()) later(again, 5);
      else loading.whole(() => emit.call(this, event, ...args));
    };
    later(again, 5);
    return true;
  };
  Socket.prototype.emit = guarded as typeof Socket.prototype.emit;
  const { fetch: original } = globalThis;
  const never = () => new Promise<never>(() => {});
  const { fetch } = {
    // As Node's own: no async function.
    fetch(...args: Parameters<typeof original>): Promise<Response> {
      const over = watch();
      if (over()) return never();
      return original(...args).then(
        (response) => (over() ? never() : response),
        (error: unknown) => {
          if (over()) return never();
          throw error;
        },
      );
    },
  };
  globalThis.fetch = fetch;
}
