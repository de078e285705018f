/** Keeps Node's own lazily loaded parts whole across interrupts. */
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
