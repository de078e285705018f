import { afterAll, beforeAll, expect, it } from "vitest";
import type { Kernel, KernelMessage } from "../../src/jupyter/index.js";
import { startInProcessKernel } from "../../src/jupyter/index.js";
import { run } from "./support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startInProcessKernel({ onInput: async () => "" });
});
afterAll(() => kernel.shutdown());

/** Starts something in one cell, waits in another, and gives what belongs to the first. */
async function late(code: string): Promise<string[]> {
  const heard: string[] = [];
  const first = kernel.execute(code);
  const stop = kernel.subscribe(({ type, parentId, content }: KernelMessage) => {
    if (type !== "stream" && type !== "error") return;
    heard.push(`${parentId === first.id ? "own" : "other"}: ${content["text"] ?? content["evalue"]}`);
  });
  await first.reply;
  await run(kernel, "await new Promise((r) => setTimeout(r, 250))");
  stop();
  return heard.map((line) => line.trim());
}

it.each([
  ["a timer", 'setTimeout(() => console.log("here"), 50);'],
  ["an interval", 'const i = setInterval(() => { clearInterval(i); console.log("here") }, 50);'],
  [
    "code after an await",
    'void (async () => { await new Promise((r) => setTimeout(r, 50)); await null; console.log("here") })();',
  ],
  ["a promise's callback", 'void new Promise((r) => setTimeout(r, 50)).then(() => console.log("here"));'],
  ["a microtask of a timer", 'setTimeout(() => queueMicrotask(() => console.log("here")), 50);'],
  ["a tick of a timer", 'setTimeout(() => process.nextTick(() => console.log("here")), 50);'],
  [
    "a file that was read",
    'import { readFile } from "node:fs/promises"; void (async () => { await new Promise((r) => setTimeout(r, 50)); await readFile("package.json"); console.log("here") })();',
  ],
])("what %s prints while another cell runs belongs to the cell that began it", async (_, code) => {
  expect(await late(code)).toEqual(["own: here"]);
});

it.each([
  ["an error in a timer", 'setTimeout(() => { throw new Error("here") }, 50);'],
  ["a rejection", 'void (async () => { await new Promise((r) => setTimeout(r, 50)); throw new Error("here") })();'],
  ["an error of another cell's function", "setTimeout(shared, 50);"],
])("%s while another cell runs belongs to the cell that began it, and the other is well", async (_, code) => {
  await run(kernel, 'function shared() { throw new Error("here") }');
  expect(await late(code)).toEqual(["own: here"]);
  expect((await run(kernel, "1")).status).toBe("ok");
});

it.each([
  ["a promise that nobody waits for", 'Promise.reject(new Error("unawaited")); 5'],
  ["an async function that nobody waits for", 'void (async () => { throw new Error("unawaited") })(); 5'],
  [
    "a timer during the cell",
    'setTimeout(() => { throw new Error("unawaited") }, 10); await new Promise((r) => setTimeout(r, 80))',
  ],
])("an error of %s is an error of its cell, and is shown once", async (_, code) => {
  const { status, evalue, messages } = await run(kernel, code);
  expect([status, evalue]).toEqual(["error", "unawaited"]);
  expect(messages.filter(({ type }) => type === "error").length).toBe(1);
});

it("where nobody watches, a cell waits a moment for its own timers", async () => {
  const { status, evalue } = await run(kernel, 'setTimeout(() => { throw new Error("late") }, 80); 1', {
    allowStdin: false,
  });
  expect([status, evalue]).toEqual(["error", "late"]);
  const began = performance.now();
  await run(kernel, "setTimeout(() => {}, 600_000); setInterval(() => {}, 100).unref(); 1", { allowStdin: false });
  expect(performance.now() - began).toBeLessThan(5000);
});
