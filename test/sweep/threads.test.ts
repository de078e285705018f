import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
// The built code: a worker thread runs that, too.
import { WorkerPool, type WorkerPoolOptions } from "../../dist/sweep/worker-pool.js";

interface Errand {
  ms?: number;
  fail?: string;
  exit?: number;
  answer?: unknown;
}

const script = new URL("./errands.mjs", import.meta.url).href;

/** Has errands run by a pool of their own; the answers in order. */
async function send<T = number>(
  errands: Errand[],
  options: Partial<WorkerPoolOptions> = {},
  by = script,
): Promise<T[]> {
  const pool = new WorkerPool<Errand, T>(by, { jobs: 2, keep: true, ...options });
  try {
    return await Promise.all(errands.map((errand, i) => pool.run(errand, `errand ${i}`)));
  } finally {
    await pool.end();
  }
}
const times = (n: number, errand: Errand = {}): Errand[] => Array.from({ length: n }, () => errand);
const different = (ids: number[]): number[] => [...new Set(ids)].toSorted((a, b) => a - b);

/** A script by another name, whose threads nobody has. */
const fresh = (name: string): string => `${script}?${name}`;

test("threads stay for the next call, which starts none", async () => {
  const by = fresh("kept");
  const first = different(await send(times(6, { ms: 100 }), {}, by));
  expect(first).toHaveLength(2);
  let started = 0;
  const count = () => started++;
  process.on("worker", count);
  expect(different(await send(times(6, { ms: 100 }), {}, by))).toEqual(first);
  process.off("worker", count);
  expect(started).toBe(0);
});

test("a call for fewer threads keeps fewer, one for more starts what is missing; no more are at work than were asked for", async () => {
  const by = fresh("resized");
  const three = different(await send(times(6, { ms: 300 }), { jobs: 3 }, by));
  expect(three).toHaveLength(3);
  const one = different(await send(times(3), { jobs: 1 }, by));
  expect(one).toHaveLength(1);
  expect(three).toContain(one[0]);
  const two = different(await send(times(4, { ms: 300 }), { jobs: 2 }, by));
  expect(two).toHaveLength(2);
  expect(two).toContain(one[0]);
  expect(three).not.toContain(two.find((id) => id !== one[0]));
});

test("one task alone takes one thread, and the others stay", async () => {
  const by = fresh("one");
  const two = different(await send(times(4, { ms: 100 }), {}, by));
  const [one] = await send([{}], {}, by);
  expect(two).toContain(one);
  expect(different(await send(times(4, { ms: 100 }), {}, by))).toEqual(two);
});

test("two calls at once have threads of their own, and each its own answers", async () => {
  const by = fresh("both");
  const [a, b] = await Promise.all([send(times(4, { ms: 100 }), {}, by), send(times(4, { ms: 100 }), {}, by)]);
  expect(different(a).filter((id) => b.includes(id))).toEqual([]);
  const named = (name: string) => Array.from({ length: 5 }, (_, i) => ({ answer: `${name}${i}` }));
  const both = await Promise.all([send(named("a"), {}, by), send(named("b"), { jobs: 1 }, by)]);
  expect(both).toEqual([named("a").map(({ answer }) => answer), named("b").map(({ answer }) => answer)]);
});

test("a call that must not share has new threads, and leaves none", async () => {
  const by = fresh("own");
  const kept = await send([{}], {}, by);
  const [own] = await send([{}], { keep: false }, by);
  expect(kept).not.toContain(own);
  expect(await send([{}], {}, by)).toEqual(kept);
});

test("an interruption ends what is under way at once; the next call works, with new threads", async () => {
  const by = fresh("interrupted");
  const before = different(await send(times(4, { ms: 100 }), {}, by));
  const interrupt = new AbortController();
  let at = 0;
  const running = send(times(20, { ms: 60_000 }), { signal: interrupt.signal }, by);
  setTimeout(() => {
    at = performance.now();
    interrupt.abort(new Error("enough"));
  }, 300);
  await expect(running).rejects.toThrow("enough");
  // Half a second, and what a busy machine adds.
  expect(performance.now() - at).toBeLessThan(5000);
  const [after] = await send([{}], {}, by);
  expect(before).not.toContain(after);
  await expect(send([{}], { signal: interrupt.signal }, by)).rejects.toThrow("enough");
});

test("an interruption during one call leaves another's threads alone", async () => {
  const by = fresh("side by side");
  const interrupt = new AbortController();
  const ended = send([{ ms: 60_000 }], { signal: interrupt.signal, jobs: 1 }, by);
  const other = send(times(2, { ms: 500 }), { jobs: 1 }, by);
  setTimeout(() => interrupt.abort(new Error("enough")), 300);
  await expect(ended).rejects.toThrow("enough");
  expect(different(await other)).toHaveLength(1);
});

test("a thread that ends breaks its call alone, and the error says what it did", async () => {
  const by = fresh("broken");
  await expect(send([{}, { exit: 3 }, {}], { jobs: 1 }, by)).rejects.toThrow(
    "errand 1: the worker thread that computed it ended itself (exit code 3).",
  );
  expect(await send([{ answer: "well" }], { jobs: 1 }, by)).toEqual(["well"]);
});

test("a task that throws breaks its call; its thread goes on to serve the next", async () => {
  const by = fresh("failing");
  const [kept] = await send([{}], {}, by);
  await expect(send([{ fail: "no apples" }, ...times(50, { ms: 60_000 })], { jobs: 1 }, by)).rejects.toThrow(
    "no apples",
  );
  expect(await send([{}], {}, by)).toEqual([kept]);
});

test("a task that cannot be sent is refused, and costs no thread", async () => {
  const by = fresh("unsendable");
  const [kept] = await send([{}], {}, by);
  await expect(send([{ answer: () => 1 }], {}, by)).rejects.toThrow("could not be cloned");
  expect(await send([{}], {}, by)).toEqual([kept]);
});

test("a module that cannot be loaded is said", async () => {
  const missing = new URL("./no-such-errands.mjs", import.meta.url).href;
  await expect(send([{}], {}, missing)).rejects.toThrow(/errand 0: .*failed \(.*no-such-errands/);
});

test("a thread without work ends after a while, one with work does not", async () => {
  const by = fresh("tired");
  process.env["ERRANDS_IDLE_MS"] = "400";
  const gone = new Set<number>();
  const watch = (worker: import("node:worker_threads").Worker) => {
    const id = worker.threadId;
    worker.once("exit", () => gone.add(id));
  };
  process.on("worker", watch);
  const [first] = await send([{}], {}, by);
  delete process.env["ERRANDS_IDLE_MS"];
  expect(await send([{ ms: 1000 }], {}, by)).toEqual([first]);
  expect(gone.has(first)).toBe(false);
  await expect.poll(() => gone.has(first), { timeout: 20_000 }).toBe(true);
  process.off("worker", watch);
  expect(await send([{}], {}, by)).not.toEqual([first]);
});

test("a thread that runs out of memory breaks its call alone, and kept threads hold no process", () => {
  const child = fileURLToPath(new URL("./threads-child.mjs", import.meta.url));
  const began = performance.now();
  const { stdout, status } = spawnSync(process.execPath, ["--max-old-space-size=60", child], { encoding: "utf8" });
  expect(stdout).toBe("first\nan errand: the worker thread that computed it ran out of memory.\nlast\n");
  expect(status).toBe(0);
  // Far below the minute that a thread waits for work.
  expect(performance.now() - began).toBeLessThan(30_000);
});
