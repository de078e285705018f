import { describe, expect, test } from "vitest";
import {
  aboutAThird,
  assumedSpace,
  bySettings,
  caseDesigns,
  type Design,
  DesignSchema,
  deciderOf,
  designHash,
  designOf,
  drawsFor,
  Ensemble,
  endsOf,
  experimentByName,
  experiments,
  influences,
  latinHypercube,
  margins,
  priorOf,
  priorText,
  runsOf,
  type StoredEnsemble,
  samplesOf,
  valueIn,
  verdictOf,
} from "../../src/experiments/index.js";
import { dataValues } from "../../src/facts/index.js";
import { hostRunDefaults } from "../../src/host/index.js";
import { published } from "../support/facts.js";
import { fc } from "../support/property.js";

const designs = Object.keys(published.files().designs);
const space = assumedSpace(published);

describe("the designs of data/designs", () => {
  test("there are some, and each is written in full and can be run", () => {
    expect(designs.length).toBeGreaterThan(1);
    for (const name of designs) {
      const design = designOf(published, name);
      const experiment = experimentByName(design.experiment);
      expect(experiment.quantities, name).toBeDefined();
      for (const { input } of runsOf(design, 3)) experiment.parse(input);
    }
  });

  test("of the simulated host, draw every assumption that nothing published fixes in its own range, or say why not", () => {
    const ofHost = designs.map((name) => ({ name, design: designOf(published, name) }));
    for (const { name, design } of ofHost.filter(({ design: { experiment } }) => experiment === "lock-contention")) {
      for (const [path, range] of Object.entries(space)) {
        if (Object.hasOwn(design.apart, path)) continue;
        expect(design.space[path], `${name}: ${path}`).toEqual(range);
      }
      for (const path of Object.keys(design.space))
        expect(Object.hasOwn(space, path) || Object.hasOwn(design.apart, path), `${name}: ${path}`).toBe(true);
    }
  });

  test("draw the default of every assumption too: no range leaves out what the laboratory runs with", () => {
    const defaults = { ...hostRunDefaults(published), mapsPerSide: 1 } as Record<string, unknown>;
    for (const name of designs) {
      const { space: drawn, experiment } = designOf(published, name);
      if (experiment !== "lock-contention") continue;
      for (const [path, range] of Object.entries(drawn)) {
        const value = defaults[path];
        if (typeof value !== "number" || "choices" in range) continue;
        expect(value, path).toBeGreaterThanOrEqual(range.low);
        expect(value, path).toBeLessThanOrEqual(range.high);
      }
    }
  });

  test("no two draws share a seed, and a draw's repetitions differ in nothing else", () => {
    for (const name of designs) {
      const design = designOf(published, name);
      // Nothing is left to chance, and there is no seed.
      if (design.again.draws === 0) continue;
      const runs = runsOf(design);
      const plain = runs.filter(({ run }) => run === runs[0].run);
      expect(new Set(plain.map(({ input }) => input["seed"])).size).toBe(plain.length);
      const [first, second] = plain.filter(({ draw }) => draw === 0);
      expect({ ...second.input, seed: 0 }).toEqual({ ...first.input, seed: 0 });
    }
  });
});

