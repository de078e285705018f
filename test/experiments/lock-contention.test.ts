import { describe, expect, it } from "vitest";
import { estimate, lockContention, where } from "../../src/experiments/index.js";

describe("lock contention", () => {
  it("without an IOMMU does the published number of transactions: the calibration", async () => {
    const run = await lockContention.run({ variants: ["off"], cores: [16], replications: 2 });
    const off = estimate(run.rows, "throughput");
    expect(off.mean / 990_803).toBeGreaterThan(0.97);
    expect(off.mean / 990_803).toBeLessThan(1.03);
  });

  it("shares of a core's time sum to one in every row, and a pair takes the tree lock three times", async () => {
    const run = await lockContention.run({
      variants: ["strict", "deferred", "merged-deferred"],
      cores: [2],
      replications: 1,
    });
    for (const row of run.rows) {
      const sum = Object.entries(row).reduce(
        (s, [name, value]) => (name.startsWith("share: ") ? s + Number(value) : s),
        0,
      );
      expect(sum).toBeCloseTo(1, 9);
      const pairs = 2;
      expect(Math.abs(Number(row["allocator: a transaction"]) - 3 * pairs)).toBeLessThan(0.35);
    }
    const [deferred] = where(run.rows, { variant: "deferred" });
    expect(Math.abs(Number(deferred["async: a transaction"]) - 2)).toBeLessThan(0.2);
  });

  it.each([
    [{ cores: [99] }, /cores\.0: accepts a whole number of cores from 1 to 16/],
    [{ variants: ["fast"] }, /variants\.0: accepts off, .*strict/],
    [{ colour: "red" }, /colour/],
    [{ cores: [1, 2, 4, 8, 16], replications: 100, mapsPerSide: Array(20).fill(1) }, /at most 5000 runs/],
  ])("refuses %j, naming field and what is accepted", async (config, message) => {
    await expect(lockContention.run(config as never)).rejects.toThrow(message);
  });

  it("makes every figure from its rows", async () => {
    const run = await lockContention.run({ cores: [1, 2], replications: 1 });
    for (const name of Object.keys(lockContention.figures)) {
      const figure = run.figure(name);
      expect(figure.data.length, name).toBeGreaterThan(0);
      expect(figure.alt.length, name).toBeGreaterThan(20);
    }
  });
});
