import { expect, test } from "vitest";
import { pageSizes, triedMechanisms, triedTable, tryMechanism } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const basis = basisOf(published);

test("every predicted row that is off by more than a fifth has a mechanism that was tried for it, and no other row has", () => {
  const config = pageSizes.parse({ parts: ["published"] }, published);
  const rows = pageSizes.points(config, basis).flatMap((point) => pageSizes.simulate(point, basis));
  const missed = (pageSizes.compared?.(rows, published) ?? [])
    .filter(
      ({ use, simulated, published: value }) => use === "prediction" && Math.abs(simulated.mean / value - 1) > 0.2,
    )
    .map(({ id }) => id);
  const listed = triedMechanisms(published).flatMap(({ records }) => records);
  expect(listed.toSorted()).toEqual(missed.toSorted());
});

const all = triedMechanisms(published).flatMap(({ tried }) => tried);

test.each(all)("$mechanism: does to the rows what data/judging says", ({
  mechanism,
  from,
  standing,
  why,
  ...effect
}) => {
  expect(tryMechanism(mechanism, basis)).toEqual(effect);
  // A candidate has fewer rows that are off by more than a fifth; what is refuted has not.
  const [before, after] = effect.above20;
  expect([standing, after < before, from.length > 0, why.length > 0]).toEqual([
    standing,
    standing === "candidate",
    true,
    true,
  ]);
});

test("the table has a line for each mechanism, and what is no mechanism is refused by name", () => {
  expect(triedTable(published).numRows()).toBe(all.length);
  expect(triedTable(published).object(0)).toMatchObject({ standing: "candidate", above20: "3 → 0" });
  expect(() => tryMechanism("magic", basis)).toThrow('There is no mechanism "magic"; there are a walk is busy');
  const broken = published.changed([{ path: ["judging", "tried", "misses", 0, "records"], value: [] }]);
  expect(() => triedMechanisms(broken)).toThrow("data/judging/tried.json: misses.0.records");
});
