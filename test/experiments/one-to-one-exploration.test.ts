import { describe, expect, test } from "vitest";
import {
  exploreOneToOne,
  OneToOneModel,
  type OneToOnePoint,
  oneToOneExploration,
  oneToOnePropertyNames,
  oneToOneSystem,
  oneToOneVariant,
  oneToOneVariants,
} from "../../src/experiments/index.js";
import { explore } from "../../src/explore/index.js";

const [reaches, outOfReach, cpuFreed, walkerFreed, , counts] = oneToOnePropertyNames;

describe("every safeguard in place: complete for the bounds, nothing fails", () => {
  const right: [OneToOnePoint["bounds"], Record<string, [states: number, transitions: number]>][] = [
    [
      "2 CPUs, 2 pairs",
      {
        never: [26_421, 104_588],
        covering: [869_923, 3_462_127],
        "live-count": [197_525, 765_770],
        swept: [531_687, 2_033_657],
        fallback: [234_861, 882_112],
      },
    ],
    [
      "3 CPUs, 1 pair",
      {
        never: [54_160, 249_162],
        covering: [72_790, 339_555],
        "live-count": [360_620, 1_641_480],
        swept: [903_842, 3_767_028],
        fallback: [404_231, 1_743_993],
      },
    ],
    ["2 CPUs, 1 pair, 3 levels", { "live-count": [263_556, 1_076_720], swept: [229_453, 952_432] }],
  ];
  for (const [bounds, variants] of right)
    for (const [variant, [states, transitions]] of Object.entries(variants))
      test(`${variant}, ${bounds}: ${states.toLocaleString("en")} states`, () => {
        const found = exploreOneToOne(oneToOneSystem({ variant, bounds }));
        expect(found).toMatchObject({ complete: true, violations: [], states, transitions });
      });
});

describe("each safeguard left out has a shortest way to fail", () => {
  const broken: Record<string, Record<string, number>> = {
    "no-count": { [reaches]: 10, [counts]: 7 },
    "count-after-store": {
      [reaches]: 17,
      [outOfReach]: 20,
      "when all is done, no table page is lost": 38,
      [counts]: 23,
    },
    "freed-before-flush": { [reaches]: 15, [walkerFreed]: 12 },
    "no-recheck": { [reaches]: 14, [outOfReach]: 19, [counts]: 20 },
    "no-grace-period": { [cpuFreed]: 13 },
    "no-owner": { [reaches]: 25 },
    "place-given-up": { [reaches]: 14 },
    "leaf-only-flush": { [reaches]: 17, [walkerFreed]: 15 },
  };
  test("and these are all that there are", () => {
    expect(oneToOneVariants.filter(({ right }) => !right).map(({ name }) => name)).toEqual(Object.keys(broken));
  });
  for (const [variant, steps] of Object.entries(broken))
    test(`${variant}: ${Object.entries(steps)
      .map(([property, length]) => `${property} (${length} steps)`)
      .join("; ")}`, () => {
      const found = exploreOneToOne(oneToOneSystem({ variant, bounds: "2 CPUs, 2 pairs" }));
      expect(found.complete).toBe(true);
      expect(Object.fromEntries(found.violations.map(({ property, trace }) => [property, trace.length - 1]))).toEqual(
        steps,
      );
    });

  test("for example: without a grace period a CPU that has read the parent meets the freed table", () => {
    const found = exploreOneToOne(oneToOneSystem({ variant: "no-grace-period", bounds: "2 CPUs, 2 pairs" }));
    const actions = found.violations[0].trace.map(({ action }) => action);
    expect(actions.slice(-3)).toEqual([
      "CPU 1: map page 0; read the entry for the table (table A being closed by CPU 0, not present)",
      "CPU 0: unlink the table (table A being closed by CPU 0, not present → nothing); give the table back at once: table A",
      "CPU 1: read the leaf (in table A, which is free)",
    ]);
  });

  test("an owner in the mark matters only from the second pair of a CPU on: one pair each is not enough to see it", () => {
    const system = oneToOneSystem({ variant: "no-owner", bounds: "2 CPUs, 1 pair, 3 levels" });
    expect(exploreOneToOne({ ...system, levels: 2 }).violations).toEqual([]);
  });
});

describe("the model", () => {
  test("what programs say they know is all that they know: told apart by whole histories, the same holds and fails", () => {
    for (const { name } of oneToOneVariants) {
      const system = { ...oneToOneSystem({ variant: name, bounds: "2 CPUs, 2 pairs" }), pairs: 1 };
      const verdicts = [true, false].map((places) => {
        const model = new OneToOneModel(system, places);
        const found = explore(model, { properties: model.properties() });
        return found.violations.map(({ property, trace }) => [property, trace.length]);
      });
      expect(verdicts[0], name).toEqual(verdicts[1]);
    }
  });

  test("bounds out of range and unknown variants are named, with what is accepted", () => {
    const system = oneToOneSystem({ variant: "never", bounds: "3 CPUs, 1 pair" });
    expect(() => exploreOneToOne({ ...system, cpus: 4 })).toThrow("cpus is 4; it must be a whole number from 1 to 3.");
    expect(() => exploreOneToOne({ ...system, levels: 1 })).toThrow("levels is 1");
    expect(() => exploreOneToOne({ ...system, ranges: [{ page: 1, pages: 2 }] })).toThrow("2 pages from page 1");
    expect(() => oneToOneVariant("hopeful")).toThrow('no variant "hopeful" of dynamic 1:1; there are never, covering');
  });

  test("as an experiment it gives a row a property, and a figure", async () => {
    const run = await oneToOneExploration.run({ variant: ["never", "no-count"], bounds: ["3 CPUs, 1 pair"] });
    expect(run.rows).toHaveLength(12);
    expect(run.rows.filter((row) => !row["holds"]).map((row) => [row["variant"], row["steps"]])).toEqual([
      ["no-count", 10],
      ["no-count", 7],
    ]);
    expect(String(run.rows.find((row) => row["steps"] === 7)?.["counterexample"]).split(" → CPU")).toHaveLength(7);
    expect(run.figure("properties").data).toHaveLength(1);
  });
});
