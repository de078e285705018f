import { expect, test } from "vitest";
// The built code: a worker thread runs that, too.
import { mergedNodes } from "../../dist/experiments/index.js";
import { sensitivity } from "../../dist/sweep/index.js";

const spec = {
  output: "recovered",
  base: {
    parts: ["recovery"],
    policies: ["deferred"],
    replications: 1,
    warmup: 250,
    transactions: 750,
    assume: { rxRing: 256 },
  },
  ranges: {
    "assume.stack": { low: 0.5, high: 2 },
    "assume.staticMaps": { low: 0, high: 4096, whole: true },
    "assume.profile": ["transmit", "both"],
    seed: { low: 1, high: 4, whole: true },
  },
  trajectories: 3,
};

test("of what merging gives back, the driver profile and the stack work move much, and static maps no more than chance", async () => {
  const done: number[] = [];
  const { effects, figure, runs } = await sensitivity(mergedNodes, spec, { onProgress: (n) => done.push(n) });
  expect(runs).toBe(15);
  expect(done.length).toBeGreaterThan(20);
  const size = (parameter: string) => effects.find((e) => e.parameter === parameter)?.size.mean ?? Number.NaN;
  const noise = Math.max(size("seed"), size("assume.staticMaps"));
  expect(size("assume.profile")).toBeGreaterThan(3 * noise);
  expect(size("assume.stack")).toBeGreaterThan(2 * noise);
  expect(size("seed")).toBeGreaterThan(0);
  const { ticktext } = figure.layout["yaxis"] as { ticktext: string[] };
  expect(ticktext).toContain("assume.profile (transmit, both)");
  expect(ticktext).toContain("assume.stack (0.5 … 2)");
  expect(figure.data.map((trace) => trace["name"])).toEqual([
    "size of the effect",
    "spread of the effect",
    "chance alone",
  ]);
});

test("is interrupted, and refuses an output or a choice that is none", async () => {
  const interrupt = new AbortController();
  const onProgress = (done: number) => done === 2 && interrupt.abort(new Error("enough"));
  await expect(sensitivity(mergedNodes, spec, { onProgress, signal: interrupt.signal })).rejects.toThrow("enough");
  await expect(sensitivity(mergedNodes, { ...spec, output: "speed" })).rejects.toThrow(
    'output: merged-nodes has no "speed"; it has recovered, gain, level, stock.',
  );
  await expect(sensitivity(mergedNodes, { ...spec, ranges: { "assume.lock": ["ticket"] } })).rejects.toThrow(
    "assume.lock: two or more choices",
  );
  await expect(
    sensitivity(mergedNodes, { ...spec, ranges: { "assume.cores": { low: 1, high: 99, whole: true } } }),
  ).rejects.toThrow(/assume\.cores/);
});
