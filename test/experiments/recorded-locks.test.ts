import { describe, expect, it } from "vitest";
import { lockContention } from "../../src/experiments/index.js";

describe("lock-contention with a recording in place of TCP_RR", () => {
  it("has a row for each way of mapping, rate and stretch, and answers no sentence about TCP_RR", async () => {
    const run = await lockContention.run({
      trace: "igb",
      variants: ["off", "deferred"],
      cores: [4],
      rates: [1, 100_000],
      replications: 1,
    });
    expect(run.rows.map(({ variant, rate, cores }) => [variant, rate, cores])).toEqual([
      ["off", 1, 4],
      ["off", 100_000, 4],
      ["deferred", 1, 4],
      ["deferred", 100_000, 4],
    ]);
    const [off, , slow, fast] = run.rows;
    expect(off["allocator: a transaction"]).toBe(0);
    // A map and its unmap take the tree's lock three times, at any rate; only where they come fast do they wait for it.
    for (const row of [slow, fast]) expect(row["allocator: a transaction"]).toBeCloseTo(3, 0);
    expect([slow["allocator: contended"] < 0.01, fast["allocator: contended"] > 0.1]).toEqual([true, true]);
    expect(fast.throughput / slow.throughput).toBeGreaterThan(100);
    expect(run.claims).toEqual([]);
  });

  it("leaves the points of TCP_RR as they are", () => {
    const points = lockContention.points(lockContention.parse({ variants: ["off"], cores: [1], replications: 1 }));
    expect(points.map((point) => "load" in point)).toEqual([false]);
  });

  it("says which recordings there are, and that TCP_RR has no rate", () => {
    expect(() => lockContention.parse({ trace: "nope" })).toThrow(/trace: accepts igb, vmxnet3/);
    expect(() => lockContention.parse({ rates: [2] })).toThrow(/rates: accepts nothing without a trace/);
  });
});
