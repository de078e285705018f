import { describe, expect, test } from "vitest";
import { type Draw, headline, type Margin, verdictOf } from "../../src/experiments/index.js";
import { fc } from "../support/property.js";

const exact = (...values: number[]): Draw[] => values.map((value) => ({ value, error: 0 }));
const spread = (n: number, low: number, high: number): Draw[] =>
  exact(...Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1)));

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const draw: fc.Arbitrary<Draw> = fc.record({ value: number, error: fc.double({ min: 0, max: 1e5, noNaN: true }) });
const draws = fc.array(draw, { minLength: 1, maxLength: 120 });
const margin: fc.Arbitrary<Margin> = fc
  .tuple(number, number)
  .map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }));

describe("the verdict on a quantity", () => {
  test("holds from nine tenths of the mass on", () => {
    expect(verdictOf(spread(100, 0, 99), { low: 0, high: 89 }).verdict).toBe("holds");
    expect(verdictOf(spread(100, 0, 99), { low: 0, high: 88 }).verdict).toBe("depends");
  });

  test("does not hold where nothing that is admitted reaches the margin, but for a fortieth at either end", () => {
    expect(verdictOf(spread(100, 0, 99), { low: 97.5, high: 200 }).verdict).toBe("does not hold");
    expect(verdictOf(spread(100, 0, 99), { low: 97, high: 200 }).verdict).toBe("depends");
    expect(verdictOf(spread(100, 0, 99), { low: Number.NEGATIVE_INFINITY, high: 1.5 }).verdict).toBe("does not hold");
  });

  test("a margin that the interval spans without mass inside it is no refutation", () => {
    const either = exact(...Array(50).fill(10), ...Array(50).fill(50));
    expect(verdictOf(either, { low: 29, high: 38 })).toMatchObject({ verdict: "depends", share: { mean: 0 } });
  });

  test("is not decidable where other seeds would give another verdict", () => {
    const near = [...exact(...Array(85).fill(30)), ...Array(15).fill({ value: 39, error: 2 })];
    expect(verdictOf(near, { low: 29, high: 38 })).toMatchObject({
      verdict: "not decidable",
      share: { mean: 0.85, least: 0.85, most: 1 },
    });
    expect(verdictOf(near, { low: 29, high: 35 }).verdict).toBe("depends");
  });

  test("refuses what cannot be judged", () => {
    expect(() => verdictOf([], { low: 0, high: 1 })).toThrow("at least one draw");
    expect(() => verdictOf(exact(1), { low: 2, high: 1 })).toThrow("got 2 to 1");
  });
});

describe("of any draws and any margin", () => {
  test("the order of the draws does not matter, nor does the unit or the sign of the quantity", () => {
    fc.assert(
      fc.property(draws, margin, fc.constantFrom(2, 8), (all, { low, high }, factor) => {
        const { verdict } = verdictOf(all, { low, high });
        expect(verdictOf([...all].reverse(), { low, high }).verdict).toBe(verdict);
        const scaled = all.map(({ value, error }) => ({ value: value * factor, error: error * factor }));
        expect(verdictOf(scaled, { low: low * factor, high: high * factor }).verdict).toBe(verdict);
        const mirrored = all.map(({ value, error }) => ({ value: -value, error }));
        expect(verdictOf(mirrored, { low: -high, high: -low }).verdict).toBe(verdict);
      }),
    );
  });

  test("a wider margin never turns a sentence that holds into one that does not, and the other way round", () => {
    const rank = { "does not hold": 0, "not decidable": 1, depends: 1, holds: 2 } as const;
    fc.assert(
      fc.property(draws, margin, fc.double({ min: 0, max: 1e6, noNaN: true }), (all, { low, high }, more) => {
        const narrow = verdictOf(all, { low, high });
        const wide = verdictOf(all, { low: low - more, high: high + more });
        expect(wide.share.mean).toBeGreaterThanOrEqual(narrow.share.mean);
        if (narrow.verdict === "holds") expect(wide.verdict).toBe("holds");
        if (wide.verdict === "does not hold") expect(narrow.verdict).toBe("does not hold");
        expect(Math.abs(rank[wide.verdict] - rank[narrow.verdict])).toBeLessThanOrEqual(2);
      }),
    );
  });

  test("more noise of the seeds never decides what less noise left open", () => {
    fc.assert(
      fc.property(draws, margin, fc.double({ min: 1, max: 100, noNaN: true }), (all, within, times) => {
        const noisier = all.map(({ value, error }) => ({ value, error: error * times }));
        const before = verdictOf(all, within);
        const after = verdictOf(noisier, within);
        expect(after.share.mean).toBe(before.share.mean);
        if (before.verdict === "not decidable") expect(after.verdict).toBe("not decidable");
      }),
    );
  });

  test("without noise it is what a count of the draws says", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 200 }), (values) => {
        const { verdict } = verdictOf(exact(...values), { low: 10, high: 20 });
        const inside = values.filter((value) => value >= 10 && value <= 20).length;
        const reach = Math.floor(values.length / 40);
        const tooLow = values.filter((value) => value >= 10).length <= reach;
        const tooHigh = values.filter((value) => value <= 20).length <= reach;
        const expected = 10 * inside >= 9 * values.length ? "holds" : tooLow || tooHigh ? "does not hold" : "depends";
        expect(verdict).toBe(expected);
      }),
    );
  });
});

test("a headline says both uncertainties, and leaves out what there is not", () => {
  const value = { mean: 18.53, low: 18.02, high: 19.04, n: 5 };
  expect(headline(value, { low: 9.11, high: 43.9 }, "% of off")).toBe(
    "18.5 % of off (18.0–19.0 over seeds; 9.11–43.9 over what nobody published)",
  );
  expect(headline(value, undefined, "% of off")).toBe("18.5 % of off (18.0–19.0 over seeds)");
  expect(headline({ ...value, n: 1 }, { low: 9.11, high: 43.9 }, "% of off")).toBe(
    "18.5 % of off (one seed; 9.11–43.9 over what nobody published)",
  );
});
