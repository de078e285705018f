/**
 * The five sockets of a Jupyter kernel, over ZeroMQ.
 *
 * IOPub is an XPUB socket: each new subscriber is greeted with `iopub_welcome`, so a front end knows when it misses nothing any more. When a
 * front end does not take output as fast as cells make it, the cells wait; when it has stopped taking any for a while, it alone loses
 * messages.
 */
import { Reply, Router, XPublisher } from "zeromq";
import type { Outgoing, RequestChannel, Transport } from "../session/message.js";
import { Codec, WireError } from "./codec.js";
import { type Connection, ConnectionError } from "./connection.js";

/** The largest frame that is accepted; a peer that sends a larger one is disconnected. */
const frameBytes = 128 << 20;
/** The largest message that a subscriber may send: a topic. One that sends a larger one is disconnected. */
const subscriptionBytes = 512;
/** Subscriptions that are greeted at once, and how many more each second. */
const greetings = 200;
const greetingsPerSecond = 20;
/** Replies queued for a front end that does not take them, before further ones are dropped. */
const replyHighWaterMark = 10_000;
/** Messages queued for a subscriber before the cells wait. */
const highWaterMark = 1000;
/** How long to wait for a subscriber that takes nothing, in ms, and how long then to leave it behind. */
const patienceMs = 5000;
const leaveBehindMs = 10_000;
/** Bytes that wait to be sent before the sender is asked to wait. */
const backlogLimit = 4 << 20;
/** Lines about dropped messages; after these, only every thousandth is logged. */
const loggedDrops = 20;

/** Sends one message after another; zeromq allows one send at a time. */
class Outbox {
  private queue: { frames: Buffer[]; size: number }[] = [];
  private size = 0;
  private busy = false;
  private room: (() => void)[] = [];

  constructor(private readonly send: (frames: Buffer[]) => Promise<void>) {}

  /** Queues a message; a returned promise resolves when there is room for more. */
  push(frames: Buffer[]): void | Promise<void> {
    const size = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.queue.push({ frames, size });
    this.size += size;
    if (!this.busy) void this.drain();
    if (this.size > backlogLimit) return new Promise((resolve) => this.room.push(resolve));
  }

  /** Resolves when there is room for more. */
  async hasRoom(): Promise<void> {
    if (this.size > backlogLimit) await new Promise<void>((resolve) => this.room.push(resolve));
  }

  /** Resolves when all is handed to ZeroMQ. */
  async flushed(): Promise<void> {
    while (this.busy) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  private async drain(): Promise<void> {
    this.busy = true;
    for (let item = this.queue.shift(); item; item = this.queue.shift()) {
      await this.send(item.frames).catch(() => {});
      this.size -= item.size;
      if (this.size <= backlogLimit / 2) for (const resolve of this.room.splice(0)) resolve();
    }
    this.busy = false;
  }
}

/** The transport of a kernel that Jupyter has started. */
export class ZmqTransport implements Transport {
  private readonly routers: Record<RequestChannel, Router>;
  private readonly iopub = new XPublisher({
    sendHighWaterMark: highWaterMark,
    sendTimeout: patienceMs,
    noDrop: true,
    verbosity: "allSubs",
    linger: 500,
    maxMessageSize: subscriptionBytes,
  });
  private readonly heartbeat = new Reply({ linger: 0, maxMessageSize: 1 << 20 });
  private readonly outboxes: Record<RequestChannel | "iopub", Outbox>;
  private readonly codec: Codec;
  private dropped = 0;
  private leftBehindUntil = 0;
  private greetingsLeft = greetings;
  private greetedAt = performance.now();
  private saidUngreeted = false;
  private closed = false;

  private constructor(
    connection: Connection,
    private readonly log: (line: string) => void,
  ) {
    this.codec = new Codec(connection.key, connection.signature_scheme);
    const router = () => new Router({ linger: 500, sendHighWaterMark: replyHighWaterMark, maxMessageSize: frameBytes });
    this.routers = { shell: router(), control: router(), stdin: router() };
    const outbox = (channel: RequestChannel) => new Outbox((frames) => this.routers[channel].send(frames));
    this.outboxes = {
      shell: outbox("shell"),
      control: outbox("control"),
      stdin: outbox("stdin"),
      iopub: new Outbox((frames) => this.sendIopub(frames)),
    };
  }

