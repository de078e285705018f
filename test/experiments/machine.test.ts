import { expect, test } from "vitest";
import {
  assumptionSweep,
  lineTransfer,
  lockScaling,
  lockTimeline,
  memoryLatency,
} from "../../src/experiments/index.js";
import { lockKinds } from "../../src/machine/index.js";

test("the staircase has the published steps, and says that they are calibration", async () => {
  const run = await memoryLatency.run({ sizesKiB: [32, 128, 1024], remote: false });
  expect(run.rows.map((r) => r["cycles"])).toEqual([4, 12, 30]);
  expect(run.claims.map((c) => c.verdict)).toEqual(["calibration", "calibration", "calibration"]);
  expect(run.figure("staircase").data).toHaveLength(1);
});

test("the transfer matrix is square, symmetric, and has three values", async () => {
  const run = await lineTransfer.run({ rounds: 20 });
  expect(run.rows).toHaveLength(32 * 31);
  const at = new Map(run.rows.map((r) => [`${r["cpu"]} ${r["other"]}`, r["cycles"]]));
  for (const r of run.rows) expect(at.get(`${r["other"]} ${r["cpu"]}`)).toBe(r["cycles"]);
  expect([...new Set(run.rows.map((r) => r["cycles"]))].sort((a, b) => Number(a) - Number(b))).toEqual([26, 94, 331]);
  for (const name of ["matrix", "published"]) expect(run.figure(name).caption).not.toBe("");
});

test("lock throughput: every kind at every number of cores, intervals around the means, both claims answered", async () => {
  const run = await lockScaling.run({ cores: [1, 6, 8, 16] });
  expect(run.rows).toHaveLength(4 * lockKinds.length);
  for (const r of run.rows) {
    expect(Number(r["throughputLow"])).toBeLessThanOrEqual(Number(r["throughput"]));
    expect(Number(r["throughputHigh"])).toBeGreaterThanOrEqual(Number(r["throughput"]));
  }
  const [h12, k28] = run.claims;
  expect([h12, k28].map(({ kind }) => kind)).toEqual(["predicted number", "simulated quantity"]);
  expect(h12.simulated?.mean).toBeLessThan(0.9);
  expect(h12.explanation).toContain("except at 16 cores");
  expect(k28.simulated?.low).toBeGreaterThan(1);
  expect(run.figure("throughput").data).toHaveLength(lockKinds.length + 1);
});

test("with long sections the published model of the ticket lock holds at every number of cores", async () => {
  const run = await lockScaling.run({ cores: [2, 8, 16], sectionCycles: 4000, thinkCycles: 20_000 });
  expect(run.claims[0].simulated?.mean).toBeGreaterThan(0.9);
  expect(run.claims[0].simulated?.mean).toBeLessThan(1.1);
  expect(run.claims[0].explanation).toContain("0.85 to 1.15 of the published Markov model's at every number of cores");
});

test("quick and full agree within their intervals", async () => {
  const quick = await lockScaling.run({ cores: [8], fidelity: "quick" });
  const full = await lockScaling.run({ cores: [8], fidelity: "full" });
  for (const [i, q] of quick.rows.entries()) {
    const f = full.rows[i];
    expect(Number(q["throughputLow"])).toBeLessThan(Number(f["throughputHigh"]));
    expect(Number(q["throughputHigh"])).toBeGreaterThan(Number(f["throughputLow"]));
  }
});

test("more cores than the host has give no row, and a wrong field is named", async () => {
  expect((await lockScaling.run({ cores: [1, 32] })).rows.every((r) => r["cores"] === 1)).toBe(true);
  await expect(lockScaling.run({ sectionCycles: 0 })).rejects.toThrow(/sectionCycles/);
});

test("a timeline shows who waits and who holds: never two holders at once", () => {
  for (const lock of lockKinds) {
    const holds = lockTimeline(lock).data[1] as { base: number[]; x: number[] };
    const spans = holds.base.map((from, i) => [from, from + holds.x[i]]).sort((a, b) => a[0] - b[0]);
    expect(spans.length).toBeGreaterThan(1);
    for (let i = 1; i < spans.length; i++) expect(spans[i][0]).toBeGreaterThanOrEqual(spans[i - 1][1]);
  }
  expect(() => lockTimeline("mutex")).toThrow(/there are test-and-set/);
});

test("at both ends of every assumption the ticket lock loses on two sockets what one socket had, and more than the queued lock", async () => {
  const run = await assumptionSweep.run();
  expect(run.rows.length).toBeGreaterThan(20);
  for (const row of run.rows.filter((r) => r["lock"] === "ticket")) {
    const queued = run.rows.find(
      (r) => r["lock"] === "queued" && r["assumption"] === row["assumption"] && r["end"] === row["end"],
    );
    expect(Number(row["keptHigh"])).toBeLessThan(85);
    expect(Number(row["keptHigh"])).toBeLessThan(Number(queued?.["keptLow"]));
  }
  expect(run.figure("kept").data).toHaveLength(2);
});
