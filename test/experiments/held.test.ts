import { describe, expect, it } from "vitest";
import { type HeldRow, held } from "../../src/experiments/index.js";
import { basisOf, type Facts } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const run = (...predictions: string[]): Record<string, HeldRow> =>
  Object.fromEntries(
    held
      .points(held.parse({ predictions }))
      .flatMap((point) => held.simulate(point).map((row) => [row.prediction, row])),
  );

describe("held against what was published", () => {
  it("has a margin written down for every case, and none without a case", () => {
    const { predictions } = published.judging("today") as { predictions: { id: string; low: number; high: number }[] };
    expect(predictions.map(({ id }) => id).sort()).toEqual([...held.parse().predictions].sort());
    for (const { id, low, high } of predictions) expect(low, id).toBeLessThan(high);
  });

  it("calls a hit what lies within the margin; a miss names what stands between", () => {
    const rows = run("strict-loss", "optane-lazy");
    expect(rows["strict-loss"].verdict).toBe("hit");
    expect(rows["optane-lazy"]).toMatchObject({ verdict: "miss", between: expect.stringContaining("16 cores") });
    for (const { simulated, simulatedLow, simulatedHigh, seeds, low, high, verdict, between } of Object.values(rows)) {
      expect(simulatedLow).toBeLessThan(simulated);
      expect(simulatedHigh).toBeGreaterThan(simulated);
      expect(seeds).toBe(2);
      expect(verdict).toBe(simulatedLow >= low && simulatedHigh <= high ? "hit" : "miss");
      expect(between === "").toBe(verdict === "hit");
    }
  });

  it("gives no verdict where the seeds could turn it: an end of the margin lies within their interval", () => {
    const written = (at: number): { facts: Facts } => {
      const { predictions } = published.judging("today") as { predictions: { id: string }[] };
      const index = predictions.findIndex(({ id }) => id === "redis");
      const path = ["judging", "today", "predictions", index];
      return {
        facts: published.changed([
          { path: [...path, "low"], value: at },
          { path: [...path, "high"], value: 10 * at },
        ]),
      };
    };
    const point = { id: "redis", sweep: false, mostSeeds: 3, seed: 1 };
    const [{ simulated }] = held.simulate(point);
    const [edge] = held.simulate(point, basisOf(written(simulated).facts));
    expect(edge).toMatchObject({ verdict: "not decidable", seeds: 3 });
    expect(edge.between).not.toBe("");
    // A margin far from it needs two.
    expect(held.simulate(point, basisOf(written(2 * simulated).facts))[0]).toMatchObject({ verdict: "miss", seeds: 2 });
  });

  it("draws a row for each, by verdict, and counts the verdicts in its caption", async () => {
    const { figure } = await held.run({ predictions: ["optane-lazy", "strict-loss"] });
    const { layout, caption, data } = figure("ratio");
    expect(layout["yaxis"]).toMatchObject({ ticktext: ["strict-loss", "optane-lazy"] });
    expect(caption).toContain("1 hit their margin, 1 miss it; of 0");
    expect((data[0]["customdata"] as unknown[][])[0][0]).toMatch(/^strict-loss \(FS1\): throughput lost/);
  });

  it("moves each assumption to both ends of its range, and names those on which the verdict hangs", () => {
    const [row] = held.simulate({ id: "optane-lazy", sweep: true, mostSeeds: 5, seed: 1 });
    const { least = 0, most = 0, simulated, low, high, hangsOn = "" } = row;
    expect(least).toBeLessThan(simulated);
    expect(most).toBeGreaterThanOrEqual(simulated);
    const turns = (simulated <= high && simulated >= low) !== (least >= low && most <= high);
    expect(hangsOn === "none of those moved").toBe(!turns);
  });

  it("names the file and the field where what was written down is broken", () => {
    const path = ["judging", "today", "predictions", 0, "low"];
    const facts = published.changed([{ path, value: "few" }]);
    expect(() => held.simulate({ id: "strict-loss", sweep: false, mostSeeds: 5, seed: 1 }, { facts } as never)).toThrow(
      /data\/judging\/today\.json: predictions\.0\.low/,
    );
  });
});
