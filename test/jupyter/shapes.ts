/** The shapes of code that an interrupt must stop. Each says "on" when it is where it should be interrupted. */
export const shapes: Record<string, string> = {
  "an endless loop": 'console.log("on"); while (true) {}',
  "an await that never resolves": 'console.log("on"); await new Promise(() => {});',
  "a loop after an await": 'await new Promise((r) => setTimeout(r, 5)); console.log("on"); while (true) {}',
  "a loop in a timer": 'await new Promise((r) => { setTimeout(() => { console.log("on"); while (true) {} }, 5); });',
  "try, catch and finally inside a loop":
    'console.log("on"); while (true) { try { JSON.parse("{"); } catch { } finally { for (let i = 0; i < 1e4; i++); } }',
  "an endless async generator":
    'async function* endless() { let i = 0; while (true) yield i++; }\nconsole.log("on"); for await (const _ of endless()) { }',
  "a flood of output": 'console.log("on"); for (;;) console.log("line of a flood");',
  "a worker pool in the middle of a sweep":
    'import { Worker } from "node:worker_threads";\n' +
    'const pool = [1, 2].map(() => new Worker("while (true) {}", { eval: true }));\n' +
    'console.log("on"); await Promise.all(pool.map((w) => new Promise((r) => w.once("exit", r))));',
  "a worker pool of an earlier cell":
    "for (const worker of earlier) worker.postMessage(0);\n" +
    'console.log("on"); await Promise.all(earlier.map((w) => new Promise((r) => w.once("exit", r))));',
  "a loop over timers": 'console.log("on"); for (;;) await new Promise((r) => setTimeout(r, 1));',
  "a chain of promises":
    'console.log("on"); const again = (): Promise<void> => Promise.resolve().then(again); await again();',
};

/** Cells that run before some of them. */
export const before: Record<string, string> = {
  "a worker pool of an earlier cell":
    'import { Worker as Thread } from "node:worker_threads";\n' +
    'const code = \'require("node:worker_threads").parentPort.on("message", () => { while (true) {} })\';\n' +
    "const earlier = [1, 2].map(() => new Thread(code, { eval: true }));\n" +
    'await Promise.all(earlier.map((w) => new Promise((r) => w.once("online", r))));',
};

/** A cell that takes the type checker a while; it is interrupted before any of it runs. */
export const slowToCompile = (n: number): string =>
  Array.from(
    { length: 300 },
    (_, i) =>
      `type T${n}_${i} = { [K in "a${i}" | "b"]: K }; const c${n}_${i}: T${n}_${i} = { a${i}: "a${i}", b: "b" };`,
  ).join("\n");
