import { describe, expect, it } from "vitest";
import { type HeldRow, held } from "../../src/experiments/index.js";
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
    for (const { simulated, low, high, verdict, between } of Object.values(rows)) {
      expect(verdict).toBe(simulated >= low && simulated <= high ? "hit" : "miss");
      expect(between === "").toBe(verdict === "hit");
    }
  });

  it("moves each assumption to both ends of its range, and names those on which the verdict hangs", () => {
    const [row] = held.simulate({ id: "optane-lazy", sweep: true, seed: 1 });
    const { least = 0, most = 0, simulated, low, high, hangsOn = "" } = row;
    expect(least).toBeLessThan(simulated);
    expect(most).toBeGreaterThanOrEqual(simulated);
    const turns = (simulated <= high && simulated >= low) !== (least >= low && most <= high);
    expect(hangsOn === "none of those moved").toBe(!turns);
  });

  it("names the file and the field where what was written down is broken", () => {
    const path = ["judging", "today", "predictions", 0, "low"];
    const facts = published.changed([{ path, value: "few" }]);
    expect(() => held.simulate({ id: "strict-loss", sweep: false, seed: 1 }, { facts } as never)).toThrow(
      /data\/judging\/today\.json: predictions\.0\.low/,
    );
  });
});
