import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  ConfigError,
  canonicalJson,
  configHash,
  defineExperiment,
  experimentByName,
  experiments,
  fieldsOf,
  unitsKey,
  withSettings,
} from "../../src/experiments/index.js";
import { grid } from "../../src/study/index.js";
import { runOnWorkers, sweep } from "../../src/sweep/index.js";
import { fc } from "../support/property.js";

const config = z.strictObject({
  cores: z.array(z.int().min(1).max(16)).default([1, 2]).describe("cores, a count each"),
  lock: z.enum(["ticket", "queued"]).default("ticket").describe("kind of lock"),
  link: z.strictObject({ generation: z.int().min(1).max(5).default(3).describe("PCIe generation") }).prefault({}),
  window: z.number().nullable().default(null).describe("window, in bytes; null: none"),
  verbose: z.boolean().default(false),
  mode: z.union([z.literal(0), z.literal(1)]).default(1),
  seed: z.int().min(0).default(1).describe("seed"),
});

const counting = defineExperiment({
  name: "counting",
  title: "Counting",
  question: "How far does it count?",
  config,
  points: ({ cores, seed }) => cores.map((n) => ({ n, seed })),
  label: ({ n }) => `${n} cores`,
  simulate: ({ n, seed }) => [{ n, sum: n + seed }],
  columns: { n: { unit: "", description: "cores" }, sum: { unit: "ns", description: "the sum" } },
  figures: {},
  claims: () => [],
});

test("a run has its rows in the points' order, and tells its progress", async () => {
  const told: string[] = [];
  const run = await counting.run({ cores: [4, 1] }, { onProgress: (done, total) => told.push(`${done}/${total}`) });
  expect(run.rows).toEqual([
    { n: 4, sum: 5 },
    { n: 1, sum: 2 },
  ]);
  expect(told).toEqual(["0/2", "1/2", "2/2"]);
  expect(() => run.figure("none")).toThrow('"none"');
});

test("a bad configuration is refused before anything runs, with field, value and what is accepted", async () => {
  await expect(counting.run({ cores: [17] })).rejects.toThrow(/counting[\s\S]*cores\.0: .*16.*\(got 17\)/);
  await expect(counting.run({ lock: "mcs" } as never)).rejects.toThrow(/lock: .*"ticket"\|"queued".*"mcs"/);
  await expect(counting.run({ coers: [1] } as never)).rejects.toThrow(
    /there is no field "coers"; the fields are cores, lock, link\.generation, window/,
  );
  await expect(counting.run({ link: { speed: 1 } } as never)).rejects.toThrow(/no field "link\.speed"/);
  await expect(counting.run({ seed: "abc" } as never)).rejects.toThrow(
    /seed: .*; accepts whole number, 0 or more \(got "abc"\)/,
  );
});

test("claims are judged when they are asked for, once; a run that is looked at shows them", async () => {
  let judged = 0;
  const claimed = defineExperiment({
    ...counting,
    config,
    claims: (rows) => {
      judged++;
      return [
        {
          id: "C1",
          quote: "It counts.",
          source: "here",
          kind: "question",
          verdict: "holds",
          explanation: `${rows.length} rows`,
        },
      ];
    },
  });
  const run = await claimed.run();
  expect(judged).toBe(0);
  expect(run.claims.map(({ explanation }) => explanation)).toEqual(["2 rows"]);
  expect(run.claims).toBe(run.claims);
  expect(inspect(run)).toContain("It counts.");
  expect(judged).toBe(1);
});

test("what the process remembers is open when points are made, which may be computed from it", async () => {
  const place = Symbol.for("iommu-lab.points");
  const offered = Object.assign(
    async () => {
      offered.latest = { get: () => undefined, put() {} };
      return offered.latest;
    },
    { latest: undefined as object | undefined },
  );
  const seen: unknown[] = [];
  const points = () => {
    seen.push(offered.latest);
    return [];
  };
  const asking = defineExperiment({ ...counting, config, points, claims: () => [] });
  Object.defineProperty(globalThis, place, { value: offered, configurable: true });
  try {
    for (const run of [asking.run, () => runOnWorkers(asking), () => sweep(asking, [{}])]) {
      offered.latest = undefined;
      await run();
    }
  } finally {
    Reflect.deleteProperty(globalThis, place);
  }
  expect(seen).toEqual(Array(3).fill({ get: expect.anything(), put: expect.anything() }));
});

test("many configurations are read by one parser as one is", () => {
  const parse = counting.parser();
  expect([{}, { cores: [3] }].map(parse)).toEqual([counting.parse(), counting.parse({ cores: [3] })]);
  expect(() => parse({ cores: [17] })).toThrow(ConfigError);
});

test("a single value where a list belongs is shown whole, not letter by letter", async () => {
  const lists = defineExperiment({
    ...{ name: "lists", title: "", question: "", points: () => [], label: () => "", simulate: () => [], columns: {} },
    config: z.strictObject({ cores: z.preprocess((v) => (Array.isArray(v) ? v : [v]), z.array(z.int())) }),
    ...{ figures: {}, claims: () => [] },
  });
  expect(() => lists.parse({ cores: "many" })).toThrow(/ {2}cores: .*\(got "many"\)/);
  expect(() => lists.parse({ cores: [1, "many"] })).toThrow(/ {2}cores\.1: .*\(got "many"\)/);
});

