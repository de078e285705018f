import { describe, expect, test } from "vitest";
import { type ClaimResult, figureUses, ledger } from "../../src/experiments/index.js";

const claim = (changes: Partial<ClaimResult>): ClaimResult => ({
  id: "x",
  quote: "it is ten",
  source: "a mail",
  use: "prediction",
  verdict: "holds",
  explanation: "it is",
  ...changes,
});
const simulated = (mean: number) => ({ mean, low: mean - 1, high: mean + 1, n: 5, level: 0.95, unit: "levels" });
const one = (changes: Partial<ClaimResult>) => ledger([{ experiment: "e", claims: [claim(changes)] }])[0];

describe("the claims ledger", () => {
  test("says how far a simulated value lies from the published range", () => {
    const published = { low: 14, high: 16, unit: "levels" };
    expect(one({ published, simulated: simulated(15) }).offBy).toBe(0);
    expect(one({ published, simulated: simulated(20) }).offBy).toBeCloseTo(0.25);
    expect(one({ published, simulated: simulated(7) }).offBy).toBeCloseTo(-0.5);
    expect(one({ published }).offBy).toBeUndefined();
  });

  test("never counts a calibration as evidence, whichever way it is marked", () => {
    expect(() => one({ use: "calibration" })).toThrow('claim x is a calibration and has the verdict "holds"');
    const published = { low: 990_803, high: 990_803, unit: "tx/s", factId: "PE1" };
    expect(() => one({ published })).toThrow("claim x is a calibration");
    expect(one({ published, verdict: "calibration" }).verdict).toBe("calibration");
  });

  test("never rests on an unverified record", () => {
    expect(() => one({ published: { low: 1, high: 2, unit: "", factId: "NB1" } })).toThrow(
      "record NB1, which is unverified",
    );
  });

  test("lists every published figure with what is compared with it", () => {
    const uses = figureUses([one({ published: { low: 22, high: 22, unit: "%", factId: "PE2" } })]);
    expect(uses.find(({ record }) => record.id === "PE2")?.comparedBy).toEqual(["e: x"]);
    expect(uses.find(({ record }) => record.id === "S3")?.comparedBy).toEqual([]);
  });
});
