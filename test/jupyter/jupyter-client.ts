/** A Jupyter front end for tests: starts `iommu-lab kernel run` as Jupyter does, and talks to it over ZeroMQ. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dealer, Request, Subscriber } from "zeromq";
import type { Incoming, JsonObject } from "../../src/jupyter/session/message.js";
import { Codec } from "../../src/jupyter/wire/codec.js";

const cli = new URL("../../src/cli/iommu-lab.mjs", import.meta.url).pathname;

/** Ports that nobody uses at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A connection file in a folder of its own. */
export async function connectionFile(changes: JsonObject = {}): Promise<{ file: string; connection: JsonObject }> {
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
  const connection = {
    ip: "127.0.0.1",
    transport: "tcp",
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    key: randomUUID(),
    signature_scheme: "hmac-sha256",
    kernel_name: "iommu-lab",
    ...changes,
  };
  const file = join(mkdtempSync(join(tmpdir(), "iommu-lab-kernel-")), "connection.json");
  writeFileSync(file, JSON.stringify(connection));
  return { file, connection };
}

/** A kernel in a process of its own. */
export class KernelProcess {
  stderr = "";
  readonly exited: Promise<number | null>;

  private constructor(
    readonly process: ChildProcess,
    readonly file: string,
    readonly connection: JsonObject,
  ) {
    process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => process.on("exit", (code) => resolve(code)));
  }

  static async start(env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<KernelProcess> {
    const { file, connection } = await connectionFile();
    const child = spawn(process.execPath, [cli, "kernel", "run", file], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    return new KernelProcess(child, file, connection);
  }

  /** What it holds in memory, in MiB. */
  memoryMb(): number {
    const args = ["-o", "rss=", "-p", String(this.process.pid)];
    return Number(execFileSync("ps", args, { encoding: "utf8" })) / 1024;
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.exited;
    rmSync(join(this.file, ".."), { recursive: true, force: true });
  }
}

/** What a front end sees of a cell. */
export interface CellReply {
  reply: Incoming;
  outputs: Incoming[];
}

/** A front end connected to a kernel. */
export class Client {
  readonly session = randomUUID();
  private readonly codec: Codec;
  private readonly sockets: Record<"shell" | "control" | "stdin", Dealer>;
  private readonly iopub = new Subscriber({ receiveHighWaterMark: 0 });
  private readonly listeners = new Set<(message: Incoming, channel: string) => void>();
  /** Answers questions of user code. */
  onInput: ((prompt: string) => string) | undefined;

  /** Resolves when the kernel sends its output here. */
  private readonly welcomed: Promise<unknown>;
  private isWelcome = false;

  constructor(private readonly connection: JsonObject) {
    this.welcomed = this.next((m) => m.header.msg_type === "iopub_welcome").then(() => {
      this.isWelcome = true;
    });
    const codec = new Codec(String(connection["key"]), "hmac-sha256");
    this.codec = codec;
    const address = (port: string) => `tcp://127.0.0.1:${connection[port]}`;
    const dealer = (port: string) => {
      const socket = new Dealer({ routingId: this.session, linger: 0 });
      socket.connect(address(port));
      return socket;
    };
    this.sockets = { shell: dealer("shell_port"), control: dealer("control_port"), stdin: dealer("stdin_port") };
    this.iopub.connect(address("iopub_port"));
    this.iopub.subscribe("");
    for (const [channel, socket] of Object.entries({ ...this.sockets, iopub: this.iopub }))
      void (async () => {
        for await (const frames of socket) {
          const message = codec.decode(channel as "shell", frames as Buffer[]);
          if (message.header.msg_type === "input_request" && this.onInput)
            this.send("stdin", "input_reply", { value: this.onInput(String(message.content["prompt"])) });
          for (const listener of this.listeners) listener(message, channel);
        }
      })();
  }

  /** Resolves when the kernel answers and this front end misses no output. */
  async ready(): Promise<void> {
    await this.request("kernel_info_request", {});
    await this.welcomed;
  }

  /** Raw frames on a channel. */
  raw(channel: "shell" | "control" | "stdin", frames: Buffer[]): Promise<void> {
    return this.sockets[channel].send(frames);
  }

  /** The frames of a message, signed. */
  frames(type: string, content: JsonObject, id: string = randomUUID(), metadata: JsonObject = {}): Buffer[] {
    const header = {
      msg_id: id,
      session: this.session,
      username: "test",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.4",
    };
    return this.codec.encode([], { header, parent: {}, metadata, content, buffers: [] });
  }

  send(channel: "shell" | "control" | "stdin", type: string, content: JsonObject): string {
    const id = randomUUID();
    void this.sockets[channel].send(this.frames(type, content, id));
    return id;
  }

  /** The next message that passes, from any channel. */
  next(passes: (message: Incoming, channel: string) => boolean): Promise<Incoming> {
    return new Promise((resolve) => {
      const listener = (message: Incoming, channel: string) => {
        if (!passes(message, channel)) return;
        this.listeners.delete(listener);
        resolve(message);
      };
      this.listeners.add(listener);
    });
  }

  /** Sends a request and waits for its reply. */
  async request(type: string, content: JsonObject, channel: "shell" | "control" = "shell"): Promise<Incoming> {
    const id = randomUUID();
    const reply = this.next((m, from) => from === channel && m.parent["msg_id"] === id);
    await this.sockets[channel].send(this.frames(type, content, id));
    return reply;
  }

  /** Runs a cell; `onOutput` sees each message as it comes. */
  async execute(
    code: string,
    options: JsonObject = {},
    onOutput?: (message: Incoming) => void,
    metadata?: JsonObject,
  ): Promise<CellReply> {
    // What a kernel publishes before it knows of a subscription goes past its front end.
    if (!this.isWelcome) await this.welcomed;
    const id = randomUUID();
    const outputs: Incoming[] = [];
    const listener = (message: Incoming, channel: string) => {
      if (channel !== "iopub" || message.parent["msg_id"] !== id) return;
      outputs.push(message);
      onOutput?.(message);
    };
    this.listeners.add(listener);
    const reply = this.next((m, from) => from === "shell" && m.parent["msg_id"] === id);
    const idle = this.next(
      (m, from) => from === "iopub" && m.parent["msg_id"] === id && m.content["execution_state"] === "idle",
    );
    const content = { code, silent: false, store_history: true, allow_stdin: this.onInput !== undefined, ...options };
    await this.sockets.shell.send(
      this.frames("execute_request", { user_expressions: {}, stop_on_error: true, ...content }, id, metadata),
    );
    const result = { reply: await reply, outputs };
    await idle;
    this.listeners.delete(listener);
    return result;
  }

  /** Whether the heartbeat answers. */
  async heartbeat(): Promise<boolean> {
    const socket = new Request({ linger: 0, receiveTimeout: 5000 });
    socket.connect(`tcp://127.0.0.1:${this.connection["hb_port"]}`);
    try {
      await socket.send("beat");
      const [echo] = await socket.receive();
      return echo.toString() === "beat";
    } finally {
      socket.close();
    }
  }

  close(): void {
    for (const socket of [...Object.values(this.sockets), this.iopub]) socket.close();
  }
}

/** The last expression's text in what a cell gave. */
export const resultText = ({ outputs }: CellReply): string | undefined => {
  const result = outputs.find((m) => m.header.msg_type === "execute_result");
  return (result?.content["data"] as JsonObject | undefined)?.["text/plain"] as string | undefined;
};
