import { describe, expect, test } from "vitest";
import { changedReads, experiments, keptReads, mergedNodes } from "../../src/experiments/index.js";
import { basisOf, dataValues, type Facts, Memo } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const pe1 = dataValues(published).find(({ id }) => id === "PE1")!;
const more = published.changed([pe1.times(1.5)]);

describe("results and the facts they rest on", () => {
  const input = { parts: ["recovery" as const], policies: ["deferred" as const], replications: 1, transactions: 250 };
  const rowsOn = (facts: Facts, memo: Memo) => {
    const basis = { facts, memo };
    const points = mergedNodes.points(mergedNodes.parse(input, facts), basis);
    return points.map((point) => mergedNodes.simulate(point, basis)[0]);
  };

  test("a run with another published figure is not answered from a memo that holds the first", () => {
    const memo = new Memo();
    const plain = rowsOn(published, memo);
    const changed = rowsOn(more, memo);
    expect(changed).toEqual(rowsOn(more, new Memo()));
    expect(rowsOn(published, memo)).toEqual(plain);
    const off = (rows: typeof plain) =>
      rows.flatMap((row) => (row.part === "recovery" && row.role === "off" ? row.throughput : []))[0];
    expect(off(changed) / off(plain)).toBeGreaterThan(1.2);
  });

  test("the same facts give the same rows with a memo that is used again, and the work is done once", () => {
    const basis = basisOf(published);
    let asked = 0;
    for (let i = 0; i < 2; i++) basis.memo.of(basis, "page host", "x", () => ++asked);
    expect(asked).toBe(1);
  });
});

test("what a claim is held against is its record's value: with another record it is another", () => {
  const heldAgainst = (facts: Facts) =>
    experiments().flatMap((experiment) =>
      experiment
        .claims([], experiment.parse(undefined, facts), facts)
        .flatMap(({ id, published }) =>
          published?.factId === undefined ? [] : [{ entry: `${experiment.name}: ${id}`, ...published }],
        ),
    );
  const before = heldAgainst(published);
  expect(before.length).toBeGreaterThan(15);
  const movable = dataValues(published).filter(({ kind, fixed }) => kind === "published" && fixed === undefined);
  for (const factId of new Set(before.flatMap((claim) => claim.factId ?? []))) {
    const own = movable.filter(({ readAs }) => readAs === factId);
    const changed = heldAgainst(published.changed(own.map((figure) => figure.times(1.5))));
    for (const claim of before) {
      if (claim.factId !== factId) continue;
      const now = changed.find(({ entry }) => entry === claim.entry);
      // H12 is a model, and no number: its own throughput over itself.
      const times = own.length === 0 ? 1 : 1.5;
      if (own.length === 0) expect([factId, claim.low, claim.high]).toEqual(["H12", 1, 1]);
      expect([claim.entry, now?.low, now?.high]).toEqual([
        claim.entry,
        expect.closeTo(times * claim.low, 6),
        expect.closeTo(times * claim.high, 6),
      ]);
    }
  }
});

test("what a kept result rests on are numbers: other words leave it true, another value, unit, range or use does not", () => {
  const names = ["PE1", "P_HSW_rd_rnd_64_4k", "hardware/rome"];
  const reads = keptReads(published, names);
  const file = Object.entries(published.files().published).find(([, content]) =>
    (content as { records: { id: string }[] }).records.some(({ id }) => id === "PE1"),
  )!;
  const at = (file[1] as { records: { id: string }[] }).records.findIndex(({ id }) => id === "PE1");
  const record = (key: string) => ["published", file[0], "records", at, key];
  const clock = (key: string) => ["hardware", "rome", "values", "gigahertz", key];
  const changed = (path: readonly (string | number)[], value: unknown): string[] =>
    changedReads(published.changed([{ path, value }]), reads);
  for (const key of ["quote", "source", "conditions", "quantity"])
    expect(changed(record(key), "other words")).toEqual([]);
  expect(changed(clock("source"), "Assumed: said otherwise")).toEqual([]);
  expect(changed(["hardware", "rome", "title"], "another title")).toEqual([]);
  expect(changed(record("value"), 1)).toEqual(["PE1"]);
  expect(changed(record("unit"), "per hour")).toEqual(["PE1"]);
  expect(changed(record("use"), "context")).toEqual(["PE1"]);
  expect(changed(clock("value"), 3.1)).toEqual(["hardware/rome"]);
  expect(changed(clock("assumption"), { low: 1, high: 4 })).toEqual(["hardware/rome"]);
});
