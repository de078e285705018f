import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";
import { run } from "../jupyter/support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startInProcessKernel();
  await run(
    kernel,
    `import { readFile } from "node:fs/promises"; import http from "node:http"; let count = 0;
     const sleep = (ms: number) => new Promise<void>((r) => setTimeout(r, ms)); async function* steps() { for (;;) { await readFile("package.json"); yield 1 } }
     const server = http.createServer((_, a) => { setTimeout(() => a.end("x"), 200) }); await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
     const page = async () => (await fetch("http://127.0.0.1:" + (server.address() as { port: number }).port)).text()`,
  );
});
afterAll(() => kernel.shutdown());

it.each([
  ["reading files", 'for (;;) { await readFile("package.json"); count++ }'],
  ["a function that reads files", 'await (async () => { for (;;) { await readFile("package.json"); count++ } })()'],
  ["the steps of a generator", "for await (const _ of steps()) count++"],
  ["steps of a variable of the session", "for await (var step of steps()) count += step"],
  ["a page", "await page(); count++"],
  ["pages that are tried again", "for (;;) try { await page(); throw 1 } catch { count++ }"],
  ["a promise of an earlier cell", "await earlier; count++"],
  ["one that fails", "try { await failing } catch { count++ }"],
  ["timers that are set after it", "await page(); for (;;) { await sleep(1); count++ }"],
  [
    "a function that is called after it",
    "void page().then(() => { setInterval(() => count++, 1) }); await new Promise(() => {})",
  ],
])("a cell that was interrupted while it waited for %s does not go on", async (_, code) => {
  await run(
    kernel,
    `var release = () => {}; var earlier = new Promise<void>((resolve) => { release = resolve });
     var failing = earlier.then(() => { throw new Error("late") }); failing.catch(() => {}); count = 0`,
  );
  const execution = kernel.execute(`console.log("on"); ${code}`);
  for await (const { type } of execution) if (type === "stream") setTimeout(() => void kernel.interrupt(), 50);
  expect((await execution.reply).ename).toBe("KeyboardInterrupt");
  const { result } = await run(kernel, "const before = count; release(); await sleep(400); count - before");
  expect(result).toBe("0");
});

it("what an earlier cell has begun goes on", async () => {
  await run(
    kernel,
    "count = 0; const begun = (async () => { for (;;) { await readFile('package.json'); count++ } })(); 0",
  );
  const execution = kernel.execute('console.log("on"); await new Promise(() => {})');
  for await (const { type } of execution) if (type === "stream") setTimeout(() => void kernel.interrupt(), 50);
  expect((await execution.reply).ename).toBe("KeyboardInterrupt");
  expect((await run(kernel, "const seen = count; await sleep(100); count > seen")).result).toBe("true");
});

it.each([
  [
    "promises and values",
    "[await 1, await Promise.resolve(2), await { then(r: (n: number) => void) { r(3) } }]",
    "[ 1, 2, 3 ]",
  ],
  ["steps of values and promises", "let sum = 0; for await (const n of [1, Promise.resolve(2)]) sum += n; sum", "3"],
  [
    "a generator that is left",
    "let left = false; async function* two() { try { yield 1; yield 2 } finally { left = true } } for await (const n of two()) break; left",
    "true",
  ],
  [
    "a failure that is caught",
    "let got = ''; try { await Promise.reject(new Error('no')) } catch (e) { got = (e as Error).message } got",
    "'no'",
  ],
])("a cell waits for %s as JavaScript does", async (_, code, expected) => {
  expect((await run(kernel, code)).result).toBe(expected);
});