test("tables made from a run's table keep the units of the columns that they take over, and of no other", async () => {
  const { table } = await counting.run({ cores: [3, 1, 2] });
  const units = (t: object) => (t as Record<symbol, Record<string, string>>)[unitsKey];
  expect(units(table)).toEqual({ n: "", sum: "ns" });
  expect(units(table.select("sum"))).toEqual({ sum: "ns" });
  expect(units(table.filter("d => d.n > 1").orderby("sum").rename({ sum: "total" }))).toEqual({ n: "", total: "ns" });
  expect(units(table.derive({ sum: "d => d.sum / 2" }))).toEqual({ n: "", sum: "" });
});

test("an interrupt ends a run between points", async () => {
  const interrupt = new AbortController();
  const running = counting.run(
    {},
    { signal: interrupt.signal, onProgress: () => interrupt.abort(new Error("enough")) },
  );
  await expect(running).rejects.toThrow("enough");
});

describe("hashes", () => {
  test("do not depend on the order of keys, and differ for any other value", () => {
    expect(configHash("x", { a: 1, b: { c: [1, 2], d: "e" } })).toBe(
      configHash("x", { b: { d: "e", c: [1, 2] }, a: 1 }),
    );
    expect(configHash("x", { a: [1, 2] })).not.toBe(configHash("x", { a: [2, 1] }));
    expect(configHash("x", { a: 1 })).not.toBe(configHash("y", { a: 1 }));
    // Pinned: stored results are found by it.
    expect(configHash("x", { a: 1 })).toMatchInlineSnapshot(`"0a76cb7b4c02680bfe49"`);
  });

  test("canonical JSON reads back as the value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(() => canonicalJson({ a: [Number.NaN] })).toThrow("the value.a[0] is NaN");
  });
});

describe("settings written as text", () => {
  test("mean what the schema says", () => {
    const input = withSettings(config, { link: { generation: 2 } }, [
      "cores=1, 2,4",
      "lock=queued",
      "link.generation=4",
      "window=null",
      "verbose=true",
      "mode=0",
    ]);
    expect(input).toEqual({
      cores: [1, 2, 4],
      lock: "queued",
      link: { generation: 4 },
      window: null,
      verbose: true,
      mode: 0,
    });
    expect(withSettings(config, {}, ["window=1e3", "cores="])).toEqual({ window: 1000, cores: [] });
  });

  test("that are no setting, or of no field, are refused with what there is", () => {
    expect(() => withSettings(config, {}, ["cores"])).toThrow('field=value, for example seed=2; got "cores"');
    expect(() => withSettings(config, {}, ["link.speed=3"])).toThrow(/"link.speed".*link.generation/);
    for (const path of ["__proto__", "constructor", "__proto__.x", "link.__proto__", "link.constructor.x", "toString"])
      expect(() => withSettings(config, {}, [`${path}=1`])).toThrow(`There is no field "${path}".`);
    expect(() => counting.parse(withSettings(config, {}, ["seed=abc"]) as never)).toThrow(/seed.*"abc"/);
  });

  test("help lists every field with what it takes, its default and its unit", () => {
    expect(fieldsOf(config)[0]).toEqual({
      path: "cores",
      accepts: "list of whole numbers, 1 … 16",
      fallback: "1,2",
      description: "cores, a count each",
    });
    expect(fieldsOf(config).map(({ path, accepts, fallback }) => `${path}: ${accepts}; ${fallback}`)).toEqual([
      "cores: list of whole numbers, 1 … 16; 1,2",
      "lock: ticket, queued; ticket",
      "link.generation: whole number, 1 … 5; 3",
      "window: number or null; null",
      "verbose: true or false; false",
      "mode: 0 or 1; 1",
      "seed: whole number, 0 or more; 1",
    ]);
  });
});

test("a grid has every combination, the last field varying fastest, and leaves the base alone", () => {
  const base = { link: { generation: 1 } };
  const points = grid({ "link.generation": [2, 3], seed: [1, 2] }, base);
  expect(points.map(({ input }) => input)).toEqual([
    { link: { generation: 2 }, seed: 1 },
    { link: { generation: 2 }, seed: 2 },
    { link: { generation: 3 }, seed: 1 },
    { link: { generation: 3 }, seed: 2 },
  ]);
  expect(base).toEqual({ link: { generation: 1 } });
  expect(() => grid({ seed: [] })).toThrow("seed");
});

test("every experiment is found by its name, its fields are described, and its default configuration has points", () => {
  const names = experiments().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const experiment of experiments()) {
    expect(experimentByName(experiment.name)).toBe(experiment);
    for (const { path, accepts, description } of fieldsOf(experiment.schema())) {
      expect(description, `${experiment.name}: ${path}`).not.toBe("");
      expect(accepts, `${experiment.name}: ${path}`).not.toBe("JSON");
    }
    expect(experiment.points(experiment.parse()).length, experiment.name).toBeGreaterThan(0);
  }
  expect(() => experimentByName("nope")).toThrow(ConfigError);
  expect(() => experimentByName("nope")).toThrow(names[0]);
});
