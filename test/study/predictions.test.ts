import { describe, expect, test } from "vitest";
import type { Comparison } from "../../src/experiments/index.js";
import {
  comparedFigure,
  comparedGroups,
  type LedgerEntry,
  ledger,
  marginTable,
  predictedCount,
  predictedNumbers,
  predictedTable,
  predictionFigure,
} from "../../src/study/index.js";
import { published as facts } from "../support/facts.js";

const entry = (id: string, mean: number, published = 10): LedgerEntry => ({
  id,
  experiment: "e",
  quote: "q",
  source: "s",
  kind: "predicted number",
  verdict: "depends",
  explanation: "e",
  published: { low: published, high: published, unit: "ns" },
  simulated: { mean, low: mean - 1, high: mean + 1, n: 5, level: 0.95, unit: "ns" },
  prior: {
    verdict: "depends",
    share: { mean: 0.5, least: 0.5, most: 0.5 },
    predictive: { median: 10, low: 5, high: 40 },
    draws: 100,
    drawn: 100,
    margin: { low: 8.5, high: 11.5, unit: "ns", reason: "made up for a test", date: "2026-11-27" },
    design: "d",
  },
});

describe("the page of every predicted number", () => {
  const numbers = predictedNumbers([
    entry("hit", 11),
    entry("miss", 30),
    { ...entry("fact", 10), kind: "fact of the source" },
  ]);

  test("has the predicted numbers alone, and counts those within their margins", () => {
    expect(numbers.map(({ id, within }) => [id, within])).toEqual([
      ["hit", true],
      ["miss", false],
    ]);
    expect(predictedCount(numbers)).toBe("predicted numbers: 1 of 2 within margin");
  });

  test("says margin, value and both uncertainties in a row each", () => {
    expect(predictedTable(numbers).object()).toMatchObject({
      number: "hit",
      margin: "8.5 to 11.5 ns",
      published: "10",
      simulated: "11.0 (10.0–12.0 over seeds; 5.00–40.0 over what nobody published)",
      within: "yes",
    });
  });

  test("draws misses as large as hits, the farthest first", () => {
    const { data, layout, caption } = predictionFigure(numbers);
    expect((layout["yaxis"] as { categoryarray: string[] }).categoryarray).toEqual(["hit · ns", "miss · ns"]);
    const sizes = data.filter(({ mode }) => mode === "markers").map(({ marker }) => (marker as { size: number }).size);
    expect(new Set(sizes).size).toBe(1);
    expect(caption).toContain("predicted numbers: 1 of 2 within margin");
  });

  test("the margins stand first, each with its reason and date, and each record once", () => {
    const rows = marginTable(facts).objects() as Record<string, string>[];
    expect(rows.find(({ claim }) => claim === "PE2")).toMatchObject({
      kind: "predicted number",
      margin: "19 to 25.7 % of off",
    });
    expect(new Set(rows.map(({ claim }) => claim)).size).toBe(rows.length);
    for (const { reason, date } of rows) expect(`${reason} ${date}`).toMatch(/^.{16,} \d{4}-\d{2}-\d{2}$/);
  });
});

test("a record that two experiments judge is one entry: that of the first that answers", () => {
  const claim = ({ experiment: _, ...rest }: LedgerEntry) => rest;
  const [a, b] = [claim(entry("PE2", 20)), claim(entry("PE2", 21))];
  const of = (first: typeof a, second: typeof a) =>
    ledger([
      { experiment: "one", claims: [first] },
      { experiment: "two", claims: [second] },
    ]).map(({ experiment, id }) => `${experiment}: ${id}`);
  expect(of(a, b)).toEqual(["one: PE2"]);
  expect(of({ ...a, verdict: "not answered" }, b)).toEqual(["two: PE2"]);
  expect(of({ ...a, verdict: "not answered" }, { ...b, verdict: "not answered" })).toEqual(["one: PE2"]);
});

test("tables are counted row by row, calibrations left out, the group with the worst row first", () => {
  const row = (id: string, simulated: number, use: Comparison["use"] = "prediction"): Comparison => ({
    id,
    factId: id,
    published: 100,
    simulated: { mean: simulated, low: simulated, high: simulated, n: 1, level: 0.95, unit: "Gb/s" },
    use,
  });
  const rows = [row("a 1", 110), row("a 2", 80), row("b 1", 190), row("b 2", 500, "calibration")];
  const groupOf = ({ id }: Comparison) => id.split(" ")[0];
  expect(comparedGroups(rows, groupOf)).toMatchObject([
    { group: "b", rows: 1, within15: 0 },
    { group: "a", rows: 2, within15: 1 },
  ]);
  expect(comparedGroups(rows, groupOf)[1].worstPercent).toBeCloseTo(-20, 9);
  expect(comparedGroups(rows, groupOf)[1].medianPercent).toBeCloseTo(15, 9);
  expect(comparedFigure(rows, groupOf).caption).toContain("1 of 3 rows lie within it.");
});
