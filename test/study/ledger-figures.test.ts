import { expect, test } from "vitest";
import { type LedgerEntry, ledgerCounts, marginFigure, verdictFigure } from "../../src/study/index.js";

const entry = (id: string, verdict: LedgerEntry["verdict"], low: number, high: number, mean: number): LedgerEntry => ({
  id,
  experiment: "locks",
  quote: "q",
  source: "s",
  kind: verdict === "calibration" ? "calibration" : id === "b" ? "question" : "predicted number",
  verdict,
  explanation: "e",
  published: { low, high, unit: "ns" },
  simulated: { mean, low: mean / 2, high: mean * 2, n: 3, level: 0.95, unit: "ns" },
});
const entries = [
  entry("a", "holds", 10, 10, 10),
  entry("b", "depends", 4, 8, 16),
  entry("c", "calibration", 5, 5, 5),
  entry("d", "holds", 0, 1, 3),
];

test("the counts of verdicts are a bar a kind, without calibrations, and add up", () => {
  const { data, caption } = verdictFigure(entries);
  expect(data.map(({ name, y, x }) => [name, y, x])).toEqual([
    ["holds", ["question", "predicted number"], [0, 2]],
    ["depends", ["question", "predicted number"], [1, 0]],
  ]);
  expect(caption).toContain("Of 3 claims 2 hold, 1 hold under conditions. Calibrations are no evidence");
});

test("the table of counts has a row a kind and one for all, without calibrations", () => {
  expect(ledgerCounts(entries).objects()).toMatchObject([
    { kind: "predicted number", holds: 2, depends: 0, claims: 2 },
    { kind: "question", holds: 0, depends: 1, claims: 1 },
    { kind: "all", holds: 2, depends: 1, claims: 3 },
  ]);
});

test("margins are shares of the published value or of the nearer end of a range; calibrations are apart", () => {
  const { data, caption } = marginFigure(entries);
  expect(data.map(({ name, x }) => [name, x])).toEqual([
    ["holds", [1]],
    ["depends", [2]],
    ["calibration", [1]],
  ]);
  expect(data[1]["error_x"]).toMatchObject({ array: [2], arrayminus: [1] });
  expect(data[2]["marker"]).toMatchObject({ symbol: "circle-open" });
  expect(caption).toContain("The 2 filled marks are evidence; the 1 open ones");
  expect(caption).toContain("Without d, whose published range begins at zero.");
});
