/** A kernel in this very process, without sockets: for the headless runner and for tests. The session is the one that Jupyter talks to. */
import { randomUUID } from "node:crypto";
import type { Incoming, JsonObject, Outgoing, RequestChannel, Transport } from "./message.js";

type Listener = Parameters<Transport["start"]>[0];

/** Output that is kept for a reader who does not keep up, before the cell that writes has to wait; in UTF-16 units. */
const backlogLimit = 8 << 20;

/** A message of a kernel, as its front end sees it. */
export interface KernelMessage {
  type: string;
  /** The request that it belongs to. */
  parentId: string | undefined;
  content: JsonObject;
  metadata: JsonObject;
  buffers: Uint8Array[];
}

/** The front end's end of an in-process connection. */
export class InProcessTransport implements Transport {
  private listener: Listener | undefined;
  private early: Incoming[] = [];
  private readonly session = randomUUID();
  private readonly subscribers = new Set<(message: KernelMessage) => void | Promise<void>>();
  private readonly replies = new Map<string, (message: KernelMessage) => void>();
  /** Answers questions of user code; without it there is nobody to ask. */
  onInput: ((prompt: string, password: boolean) => Promise<string>) | undefined;

  start(listener: Listener): void {
    this.listener = listener;
    for (const message of this.early.splice(0)) listener.request(message);
  }

  publish(_topic: string, message: Outgoing): void | Promise<void> {
    const waits = [...this.subscribers]
      .map((take) => take(toKernelMessage(message)))
      .filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
  }

  send(channel: RequestChannel, _peer: unknown, message: Outgoing): void {
    if (channel === "stdin") {
      const { prompt, password } = message.content;
      void this.onInput?.(String(prompt), password === true).then((value) =>
        this.request("input_reply", { value }, { channel: "stdin", parent: { ...message.header } }),
      );
      return;
    }
    const parent = String(message.parent["msg_id"]);
    const take = this.replies.get(parent);
    this.replies.delete(parent);
    take?.(toKernelMessage(message));
  }

  close(): void {
    this.subscribers.clear();
  }

  /** Hears every message that the kernel publishes, until the function returned is called. */
  subscribe(take: (message: KernelMessage) => void | Promise<void>): () => void {
    this.subscribers.add(take);
    return () => this.subscribers.delete(take);
  }

  /** Sends a request; returns its id and the reply. */
  request(
    type: string,
    content: JsonObject,
    options: { channel?: RequestChannel; parent?: JsonObject; buffers?: Uint8Array[]; id?: string } = {},
  ): { id: string; reply: Promise<KernelMessage> } {
    const id = options.id ?? randomUUID();
    const message: Incoming = {
      channel: options.channel ?? "shell",
      peer: undefined,
      header: {
        msg_id: id,
        session: this.session,
        username: "in-process",
        date: new Date().toISOString(),
        msg_type: type,
        version: "5.4",
      },
      parent: options.parent ?? {},
      metadata: {},
      content,
      buffers: options.buffers ?? [],
    };
    const reply = new Promise<KernelMessage>((resolve) => this.replies.set(id, resolve));
    if (this.listener) this.listener.request(message);
    else this.early.push(message);
    return { id, reply };
  }
}

function toKernelMessage({ header, parent, metadata, content, buffers }: Outgoing): KernelMessage {
  const parentId = parent["msg_id"];
  return {
    type: header.msg_type,
    parentId: typeof parentId === "string" ? parentId : undefined,
    // A front end elsewhere gets what JSON can carry; one in this process gets the same.
    content: content,
    metadata,
    buffers,
  };
}

/** Messages in the order in which they came, for one reader; the writer waits when the reader falls far behind. */
export class MessageQueue implements AsyncIterableIterator<KernelMessage> {
  private items: KernelMessage[] = [];
  private size = 0;
  private ended = false;
  private reading = false;
  private wake: (() => void) | undefined;
  private room: (() => void)[] = [];

  push(message: KernelMessage): void | Promise<void> {
    if (this.ended) return;
    this.items.push(message);
    this.size += sizeOf(message);
    this.wake?.();
    if (this.reading && this.size > backlogLimit) return new Promise((resolve) => this.room.push(resolve));
  }

  end(): void {
    this.ended = true;
    this.wake?.();
    for (const resolve of this.room.splice(0)) resolve();
  }

  async next(): Promise<IteratorResult<KernelMessage>> {
    this.reading = true;
    for (;;) {
      const item = this.items.shift();
      if (item) {
        this.size -= sizeOf(item);
        if (this.size < backlogLimit / 2) for (const resolve of this.room.splice(0)) resolve();
        return { done: false, value: item };
      }
      if (this.ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  return(): Promise<IteratorResult<KernelMessage>> {
    this.items = [];
    this.size = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const sizeOf = (message: KernelMessage): number =>
  message.type === "stream" ? String(message.content["text"]).length : 1000;
