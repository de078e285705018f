import { describe, expect, test } from "vitest";
import { flushing, inferMissNs } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const basis = basisOf(published);

describe("what to flush", () => {
  test("one flush of the domain takes more packets than a command a page, and answers the mails' questions", async () => {
    const run = await flushing.run({
      variants: ["flush-pages", "flush-domain"],
      ats: [false],
      gbps: [100],
      cores: [4],
      replications: 2,
    });
    expect(run.rows).toHaveLength(4);
    const mean = (name: string) =>
      run.rows.filter((row) => row.variant === name).reduce((sum, row) => sum + row.inGbps / 2, 0);
    expect(mean("flush-domain")).toBeGreaterThan(2 * mean("flush-pages"));
    for (const row of run.rows) {
      expect([row.stale, row.faults]).toEqual([0, 0]);
      // A walk's time is what its reads take; a miss waits at least about that long.
      expect(row.walkNs).toBeCloseTo(row.walkReads * 197, -1);
      expect(row.inferredByOccupancy / row.walkNs).toBeGreaterThan(0.97);
      expect(row.inferredByOccupancy / row.walkNs).toBeLessThan(1.03);
    }
    const verdicts = Object.fromEntries(run.claims.map(({ id, verdict }) => [id, verdict]));
    expect(verdicts["flush-everything"]).toBe("holds");
    expect(verdicts["visibility"]).not.toBe("not answered");
    for (const name of ["delivered", "misses", "time", "visibility"])
      expect(run.figure(name).data.length).toBeGreaterThan(0);
  });

  test("a claim that the rows do not answer says what it needs", async () => {
    const run = await flushing.run({ variants: ["off"], ats: [false], gbps: [10], cores: [1], replications: 1 });
    expect(run.claims.map(({ verdict }) => verdict)).toEqual(["not answered", "not answered", "not answered"]);
  });

  test("the counters' inference is Little's law: occupancy over walks, and a wait that grows with the walkers' load", () => {
    const [{ run }] = flushing.points(flushing.parse({ variants: ["flush-domain"], walkers: 4 }), basis);
    const counters = {
      iommu_clocks: 1000,
      iotlb_lookup: 30,
      iotlb_hit: 20,
      ss_nonleaf_lookup: 10,
      ss_nonleaf_hit: 10,
      iommu_mrds: 15,
      pw_occupancy: 3000,
    };
    const { inferredByOccupancy, inferredByReads, inferredWithQueue } = inferMissNs(counters, run);
    expect(inferredByOccupancy).toBe(300);
    expect(inferredByReads).toBeCloseTo(1.5 * 197);
    // Three of four walkers busy: 0.75^(√10 − 1) / (2 · 4 · 0.25) more.
    expect(inferredWithQueue).toBeCloseTo(300 * (1 + 0.75 ** (Math.sqrt(10) - 1) / 2), 2);
    expect(inferMissNs({ ...counters, pw_occupancy: 3900 }, run).inferredWithQueue).toBeGreaterThan(600);
  });
});
