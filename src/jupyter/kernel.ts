/** A kernel driven from this process: what the headless runner and the tests hold in their hands. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CellRunner, cellRoot, packageRoot } from "../cells/index.js";
import { InProcessTransport, type KernelMessage, MessageQueue } from "./session/in-process.js";
import { Session } from "./session/session.js";
import { version } from "./version.js";

/** Options of {@link startInProcessKernel}. */
export interface KernelOptions {
  /** The folder that the notebook is in; cells run in it. Default: the process's. */
  cwd?: string;
  /** The largest heap of the process that runs the cells, in MB. */
  heapMb?: number;
  /** Environment variables of the process that runs the cells, beside this process's. */
  env?: Readonly<Record<string, string>>;
  /** Takes lines for whoever operates the kernel; by default they are dropped. */
  log?: (line: string) => void;
  /** Answers `lab.prompt`; without it, cells cannot ask. */
  onInput?: (prompt: string, password: boolean) => Promise<string>;
}

/** Options of {@link Kernel.execute}. */
export interface ExecuteOptions {
  /** Run without outputs, count and history. */
  silent?: boolean;
  /** Whether the cell may ask; default: whether there is someone to ask (`onInput`). */
  allowStdin?: boolean;
  /** Interrupt the cell after so many milliseconds; its error then says so. */
  timeout?: number;
}

/** The protocol's answer to a cell. */
export interface ExecuteReply {
  status: "ok" | "error" | "aborted";
  /** The number in the brackets before the cell. */
  executionCount: number;
  ename?: string;
  evalue?: string;
  traceback?: string[];
  /** Set when the cell ran into its time limit. */
  timedOut?: boolean;
}

/**
 * A cell on its way: iterate over it for its outputs (`stream`, `display_data`, `update_display_data`, `execute_result`, `error`,
 * `clear_output`, comm messages), in the order in which they came; `reply` says how it ended.
 */
export interface Execution extends AsyncIterable<KernelMessage> {
  /** The request's id: what comes after the cell has ended, by {@link Kernel.subscribe}, has it as its parent. */
  id: string;
  reply: Promise<ExecuteReply>;
}

/** A running kernel. */
export interface Kernel {
  /** Runs a cell. Cells sent before it ended wait their turn. */
  execute(code: string, options?: ExecuteOptions): Execution;
  /** Interrupts the running cell, which keeps every variable. Resolves when the next one can run. */
  interrupt(): Promise<void>;
  /** Ends the kernel and its processes. */
  shutdown(): Promise<void>;
  /** Any other request of the protocol, such as `complete_request`; resolves to its reply. */
  request(type: string, content: Record<string, unknown>, buffers?: Uint8Array[]): Promise<KernelMessage>;
  /** Hears everything that the kernel publishes, also between cells; returns a function that ends it. */
  subscribe(take: (message: KernelMessage) => void): () => void;
}

/**
 * Starts a kernel in this process; cells run in a child process of it. Resolves at once: what is still loading is waited for by the
 * first cell.
 * @throws when `cwd` is not a folder
 */
export async function startInProcessKernel(options: KernelOptions = {}): Promise<Kernel> {
  const cwd = resolve(options.cwd ?? process.cwd());
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`startInProcessKernel: cwd must be a folder; there is none at ${cwd}.`);
  const transport = new InProcessTransport();
  transport.onInput = options.onInput;
  const session = new Session({
    transport,
    version,
    createRunner: (listener) =>
      new CellRunner(
        {
          packageRoot,
          root: cellRoot(cwd),
          ...(options.heapMb === undefined ? {} : { heapMb: options.heapMb }),
          ...(options.env === undefined ? {} : { env: options.env }),
        },
        listener,
      ),
    onShutdown: () => {},
    log: options.log ?? (() => {}),
  });
  const notOutputs = new Set(["status", "execute_input", "iopub_welcome", "shutdown_reply"]);

  return {
    execute(code, { silent = false, allowStdin = options.onInput !== undefined, timeout } = {}) {
      const queue = new MessageQueue();
      const id = globalThis.crypto.randomUUID();
      let timedOut = false;
      let timer: NodeJS.Timeout | undefined;
      const idle = new Promise<void>((resolve) => {
        const stop = transport.subscribe((message) => {
          if (message.parentId !== id) return;
          if (message.type === "status") {
            const state = message.content["execution_state"];
            if (state === "busy" && timeout !== undefined && timer === undefined)
              timer = setTimeout(() => {
                timedOut = true;
                void session.interrupt();
              }, timeout);
            if (state === "idle") {
              stop();
              clearTimeout(timer);
              queue.end();
              resolve();
            }
            return;
          }
          if (!notOutputs.has(message.type)) return queue.push(message);
        });
      });
      const { reply } = transport.request(
        "execute_request",
        { code, silent, store_history: !silent, allow_stdin: allowStdin, stop_on_error: true, user_expressions: {} },
        { id },
      );
      const toReply = async (): Promise<ExecuteReply> => {
        const { content } = await reply;
        await idle;
        return {
          status: content["status"] as ExecuteReply["status"],
          executionCount: content["execution_count"] as number,
          ...(content["status"] === "error"
            ? {
                ename: String(content["ename"]),
                evalue: String(content["evalue"]),
                traceback: content["traceback"] as string[],
              }
            : {}),
          ...(timedOut ? { timedOut } : {}),
        };
      };
      return { id, reply: toReply(), [Symbol.asyncIterator]: () => queue };
    },
    interrupt: () => session.interrupt(),
    async shutdown() {
      session.close();
      transport.close();
    },
    request: (type, content, buffers) => transport.request(type, content, buffers ? { buffers } : {}).reply,
    subscribe: (take) => transport.subscribe(take),
  };
}
