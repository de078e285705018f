import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";
import { run, runNext } from "../jupyter/support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startInProcessKernel();
  await run(kernel, "let kept = 1");
});
afterAll(() => kernel.shutdown());

/** Runs a cell, interrupts it a moment after its first output, and returns how long that took. */
async function interrupted(code: string, afterMs = 100): Promise<number> {
  const execution = kernel.execute(code);
  let sent = 0;
  const interrupt = () => {
    sent = performance.now();
    void kernel.interrupt();
  };
  let timer: NodeJS.Timeout | undefined;
  for await (const _ of execution) if (!timer) timer = setTimeout(interrupt, afterMs);
  expect((await execution.reply).ename).toBe("KeyboardInterrupt");
  return performance.now() - sent;
}

const flood = (what: string) => `console.log("on"); const filler = "x".repeat(10_000); for (let i = 0; ; i++) ${what}`;
const looping = (schedule: string) =>
  `console.log("on"); const loop = () => { while (true) {} }; for (let i = 0; i < 100; i++) ${schedule}; await new Promise(() => {})`;

it.each([
  ["displays", flood("lab.display(filler + i)")],
  ["updates of one display", `const shown = lab.display(0); ${flood("shown.update(filler + i)")}`],
  ["HTML", flood("lab.html(filler)")],
  ["comm messages", `const comm = lab.comm.open("nobody"); ${flood("comm.send({ filler })")}`],
  ["cleared output", flood("lab.clear()")],
  ["a hundred timers that loop", looping("setTimeout(loop, 5)")],
  ["a hundred intervals that loop", looping("setInterval(loop, 5)")],
  ["a hundred immediates that loop", looping("setImmediate(loop)")],
  ["a hundred ticks that loop", looping("process.nextTick(loop)")],
  ["a hundred promises that loop", looping("Promise.resolve().then(loop)")],
  [
    "a hundred messages that loop",
    `const { port1, port2 } = new MessageChannel(); port2.on("message", () => { while (true) {} }); console.log("on");
     for (let i = 0; i < 100; i++) port1.postMessage(i); await new Promise(() => {})`,
  ],
  [
    "a hundred channels whose messages loop",
    looping('{ const { port1, port2 } = new MessageChannel(); port2.on("message", loop); port1.postMessage(i) }'),
  ],
  [
    "a hundred messages of a channel between pages that loop",
    `const from = new BroadcastChannel("a"), to = new BroadcastChannel("a"); to.addEventListener("message", () => { while (true) {} });
     console.log("on"); for (let i = 0; i < 100; i++) from.postMessage(i); await new Promise(() => {})`,
  ],
  [
    "a hundred messages of a thread that loop",
    `const { Worker } = await import("node:worker_threads"); const thread = new Worker(
     'for (let i = 0; i < 100; i++) require("worker_threads").parentPort.postMessage(i); setInterval(() => {}, 1e5)', { eval: true });
     thread.on("message", () => { while (true) {} }); console.log("on"); await new Promise(() => {})`,
  ],
  [
    "a hundred requests to a server that loop",
    `const { createServer, get } = await import("node:http"); const server = createServer(() => { while (true) {} });
     await new Promise<void>((r) => server.listen(0, r)); const { port } = server.address() as { port: number }; console.log("on");
     for (let i = 0; i < 100; i++) get({ port, agent: false }).on("error", () => {}); await new Promise(() => {})`,
  ],
])("%s are interrupted, and every variable is kept", async (name, code) => {
  const ms = await interrupted(`kept++; ${code.replaceAll("const ", "var ")}`);
  // Far from the point where the process would be replaced, on a busy machine too.
  expect(ms, name).toBeLessThan(10_000);
  expect(await runNext(kernel, "kept > 1")).toBe("true");
});

it("timers of an earlier cell that were due during an interrupt still come", async () => {
  await run(kernel, "let ticks = 0; const ticking = setInterval(() => ticks++, 10); var once = 0;");
  await run(kernel, "setTimeout(() => once++, 250); 0");
  await interrupted('console.log("on"); while (true) {}', 400);
  await run(kernel, "const earlier = ticks; await new Promise((r) => setTimeout(r, 100))");
  expect((await run(kernel, "clearInterval(ticking); [once, ticks > earlier]")).result).toBe("[ 1, true ]");
});

it("messages between the ports of an earlier cell that come during an interrupt still arrive, in order", async () => {
  await run(
    kernel,
    `var got: number[] = []; const { port1: mine, port2: yours } = new MessageChannel(); yours.on("message", (n) => got.push(n)); yours.unref();
     setTimeout(() => { for (let i = 0; i < 5; i++) mine.postMessage(i) }, 250); 0`,
  );
  await interrupted('console.log("on"); while (true) {}', 400);
  expect((await run(kernel, "await new Promise((r) => setTimeout(r, 100)); got")).result).toBe("[ 0, 1, 2, 3, 4 ]");
});

it("after timers of an ended cell that loop, one interrupt is enough", async () => {
  await run(kernel, "for (let i = 0; i < 50; i++) setTimeout(() => { while (true) {} }, 100); 0", { allowStdin: true });
  await new Promise((resolve) => setTimeout(resolve, 400));
  await kernel.interrupt();
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});

it.each([
  [
    "an object whose inspection throws",
    'throw { [Symbol.for("nodejs.util.inspect.custom")]() { throw { toString() { throw 1 } } } }',
  ],
  ["a proxy that throws at every touch", "throw new Proxy({}, new Proxy({}, { get() { throw new Error('no') } }))"],
  [
    "an error whose stack throws",
    "throw Object.defineProperty(new Error('x'), 'stack', { get() { throw new Error('no') } })",
  ],
  ["an error with a message of 100 MB", 'throw new Error("x".repeat(1e8))'],
  ["a symbol", "throw Symbol('s')"],
  ["nothing", "throw undefined"],
])("a cell that throws %s ends with an error", async (_, code) => {
  const { status, evalue } = await run(kernel, code);
  expect(status).toBe("error");
  expect(evalue.length).toBeLessThan(30_000);
  expect((await run(kernel, "'next'")).result).toBe("'next'");
});