describe("margins", () => {
  test("say what about a third is, everywhere", () => {
    expect(aboutAThird(published)).toEqual({ low: 29, high: 38 });
    const path = ["judging", "margins", "margins", "merged-nodes: S5", "high"];
    expect(aboutAThird(published.changed([{ path, value: 40 }]))).toEqual({ low: 29, high: 40 });
  });

  test("stand for every entry that is a quantity, with a reason, a date, and a design that there is", () => {
    const all = margins(published);
    for (const { design } of Object.values(all)) expect([...designs, ...caseDesigns, bySettings]).toContain(design);
    const quantities = experiments().flatMap((experiment) =>
      experiment
        .claims([], experiment.parse())
        .filter(({ kind }) => kind === "simulated quantity" || kind === "predicted number" || kind === "question")
        .map(({ id }) => `${experiment.name}: ${id}`),
    );
    for (const entry of Object.keys(all)) expect(quantities).toContain(entry);
    // A question may be answered by a proof instead; whatever has a number has a margin.
    const numbers = experiments().flatMap((experiment) =>
      experiment
        .claims([], experiment.parse())
        .filter(({ kind }) => kind === "simulated quantity" || kind === "predicted number")
        .map(({ id }) => `${experiment.name}: ${id}`),
    );
    for (const entry of numbers) expect(Object.keys(all)).toContain(entry);
  });

  test("are ends, or a share of the published value on either side", () => {
    const about = { unit: "%", reason: "because it is so", date: "2026-11-27", design: "d" };
    expect(endsOf({ ...about, high: 5 }, undefined)).toEqual({ low: Number.NEGATIVE_INFINITY, high: 5 });
    const ends = endsOf({ ...about, share: 0.15 }, { low: 20, high: 20, unit: "%" });
    expect([ends.low, ends.high].map((end) => Number(end.toFixed(9)))).toEqual([17, 23]);
    expect(() => endsOf({ ...about, share: 0.15 }, undefined)).toThrow("needs a published value");
  });
});

describe("what is drawn", () => {
  test("on a scale of factors each factor is as likely as the next, from zero on that of the value plus one", () => {
    const range = { low: 1, high: 100, shape: "log" as const };
    expect([0, 0.5, 1].map((share) => Number(valueIn(range, share).toFixed(9)))).toEqual([1, 10, 100]);
    const lines = { low: 0, high: 8192, whole: true, shape: "log" as const };
    expect([0, 0.5, 1].map((share) => valueIn(lines, share))).toEqual([0, 89, 8192]);
  });

  test("whatever the shape, values stay within the range, grow with the share, and meet each slice once", () => {
    const ends = fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 1_000_000 }));
    fc.assert(
      fc.property(ends, fc.boolean(), fc.constantFrom("even" as const, "log" as const), ([low, more], whole, shape) => {
        const range = { low, high: low + more, whole, shape };
        const values = [0, 0.2, 0.4, 0.6, 0.8, 0.999999].map((share) => valueIn(range, share));
        expect(values).toEqual([...values].sort((a, b) => a - b));
        expect(values[0]).toBeGreaterThanOrEqual(low - 1e-9);
        expect(values[5]).toBeLessThanOrEqual(range.high);
        if (whole) expect(values.every(Number.isInteger)).toBe(true);
      }),
    );
    const points = latinHypercube({ x: { low: 1, high: 16, shape: "log" }, c: { choices: ["a", "b"] } }, 8, 3);
    expect(points.map(({ x }) => Math.floor(2 * Math.log2(Number(x)))).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(points.filter(({ c }) => c === "a")).toHaveLength(4);
    expect(() => latinHypercube({ x: { low: -1, high: 2, shape: "log" } }, 3, 1)).toThrow("from 0 or more");
  });
});

/** A made-up design: the quantity is x + 10 for the one choice, and x for the other. */
const design: Design = DesignSchema.parse({
  title: "t",
  about: "a",
  date: "2026-11-27",
  experiment: "lock-contention",
  base: {},
  runs: { "": {} },
  space: { x: { low: 0, high: 10 }, kind: { choices: ["high", "low"] }, idle: { low: 0, high: 1 } },
  samples: 200,
  seed: 1,
  again: { draws: 3, seeds: 3 },
  keep: ["y"],
});
const made = (errors: number[]): Ensemble => {
  const draws = samplesOf(design).map(({ x, kind }) => [Number(x) + (kind === "high" ? 10 : 0)]);
  const stored: StoredEnsemble = {
    design: designHash(design),
    reads: {},
    code: "c",
    version: "v",
    date: "2026-11-27",
    quantities: ["y"],
    draws,
    again: errors.map((error, i) => [[draws[i][0] + error], [draws[i][0] - error]]),
  };
  return new Ensemble("made", design, stored);
};

