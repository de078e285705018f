import { afterAll, beforeAll, expect, it } from "vitest";
import type { Kernel, KernelMessage } from "../../src/jupyter/index.js";
import { run, startKernel } from "./support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel({ heapMb: 128 });
});
afterAll(() => kernel.shutdown());

/** The next message of a type that any cell publishes. */
const published = (type: string): Promise<KernelMessage> =>
  new Promise((resolve) => {
    const stop = kernel.subscribe((message) => {
      if (message.type !== type) return;
      stop();
      resolve(message);
    });
  });

it("process.exit in a cell is an error, and every variable is kept", async () => {
  await run(kernel, "const kept = 7");
  expect((await run(kernel, "process.exit(3)")).evalue).toMatch(/^process\.exit\(3\) was called/);
  expect((await run(kernel, "kept")).result).toBe("7");
});

it("a cell that ends the process loses the variables, says which, and the next cell runs", async () => {
  await run(kernel, "const lost = 1; const alsoLost = 2");
  const { ename, evalue } = await run(kernel, 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})');
  expect(ename).toBe("ExecutorDied");
  expect(evalue).toMatch(/\(SIGKILL\).*All variables are lost: .*lost, alsoLost/);
  expect((await run(kernel, "lost")).evalue).toMatch(/^TS2304/);
  expect((await run(kernel, "1 + 1")).result).toBe("2");
});

it("a cell that runs out of memory says so, and the next cell runs", async () => {
  const { evalue } = await run(kernel, "const hoard: number[][] = []; for (;;) hoard.push(new Array(1e4).fill(1.5))");
  expect(evalue).toMatch(/ran out of memory/);
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it("an error in a timer and a rejection nobody handles are shown under the cell that made them", async () => {
  const error = published("error");
  const { executionCount } = await run(kernel, "setTimeout(() => { throw new RangeError('late') }, 20)");
  const { content } = await error;
  expect([content["ename"], content["evalue"]]).toEqual(["RangeError", "late"]);
  expect(String((content["traceback"] as string[]).join("\n"))).toContain(`cell [${executionCount}]:1:26`);
  const { messages } = await run(kernel, "void Promise.reject(new Error('unhandled'))");
  expect(messages.map(({ type, content }) => [type, content["evalue"]])).toEqual([["error", "unhandled"]]);
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it("a flood of 100 MB arrives in full, and the next cell runs", async () => {
  const execution = kernel.execute(
    'const line = "x".repeat(999) + "\\n"; for (let i = 0; i < 1e5; i++) process.stdout.write(line)',
  );
  let bytes = 0;
  for await (const { content } of execution) bytes += String(content["text"]).length;
  expect((await execution.reply).status).toBe("ok");
  expect(bytes).toBe(1e8);
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it("a cell that never yields runs into its time limit, and the next cell runs", async () => {
  const execution = kernel.execute("let turns = 0; while (true) turns++;", { timeout: 1500 });
  const reply = await execution.reply;
  expect([reply.ename, reply.timedOut]).toEqual(["KeyboardInterrupt", true]);
  expect((await run(kernel, "turns > 0")).result).toBe("true");
});

it("code that removes signal handlers and replaces timers can still be interrupted", async () => {
  await run(
    kernel,
    'process.removeAllListeners("SIGINT"); globalThis.setTimeout = (() => 0) as never; globalThis.setImmediate = (() => 0) as never;',
  );
  expect((await run(kernel, "while (true) {}", { timeout: 1500 })).ename).toBe("KeyboardInterrupt");
  expect((await run(kernel, "await new Promise(() => {})", { timeout: 1500 })).ename).toBe("KeyboardInterrupt");
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it("a cell that waits for a child process can be interrupted, and the child's own children end too", async () => {
  const waiting = kernel.execute(
    'import { execSync } from "node:child_process"; console.log("on"); execSync("sleep 60; true")',
  );
  for await (const { type } of waiting) if (type === "stream") void kernel.interrupt();
  const { ename, evalue } = await waiting.reply;
  expect(`${ename}: ${evalue}`).toMatch(/^KeyboardInterrupt|^Error: Command failed/);
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it("a comm message that meets an interrupt is delivered once", async () => {
  await run(
    kernel,
    'let heard: unknown[] = []; lab.comm.registerTarget("test", (comm) => { comm.onMessage = (data) => { heard.push(data); comm.send({ echo: data }) } })',
  );
  void kernel.request("comm_open", { comm_id: "c1", target_name: "test", data: {} });
  const looping = kernel.execute("while (true) {}");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const echo = published("comm_msg");
  void kernel.request("comm_msg", { comm_id: "c1", data: 5 });
  await kernel.interrupt();
  await looping.reply;
  expect((await echo).content["data"]).toEqual({ echo: 5 });
  expect((await run(kernel, "heard")).result).toBe("[ 5 ]");
});

it("an unknown target is answered with a close, and an open comm is listed", async () => {
  const close = published("comm_close");
  void kernel.request("comm_open", { comm_id: "c2", target_name: "nobody", data: {} });
  expect((await close).content["comm_id"]).toBe("c2");
  const { content } = await kernel.request("comm_info_request", { target_name: "test" });
  expect(content["comms"]).toEqual({ c1: { target_name: "test" } });
});