  /**
   * Binds the five sockets.
   * @throws ConnectionError where a port is taken
   */
  static async bind(connection: Connection, log: (line: string) => void): Promise<ZmqTransport> {
    const transport = new ZmqTransport(connection, log);
    const { ip } = connection;
    const host = ip.includes(":") && !ip.startsWith("[") ? `[${ip}]` : ip;
    const sockets = [
      ["shell_port", transport.routers.shell],
      ["control_port", transport.routers.control],
      ["stdin_port", transport.routers.stdin],
      ["iopub_port", transport.iopub],
      ["hb_port", transport.heartbeat],
    ] as const;
    for (const [field, socket] of sockets) {
      const port = connection[field];
      const address = connection.transport === "ipc" ? `ipc://${ip}-${port}` : `tcp://${host}:${port}`;
      try {
        await socket.bind(address);
      } catch (error) {
        transport.close();
        const inUse = (error as { code?: string }).code === "EADDRINUSE";
        throw new ConnectionError(
          inUse
            ? `The kernel cannot listen on ${address} (${field}): another program uses that port.`
            : `The kernel cannot listen on ${address} (${field}): ${(error as Error).message}.`,
        );
      }
    }
    return transport;
  }

  start(listener: Parameters<Transport["start"]>[0]): void {
    for (const channel of ["shell", "control", "stdin"] as const)
      void this.receive(this.routers[channel], (frames) => {
        try {
          listener.request(this.codec.decode(channel, frames));
        } catch (error) {
          this.drop(channel, error);
        }
        // Requests come in no faster than what they cause goes out. An interrupt, on control, is never kept waiting.
        return channel === "control" ? undefined : this.hasRoom(channel);
      });
    void this.receive(this.heartbeat, (frames) => this.heartbeat.send(frames).catch(() => {}));
    void this.receive(this.iopub, ([frame]) => {
      if (frame?.[0] === 1 && frame.length <= 256 && this.mayGreet())
        listener.subscribed(frame.subarray(1).toString("utf8"));
    });
  }

  private async hasRoom(channel: RequestChannel): Promise<void> {
    await this.outboxes[channel].hasRoom();
    await this.outboxes.iopub.hasRoom();
  }

  /** Whether one more subscription is greeted: every greeting goes to all subscribers of its topic. */
  private mayGreet(): boolean {
    const now = performance.now();
    const more = ((now - this.greetedAt) / 1000) * greetingsPerSecond;
    this.greetingsLeft = Math.min(greetings, this.greetingsLeft + more);
    this.greetedAt = now;
    if (this.greetingsLeft < 1) {
      if (!this.saidUngreeted) this.log("very many subscriptions: further ones are not greeted for now");
      this.saidUngreeted = true;
      return false;
    }
    this.greetingsLeft--;
    return true;
  }

  private async receive(socket: AsyncIterable<Buffer[]>, take: (frames: Buffer[]) => unknown): Promise<void> {
    try {
      for await (const frames of socket) await take(frames);
    } catch (error) {
      if (!this.closed) this.log(`a socket failed: ${(error as Error).message}`);
    }
  }

  private drop(channel: RequestChannel, error: unknown): void {
    this.dropped++;
    const why = error instanceof WireError ? error.message : `it made an error: ${(error as Error)?.message}`;
    if (this.dropped <= loggedDrops || this.dropped % 1000 === 0)
      this.log(`dropped a message on ${channel}: ${why}${this.dropped > 1 ? ` (${this.dropped} so far)` : ""}`);
  }

  private async sendIopub(frames: Buffer[]): Promise<void> {
    if (this.leftBehindUntil > 0 && performance.now() > this.leftBehindUntil) {
      this.leftBehindUntil = 0;
      this.iopub.noDrop = true;
    }
    try {
      await this.iopub.send(frames);
    } catch (error) {
      if (this.closed || (error as { code?: string }).code !== "EAGAIN") return;
      this.log("a front end takes no output; it will miss some");
      this.iopub.noDrop = false;
      this.leftBehindUntil = performance.now() + leaveBehindMs;
      await this.iopub.send(frames);
    }
  }

  publish(topic: string, message: Outgoing): void | Promise<void> {
    if (this.closed) return;
    return this.outboxes.iopub.push(this.codec.encode([Buffer.from(topic)], message));
  }

  send(channel: RequestChannel, peer: unknown, message: Outgoing): void {
    if (this.closed) return;
    void this.outboxes[channel].push(this.codec.encode(peer as Buffer[], message));
  }

  /** Closes the sockets once everything is sent, or after half a second. */
  async close(): Promise<void> {
    if (this.closed) return;
    const all = Promise.all(Object.values(this.outboxes).map((outbox) => outbox.flushed()));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 500))]);
    this.closed = true;
    for (const socket of [...Object.values(this.routers), this.iopub, this.heartbeat]) socket.close();
  }
}
