/**
 * Messages between user code's ports (`MessageChannel`, `BroadcastChannel`, worker threads), while a cell is interrupted: each could bring a handler
 * that loops, and a hundred of them would need a hundred terminations. During an interrupt none begins; those of the interrupted cell are dropped.
 */
import workerThreads, { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Context } from "./context.js";
import type { Owner } from "./resources.js";

/** What an interrupt does about messages. */
export interface Messages {
  /**
   * Drops what is on its way to ports of these cells, and to the port whose handler has been terminated; other messages that have come meanwhile are
   * handed on.
   */
  clear(cells: readonly number[]): void;
}

/** The name by which Node hands each message to a port's listeners. */
const dispatch = Symbol.for("nodejs.internal.kHybridDispatch");
/** The name by which a port keeps what was transferred with the message at hand, for its event's `ports`. */
const receiving = Symbol.for("nodejs.internal.kCurrentlyReceivingPorts");
type Port = MessagePort & { [receiving]?: unknown };
type Dispatch = (this: Port, value: unknown, type: string, event: unknown) => unknown;
/** Messages of one port that are dropped at most: a thread that goes on posting must not keep an interrupt from ending. */
const dropLimit = 100_000;

/**
 * Watches over the ports of this thread.
 * @param own ports that are not user code's
 * @param context carried from where a message is posted to its handler
 * @param owner what the code that runs now belongs to
 * @param interrupting whether an interrupt is under way
 * @param soon a `setImmediate` that no interrupt ends
 */
export function watchMessages(
  own: readonly MessagePort[],
  context: Context<Owner>,
  owner: () => Owner,
  interrupting: () => boolean,
  soon: (callback: () => void) => void,
): Messages {
  const exempt = new Set<MessagePort>(own);
  const prototype = workerThreads.MessagePort.prototype as unknown as Record<symbol, Dispatch> & MessagePort;
  const original = prototype[dispatch];
  if (typeof original !== "function") return { clear() {} };

  /** What a port's messages belong to: the code that has posted the latest, or made the port. */
  const owners = new WeakMap<MessagePort, Owner>();
  const peers = new WeakMap<MessagePort, MessagePort>();
  const known = new Set<WeakRef<MessagePort>>();
  const collected = new FinalizationRegistry<WeakRef<MessagePort>>((reference) => known.delete(reference));
  const know = (port: MessagePort, by: Owner) => {
    if (!owners.has(port)) {
      const reference = new WeakRef(port);
      known.add(reference);
      collected.register(port, reference);
    }
    owners.set(port, by);
  };
  /** The port whose handler runs; still set after a termination, which runs no `finally`. */
  let current: MessagePort | undefined;
  /** Messages that have come during an interrupt, and behind them, in order. */
  const held = new Map<MessagePort, (() => void)[]>();

  const hand = (port: MessagePort, args: Parameters<Dispatch>): unknown => {
    const before = current;
    current = port;
    try {
      return context.run(owners.get(port) ?? owner(), () => original.apply(port, args));
    } finally {
      current = before;
    }
  };
  prototype[dispatch] = function (...args) {
    if (exempt.has(this) || args[1] !== "message") return original.apply(this, args);
    const before = held.get(this);
    if (!interrupting() && !before) return hand(this, args);
    const ports = this[receiving];
    const later = () => {
      this[receiving] = ports;
      hand(this, args);
    };
    if (before) before.push(later);
    else held.set(this, [later]);
  };
  /** Hands on what was held back, one message a turn, so that an error in one leaves the others. */
  const handOn = (port: MessagePort): void => {
    const messages = held.get(port);
    if (!messages || interrupting()) return;
    const next = messages.shift();
    if (!next) {
      held.delete(port);
      return;
    }
    soon(() => handOn(port));
    next();
  };
  const { postMessage } = prototype;
  prototype.postMessage = function (this: MessagePort, ...args: Parameters<MessagePort["postMessage"]>) {
    const peer = peers.get(this);
    if (peer) know(peer, owner());
    // Node's own callers look at what the declarations do not tell of.
    return postMessage.apply(this, args);
  };

  const Original = workerThreads.MessageChannel;
  class MessageChannel extends Original {
    constructor() {
      super();
      const { port1, port2 } = this;
      peers.set(port1, port2);
      peers.set(port2, port1);
      for (const port of [port1, port2]) know(port, owner());
    }
  }
  (workerThreads as { MessageChannel: unknown }).MessageChannel = MessageChannel;
  Object.defineProperty(globalThis, "MessageChannel", { value: MessageChannel, configurable: true, writable: true });

  return {
    clear(cells) {
      const hit = current;
      current = undefined;
      const ended = (port: MessagePort) => port === hit || cells.includes(owners.get(port)?.cell ?? -1);
      for (const port of new Set([
        ...[...known].flatMap((reference) => reference.deref() ?? []),
        ...(hit ? [hit] : []),
      ]))
        if (ended(port)) for (let n = 0; n < dropLimit && receiveMessageOnPort(port) !== undefined; n++);
      for (const port of [...held.keys()])
        if (ended(port)) held.delete(port);
        else soon(() => handOn(port));
    },
  };
}
