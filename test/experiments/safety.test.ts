import { describe, expect, test } from "vitest";
import { safety } from "../../src/experiments/index.js";

describe("what is still in reach after an unmap", () => {
  test("strict nothing, deferred both kinds, strict-ish the owner's only; and each has its place in both figures", async () => {
    const variants = ["magazines-strict", "magazines-deferred", "strict-ish"];
    const run = await safety.run({ variants, cores: [2], replications: 2 });
    expect(run.rows).toHaveLength(6);
    const of = (name: string) => run.rows.filter((row) => row.variant === name);
    for (const row of of("magazines-strict")) {
      expect([row.stalePages, row.ownerPages, row.otherPages, row["owner: 0"], row["other: 100"]]).toEqual([
        0, 0, 0, 0, 0,
      ]);
      expect(row.invalidations).toBeGreaterThan(0.9);
    }
    for (const row of of("magazines-deferred")) {
      expect(row["owner: 0"]).toBeGreaterThan(0);
      // Nobody else can have a page at the moment at which its unmap returns.
      expect(row["other: 0"]).toBe(0);
      expect(row["other: 1000"]).toBeGreaterThan(0);
      expect(row.pinnedMost).toBe(0);
    }
    for (const row of of("strict-ish")) {
      expect(row["owner: 0"]).toBeGreaterThan(0);
      expect([row.otherPages, row.reachedOther, row["other: 1000"]]).toEqual([0, 0, 0]);
      expect(row.pinnedMost).toBeGreaterThan(0);
    }
    expect(run.figure("trade").data).toHaveLength(3);
    const reach = run.figure("reach");
    expect(reach.data).toHaveLength(2);
    // One unmap can take away several pages: they are counted, and no share of the unmaps.
    expect(reach.data[0]["hovertemplate"]).toContain("pages reached: %{x:,.5~r} for every 100 unmaps");
    expect(reach.caption).not.toContain("%");
  });

  test("a way of mapping that there is not is refused, with those that there are", async () => {
    await expect(safety.run({ variants: ["hopeful"] })).rejects.toThrow(/variants\.0: accepts off, pass-through/);
  });
});
