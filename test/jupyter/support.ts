import { stripVTControlCharacters } from "node:util";
import { type ExecuteOptions, type Kernel, type KernelMessage, startInProcessKernel } from "../../src/jupyter/index.js";

/** What a cell gave: how it ended, its messages, and the parts that most tests look at. */
export interface CellResult {
  status: string;
  executionCount: number;
  ename: string;
  evalue: string;
  traceback: string;
  messages: KernelMessage[];
  stdout: string;
  stderr: string;
  /** The last expression as text. */
  result: string | undefined;
  /** The last expression's bundle. */
  data: Record<string, unknown>;
}

/** Runs a cell to its end. */
export async function run(kernel: Kernel, code: string, options?: ExecuteOptions): Promise<CellResult> {
  const execution = kernel.execute(code, options);
  const messages: KernelMessage[] = [];
  for await (const message of execution) messages.push(message);
  const reply = await execution.reply;
  const stream = (name: string) =>
    messages
      .filter(({ type, content }) => type === "stream" && content["name"] === name)
      .map(({ content }) => String(content["text"]))
      .join("");
  const data = (messages.find(({ type }) => type === "execute_result")?.content["data"] ?? {}) as Record<
    string,
    unknown
  >;
  return {
    status: reply.status,
    executionCount: reply.executionCount,
    ename: reply.ename ?? "",
    evalue: reply.evalue ?? "",
    traceback: stripVTControlCharacters((reply.traceback ?? []).join("\n")),
    messages,
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    result: data["text/plain"] as string | undefined,
    data,
  };
}

/** A kernel for tests. */
export const startKernel: typeof startInProcessKernel = startInProcessKernel;

/**
 * Runs the cell after an interrupted one. What comes only after the interrupt has settled begins in this cell, and takes an interrupt of its own:
 * it gets one where nothing has answered for two seconds.
 */
export async function runNext(kernel: Kernel, code: string): Promise<string | undefined> {
  for (;;) {
    const late = setTimeout(() => void kernel.interrupt(), 2000);
    const { status, ename, result } = await run(kernel, code);
    clearTimeout(late);
    if (status === "ok") return result;
    if (ename !== "KeyboardInterrupt") throw new Error(`The cell after an interrupted one ended with ${ename}.`);
  }
}