describe("an ensemble", () => {
  const of = ({ y }: Readonly<Record<string, number>>) => y;

  test("takes a value's Monte Carlo error from the draws nearest to it, not from a pool of all", () => {
    // Of the ten draws that were run again, the highest vary by 1 and the others not at all.
    const values = samplesOf(design).map(({ x, kind }) => Number(x) + (kind === "high" ? 10 : 0));
    const middle = values.slice(0, 10).sort((a, b) => a - b)[4];
    const ensemble = made(values.slice(0, 10).map((value) => (value > middle ? 1 : 0)));
    const widths = ensemble.values(of).map(({ value, error }) => ({ value, error }));
    const at = (end: number) =>
      widths.reduce((a, b) => (Math.abs(b.value - end) < Math.abs(a.value - end) ? b : a)).error;
    expect(at(20)).toBeGreaterThan(1.5);
    expect(at(0)).toBeLessThan(0.6);
    const exact = made([0, 0, 0]).values(of);
    expect(exact.every(({ error }) => error < 1e-9)).toBe(true);
  });

  test("leaves out the draws that do not hold a quantity", () => {
    expect(made([]).values(({ y }) => (y > 15 ? y : undefined)).length).toBeLessThan(70);
    expect(made([]).values(() => undefined)).toEqual([]);
  });

  test("finds the assumption that decides, with draws on either side; one that does nothing explains nothing", () => {
    const draws = made([]).values(of);
    const [first, second, third] = influences(draws, design.space, ({ value }) => value);
    expect([first.assumption, second.assumption]).toEqual(["kind", "x"]);
    expect(first.share).toBeCloseTo(25 / (25 + 100 / 12), 1);
    expect(third).toMatchObject({ assumption: "idle" });
    expect(third.share).toBeLessThan(0.03);
    const decider = deciderOf(draws, design.space, { low: 10, high: 20 });
    expect(decider).toMatchObject({
      assumption: "kind",
      most: { from: "high", inside: 1 },
      fewest: { from: "low", inside: 0 },
    });
    expect(draws[decider?.inside ?? -1].value).toBeGreaterThanOrEqual(10);
    expect(draws[decider?.outside ?? -1].value).toBeLessThan(10);
  });

  test("is told in words: the share inside, the interval, and what decides", () => {
    const draws = made([]).values(of);
    const margin = { low: 10, high: 20, unit: "levels", reason: "r", date: "2026-11-27" };
    const judged = verdictOf(draws, margin);
    const decider = deciderOf(draws, design.space, margin);
    const text = priorText({ ...judged, margin, design: "made", drawn: 200, ...(decider ? { decider } : {}) });
    expect(text).toMatch(/^Of 200 draws of what nobody published, 50 % lie within the margin \(10 to 20 levels\)/);
    expect(text).toMatch(/decides most is “kind”: inside lie 100 % at high, 0 % at low; draws \d+ and \d+ lie/);
  });
});

describe("draws that are kept", () => {
  const kept = Object.keys(published.files().ensembles);
  const throughput = (quantities: Readonly<Record<string, number>>) => quantities["deferred: throughput"];
  const pe1 = dataValues(published).find(({ id }) => id === "PE1")!;
  const other = published.changed([pe1.times(1.1)]);

  test("are not judged by where a record that they rest on is another one; the sentence names it", () => {
    const about = { low: 90_000, high: 90_000, unit: "transactions/s" };
    const judgedBy = (facts: typeof published) => priorOf(facts, "lock-contention: PE2", throughput, about);
    const [before, after] = [published, other].map(judgedBy);
    expect(before).toMatchObject({ design: "measured-host", drawn: 1000 });
    expect(after).toMatchObject({ unjudged: 'the draws of "measured-host" were run with another PE1' });
    const elsewhere = judgedBy(published.changed([{ path: ["hardware", "hsw", "title"], value: "x" }]));
    expect(elsewhere).toEqual(before);
  });

  test.each(
    kept,
  )("of %s say what they rest on to whoever notes what is read, whether they are taken or not", (name) => {
    const { reads } = published.files().ensembles[name] as StoredEnsemble;
    const notedBy = (facts: typeof published): string[] => {
      const read = new Set<string>();
      drawsFor(
        facts.noting((one) => read.add(one)),
        name,
      );
      return [...read].sort();
    };
    const all = [`designs/${name}`, `ensembles/${name}`, ...Object.keys(reads)].sort();
    expect(notedBy(published)).toEqual(all);
    expect(notedBy(other)).toEqual(all);
  });
});
