import { describe, expect, test } from "vitest";
import { type Design, DesignSchema, designHash, Ensemble, readings, samplesOf } from "../../src/experiments/index.js";
import {
  beliefFigure,
  beliefs,
  learned,
  learnedTable,
  type Matching,
  match,
  matchingOf,
  regionFigure,
  shareOf,
  worthOf,
} from "../../src/study/index.js";
import { published } from "../support/facts.js";
import { fc } from "../support/property.js";

const design: Design = DesignSchema.parse({
  title: "t",
  about: "a",
  date: "2026-11-27",
  experiment: "lock-contention",
  base: {},
  runs: { "": {} },
  space: { x: { low: 0, high: 100 }, y: { low: 0, high: 100 }, idle: { choices: [1, 2] } },
  samples: 200,
  seed: 1,
  again: { draws: 0, seeds: 2 },
  keep: ["off: throughput", "deferred: throughput", "merged-deferred: throughput"],
});
/** Without an IOMMU 100, with it x, and merging gives back y percent of what is lost. */
const ensemble = new Ensemble("made", design, {
  design: designHash(design),
  reads: {},
  code: "c",
  version: "v",
  date: "2026-11-27",
  quantities: design.keep,
  draws: samplesOf(design).map(({ x, y }) => [100, Number(x), Number(x) + ((100 - Number(x)) * Number(y)) / 100]),
  again: [],
});
const matching: Matching = {
  design: "made",
  cutoff: 3,
  observations: [
    {
      id: "PE2",
      quantity: "deferred: throughput",
      ofWhole: "off: throughput",
      unit: "% of off",
      value: 20,
      deviation: 0.05,
      reason: "made up",
    },
  ],
};

describe("history matching", () => {
  const draws = match(ensemble, matching);

  test("rules out what lies more than the cut-off away, and nothing else", () => {
    for (const { sample, agrees, implausibility } of draws) {
      const far = Math.abs(Number(sample["x"]) - 20);
      expect(implausibility["PE2"]).toBeCloseTo(far, 9);
      expect(agrees).toBe(far <= 3);
    }
    expect(draws.filter(({ agrees }) => agrees).length).toBe(12);
  });

  test("chance widens what agrees: a draw whose seeds vary is not ruled out by what they may explain", () => {
    const noisy = new Ensemble(
      "made",
      { ...design, again: { draws: 1, seeds: 3 } },
      {
        ...ensemble.stored,
        again: [
          [-5, 5].map((by) => ensemble.stored.draws[0].map((value, i) => (i === 1 ? Number(value) + by : value))),
        ],
      },
    );
    expect(match(noisy, matching).filter(({ agrees }) => agrees).length).toBeGreaterThan(12);
  });

  test("finds what a measurement identifies, and that it says nothing about the rest", () => {
    const found = learned(ensemble, matching, draws);
    expect(found[0].assumption).toBe("x");
    expect(found[0].explains["PE2"]).toBeGreaterThan(0.9);
    expect(found[0].moved).toBeGreaterThan(found[0].chance);
    for (const { assumption, explains } of found.slice(1)) expect(explains["PE2"], assumption).toBeLessThan(0.1);
    expect(learnedTable(found).object()).toMatchObject({ assumption: "x", "by more than chance": true });
    expect(regionFigure(draws, found).caption).toContain("12 of 200 agree with every measurement");
  });

  test("gives each reading before and after: one that the measurement does not touch keeps its distribution", () => {
    const all = beliefs(draws, { low: 29, high: 38 });
    const of = (reading: string, stage: string) => all.find((one) => one.reading === reading && one.stage === stage)!;
    expect(of("gap", "prior").inside.share).toBeCloseTo(0.09, 2);
    expect(of("gap", "prior").low).toBeLessThan(5);
    // What is gained over the stock tree hangs on what the tree had left.
    expect(of("gain", "posterior").high).toBeLessThan(of("gain", "prior").high);
    expect(of("gap", "posterior").inside.n).toBe(12);
    const { caption } = beliefFigure(all, { low: 29, high: 38 });
    expect(caption).toMatch(/share of the loss that comes back \d+ % \(\d+ % to \d+ %\)/);
    expect(beliefs([], { low: 0, high: 1 })).toEqual([]);
  });

  test("says what a measurement that nobody made would be worth", () => {
    const [first, second] = worthOf(draws, ["deferred: throughput", "merged-deferred: throughput"], "gap");
    expect(first.assumption).toBe("merged-deferred: throughput");
    expect(first.share).toBeGreaterThan(second.share);
  });
});

test("the three readings are those of the thread's sentence, each from three throughputs", () => {
  const host = { "off: throughput": 100, "deferred: throughput": 20, "merged-deferred: throughput": 40 };
  expect(readings.gap.of(host)).toBeCloseTo(25, 9);
  expect(readings.gain.of(host)).toBeCloseTo(100, 9);
  expect(readings.level.of(host)).toBeCloseTo(40, 9);
});

test("a share of draws has Wilson's interval: never outside of 0 and 1, narrower with more draws", () => {
  const { low, high } = shareOf(5, 10);
  expect([low, high].map((end) => end.toFixed(3))).toEqual(["0.237", "0.763"]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, p) => {
      const k = Math.round(p * n);
      const small = shareOf(k, n);
      const large = shareOf(10 * k, 10 * n);
      expect(small.low).toBeGreaterThanOrEqual(0);
      expect(small.high).toBeLessThanOrEqual(1);
      expect(small.share).toBeGreaterThanOrEqual(small.low - 1e-12);
      expect(large.high - large.low).toBeLessThan(small.high - small.low);
    }),
  );
});

test("the real matching holds draws against the four records of the letter, with their values", () => {
  const { observations, design: name } = matchingOf(published);
  expect(name).toBe("measured-host");
  expect(observations.map(({ id }) => id)).toEqual(["PE1", "PE2", "PE4", "PE5"]);
  expect(observations.map(({ value }) => Number(value.toPrecision(4)))).toEqual([990_800, 22.35, 97.21, 1.29]);
});
