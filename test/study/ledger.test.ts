import { describe, expect, test } from "vitest";
import { type ClaimResult, kindOf } from "../../src/experiments/index.js";
import { calibrations, evidence, ledger, recordUses } from "../../src/study/index.js";
import { published as facts } from "../support/facts.js";

const claim = (changes: Partial<ClaimResult>): ClaimResult => ({
  id: "x",
  quote: "it is ten",
  source: "a mail",
  kind: "predicted number",
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
    expect(() => one({ kind: "calibration" })).toThrow('claim x is a calibration and has the verdict "holds"');
    const published = { low: 990_803, high: 990_803, unit: "tx/s", factId: "PE1" };
    expect(() => one({ published })).toThrow("claim x is a calibration");
    expect(one({ published, verdict: "calibration" }).verdict).toBe("calibration");
  });

  test("counts no calibration as evidence that the words of a source name either", () => {
    expect(() => one({ source: "a mail (record PE1)" })).toThrow("claim x is a calibration");
    expect(one({ source: "a mail (record PE10)" }).verdict).toBe("holds");
  });

  test("compares nothing with an input of the model; a claim may rest on one, which is listed with its figure", () => {
    const published = { low: 250, high: 250, unit: "ns", factId: "JG4" };
    for (const verdict of ["holds", "calibration", "not answered"] as const)
      expect(() => one({ published, verdict })).toThrow("record JG4, which is an input of the model");
    expect(() => one({ id: "JG4" })).toThrow("record JG4, which is an input of the model");
    expect(() => kindOf(facts.record("JG4"))).toThrow("JG4 is an input of the model");
    const resting = one({ source: "a mail, of chipsets (record JG4)" });
    const use = recordUses([resting]).find(({ record }) => record.id === "JG4");
    expect(use).toMatchObject({ comparedBy: [], namedBy: ["e: x"] });
  });

  test("never rests on an unverified record", () => {
    expect(() => one({ published: { low: 1, high: 2, unit: "", factId: "NB1" } })).toThrow(
      "record NB1, which is unverified",
    );
  });

  test("lists every published record with what is compared with it", () => {
    const uses = recordUses([one({ published: { low: 22, high: 22, unit: "%", factId: "PE2" } })]);
    expect(uses.find(({ record }) => record.id === "PE2")?.comparedBy).toEqual(["e: x"]);
    expect(uses.find(({ record }) => record.id === "S3")?.comparedBy).toEqual([]);
  });

  test("keeps calibrations in a list of their own", () => {
    const all = [one({}), one({ id: "y", kind: "calibration", verdict: "calibration" })];
    expect(evidence(all).map(({ id }) => id)).toEqual(["x"]);
    expect(calibrations(all).map(({ id }) => id)).toEqual(["y"]);
  });
});
