import { describe, expect, it } from "vitest";
import {
  hostOf,
  keptPredictions,
  recordedMachine,
  recordedMachines,
  recordingHash,
  sharedTime,
  silicon,
} from "../../src/experiments/index.js";
import type { Facts } from "../../src/facts/index.js";
import { basisOf } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const [name] = recordedMachines(published);
const file = ["observations", `silicon-${name}`] as const;

const spread = (ns: number) => ({ median: ns, low: ns, high: ns, n: 100 });
const transfer = (relation: string, ns: number) => ({
  relation,
  from: 0,
  to: 1,
  modifiedNs: spread(ns),
  cleanNs: spread(ns),
  takenNs: spread(ns),
  handOverNs: spread(2 * ns),
});
const run = (variant: string, threads: number, rate: number, quiet = 7) => ({
  variant,
  lock: variant === "off" ? "none" : "queued",
  workNs: 300,
  threads,
  quiet,
  windows: 7,
  transactionsPerSecond: [0.98, 0.99, 1, 1, 1, 1.01, 1.02].map((x) => x * rate),
  spinningShare: Array<number>(7).fill(threads === 1 ? 0 : 0.3),
  cpuShare: Array<number>(7).fill(1),
  visitsPerMap: 2,
  transferNs: threads > 1 ? spread(20) : null,
  tookSeconds: 1,
});

/** A machine of two cores at 4 GHz, as nobody has it. */
const made = {
  version: 1,
  program: "silicon.c",
  date: "2026-11-27",
  machine: {
    model: "a machine of this test",
    architecture: "x86_64",
    system: "Linux",
    kernel: "6.1",
    cores: 2,
    sockets: 1,
    clusters: 1,
    threadsPerCore: 1,
    topologyKnown: true,
    virtual: false,
    caches: [{ level: 1, bytes: 49_152, ways: 12 }],
  },
  loadBefore: [0.1, 0.1, 0.1],
  core: { cycleNs: spread(0.25), atomicNs: spread(5), relaxNs: spread(10), tickNs: spread(5), clockNs: spread(20) },
  loads: [
    { level: "L1", bytes: 24_576, ns: spread(1) },
    { level: "L2", bytes: 262_144, ns: spread(4) },
    { level: "memory", bytes: 134_217_728, ns: spread(100) },
  ],
  transfers: [transfer("same cluster", 20)],
  load: { depth: 64, flushEntries: 250, invalidationNs: 500, repeats: 7, workStepNs: 1 },
  runs: [run("off", 1, 3.2e6), run("deferred", 1, 2.2e6), run("deferred", 2, 2e6), run("strict", 2, 1e6, 3)],
  transfersAfter: [transfer("same cluster", 20)],
  loadAfter: [0.1, 0.1, 0.1],
  stolenShare: 0,
  latenciesSeconds: 3,
  tookSeconds: 60,
};
const withMachine = (machine: object): Facts => published.changed([{ path: file, value: machine }]);
const rowsOf = (facts: Facts, draws = 3) => {
  const config = silicon.parse({ machines: [name], replications: 2, draws }, facts);
  const basis = basisOf(facts);
  const rows = silicon.points(config, basis).flatMap((point) => silicon.simulate(point, basis));
  return { rows, claims: silicon.claims(rows, config, facts) };
};

describe("recorded machines", () => {
  it.each(recordedMachines(published))("%s can be read, and says under which load it was recorded", (one) => {
    const { machine, loadBefore, runs } = recordedMachine(published, one);
    expect(machine.model).not.toBe("");
    expect(loadBefore).toHaveLength(3);
    for (const { quiet, windows, cpuShare } of runs) {
      expect(quiet).toBeLessThanOrEqual(windows);
      for (const share of cpuShare.slice(0, quiet)) expect(share ?? 1).toBeGreaterThanOrEqual(0.97);
    }
  });

  it("name the file and the field where one is broken", () => {
    const facts = withMachine({ ...made, core: { ...made.core, atomicNs: "fast" } });
    expect(() => recordedMachine(facts, name)).toThrow(`data/observations/silicon-${name}.json: core.atomicNs`);
    expect(() => recordedMachine(withMachine({ ...made, version: 2 }), name)).toThrow("accepts version 1");
  });
});

describe("the host that is made of a recorded machine", () => {
  it("has what was measured in cycles of its own clock, and its source", () => {
    const { values } = hostOf(recordedMachine(withMachine(made), name));
    expect(values.gigahertz.value).toBe(4);
    expect(values.l2Cycles).toMatchObject({ value: 16, source: expect.stringContaining("measured") });
    expect(values.dirtySameSocketCycles.value).toBe(80);
    expect(values.atomicCycles.value).toBe(16);
  });

  it("assumes a range where there is no measurement, and none about what the machine has not got", () => {
    const { values } = hostOf(recordedMachine(withMachine(made), name));
    expect(values.l3Cycles.assumption).toEqual({ low: 40, high: 90 });
    expect(values.l2KiB.assumption).toBeDefined();
    expect(values.dirtyCrossSocketCycles.assumption).toBeUndefined();
  });

  it("does not choose between measurements of a line that differ", () => {
    const moved = { ...made, transfersAfter: [transfer("same cluster", 120)] };
    const { dirtySameSocketCycles } = hostOf(recordedMachine(withMachine(moved), name)).values;
    expect(dirtySameSocketCycles).toMatchObject({ value: 280, assumption: { low: 80, high: 480 } });
  });
});

describe("the experiment silicon", () => {
  const { rows, claims } = rowsOf(withMachine(made));
  const at = (variant: string, cores: number) =>
    rows.find((row) => row.variant === variant && row.cores === cores && row.draw === 0)!;

  it("predicts without having seen a rate: other rates, the same predictions", () => {
    const doubled = {
      ...made,
      runs: made.runs.map((one) => ({ ...one, transactionsPerSecond: one.transactionsPerSecond.map((x) => 2 * x) })),
    };
    const other = rowsOf(withMachine(doubled), 0).rows;
    expect(other.map(({ predicted, spinning }) => [predicted, spinning])).toEqual(
      rows.filter(({ draw }) => draw === 0).map(({ predicted, spinning }) => [predicted, spinning]),
    );
    expect(other[0].measured).toBeCloseTo(2 * rows[0].measured, 0);
  });

  it("does nothing but the work where nothing is mapped, and waits for nobody alone", () => {
    expect(at("off", 1).predicted).toBeGreaterThan(0.9 * (1e9 / 300));
    expect(at("off", 1).predicted).toBeLessThan(1e9 / 300);
    expect(at("deferred", 1).spinning).toBe(0);
    expect(at("deferred", 2).spinning).toBeGreaterThan(1);
    expect(at("deferred", 1).predicted).toBeLessThan(at("off", 1).predicted);
  });

  it("judges by margins that were written down, over the draws, and judges nothing that others disturbed", () => {
    const alone = claims.find(({ id }) => id.endsWith("deferred, throughput, one core"))!;
    const { margin, draws } = alone.prior!;
    expect(margin.low).toBeCloseTo(0.85 * 0.98 * 2.2e6, 0);
    expect(margin.high).toBeCloseTo(1.15 * 1.02 * 2.2e6, 0);
    expect(draws).toBe(3);
    expect(alone.kind).toBe("predicted number");
    const disturbed = claims.find(({ id }) => id.includes("strict"))!;
    expect(disturbed).toMatchObject({
      verdict: "not answered",
      explanation: expect.stringContaining("others had the cores"),
    });
    expect(claims.filter(({ id }) => id.includes("one core") && id.includes("spinning"))).toEqual([]);
  });

  it("says what a map and an unmap cost alone, beside what was measured", () => {
    const config = silicon.parse({}, withMachine(made));
    const [measured, predicted] = silicon.figures.cost(rows, config, basisOf(published)).data as { y: number[] }[];
    const [deferred] = measured.y;
    expect(deferred).toBeCloseTo(1e9 / 2.2e6 - 1e9 / 3.2e6, 3);
    expect(predicted.y[0]).toBeGreaterThan(20);
    expect(predicted.y[0]).toBeLessThan(400);
  });

  it("lets a core look ahead only where that is asked for, and runs longer likewise", () => {
    const facts = withMachine(made);
    const rate = (changes: object): number => {
      const config = silicon.parse(
        { machines: [name], replications: 2, draws: 0, locks: ["queued"], ...changes },
        facts,
      );
      const basis = basisOf(facts);
      const [, , point] = silicon.points(config, basis);
      return silicon.simulate(point, basis)[0].predicted;
    };
    const usual = rate({});
    expect(usual).toBe(rows.find(({ variant, cores }) => variant === "deferred" && cores === 2)?.predicted);
    expect(rate({ streamedLines: 20 })).toBeGreaterThan(usual);
    expect(rate({ times: 2 })).not.toBe(usual);
    expect(silicon.points(silicon.parse({ machines: [name], locks: ["ticket"] }, facts), basisOf(facts))).toHaveLength(
      1,
    );
  });

  it("says what an entry of a table costs all cores, from both ends of a curve", () => {
    const row = (cores: number, measured: number, predicted: number) => ({
      ...rows[0],
      variant: "magazines-deferred",
      lock: "queued",
      draw: 0,
      cores,
      measured,
      predicted,
    });
    const table = sharedTime({ "as predicted": [row(1, 4e6, 2e6), row(16, 32e6, 16e6)] });
    expect(table.objects()).toEqual([
      { name: "measured", alone: 250, together: 500, entry: 250 / 16, ratio: 1 },
      { name: "as predicted", alone: 500, together: 1000, entry: 500 / 16, ratio: 0.5 },
    ]);
    expect(() => sharedTime({})).toThrow("one prediction or more");
  });

  it("draws measured and predicted together, and says what is missing", () => {
    const { figures } = silicon;
    const config = silicon.parse({}, withMachine(made));
    const figure = figures.throughput(rows, config, basisOf(published));
    const names = figure.data.map(({ name: series }) => series);
    expect(names).toContain("deferred, measured");
    expect(names).toContain("deferred, predicted");
    expect(figure.caption).toContain("1 of 4 runs have no measurement");
  });
});

const keptOf = recordedMachines(published).filter((machine) => keptPredictions(published, machine));

describe.each(keptOf)("the kept predictions of %s", (machine) => {
  const basis = basisOf(published);
  const points = (predictions: "kept" | "anew") =>
    silicon.points(silicon.parse({ machines: [machine], predictions }, published), basis);

  it("are those of the recording that stands in data/observations, and name the revision of their code", () => {
    const { recording, version } = keptPredictions(published, machine)!;
    expect(recording).toBe(recordingHash(published, machine));
    expect(version).toMatch(/^[0-9a-f]{7,40}$/);
    expect(keptPredictions(published, machine)!.columns).toEqual(Object.keys(silicon.columns));
  });

  it("come out again, byte for byte, where some of them are computed anew", () => {
    const kept = points("kept");
    const anew = points("anew");
    const { cores } = recordedMachine(published, machine).machine;
    const sampled = kept.flatMap(({ variant, lock, cores: some, workNs }, i) =>
      (some === 1 && variant === "merged-strict" && lock === "queued") ||
      (some === 4 && variant === "deferred" && lock === "ticket" && workNs === 300) ||
      (some === cores && variant === "magazines-deferred" && lock === "queued" && workNs > 300)
        ? [i]
        : [],
    );
    expect(sampled.length).toBeGreaterThanOrEqual(4);
    for (const i of sampled)
      expect(JSON.stringify(silicon.simulate(kept[i], basis)), JSON.stringify(kept[i])).toBe(
        JSON.stringify(silicon.simulate(anew[i], basis)),
      );
  });

  it("are not taken where a record was changed that they depend on, and say what that is", () => {
    const some = points("kept").filter(({ cores, workNs }) => cores === 1 && workNs === 300);
    const readBy = (facts: Facts, anew: boolean): string[] => {
      const read = new Set<string>();
      const noted = basisOf(facts.noting((name) => read.add(name)));
      for (const point of some)
        silicon.simulate({ ...point, draws: 0, ...(anew ? { anew, replications: 2 } : {}) }, noted);
      return [...read].filter((name) => !name.startsWith("predictions/")).sort();
    };
    expect(readBy(published, false)).toEqual(readBy(published, true));
    const host = structuredClone(published.hardware("rome")) as { values: { l2Cycles: { value: number } } };
    host.values.l2Cycles.value++;
    const other = basisOf(published.changed([{ path: ["hardware", "rome"], value: host }]));
    const [point] = some;
    expect(silicon.simulate({ ...point, draws: 0 }, basis)).toBeDefined();
    const kept = structuredClone(keptPredictions(published, machine)!);
    kept.rows[0][kept.columns.indexOf("predicted")] = 1;
    const wrong = { path: ["predictions", `silicon-${machine}`], value: kept };
    expect(silicon.simulate({ ...point, draws: 0 }, basisOf(published.changed([wrong])))[0].predicted).toBe(1);
    expect(silicon.simulate({ ...point, draws: 0 }, basisOf(other.facts.changed([wrong])))[0].predicted).not.toBe(1);
  });

  it("are not taken for another recording, other seeds or other draws", () => {
    const recording = { ...recordedMachine(published, machine), date: "2020-01-01" };
    const facts = published.changed([{ path: ["observations", `silicon-${machine}`], value: recording }]);
    const [point] = points("kept");
    const two = { ...point, draws: 0, replications: 2 };
    const other = silicon.simulate(two, basisOf(facts));
    expect(JSON.stringify(other)).toBe(JSON.stringify(silicon.simulate({ ...two, anew: true }, basisOf(facts))));
    expect(other[0].predictedLow).not.toBe(silicon.simulate(point, basis)[0].predictedLow);
  });
});

describe.each([
  { times: 4, streamedLines: 1 },
  { times: 4, streamedLines: 20 },
])("the kept predictions of longer runs, $streamedLines lines under way", (how) => {
  const basis = basisOf(published);
  const points = (predictions: "kept" | "anew") => {
    const input = { machines: ["xeon-16"], locks: ["queued" as const], replications: 3, draws: 0, predictions, ...how };
    return silicon.points(silicon.parse(input, published), basis);
  };

  it("are found by their settings, of every run with queued locks, and come out again", () => {
    const kept = keptPredictions(published, "xeon-16", how)!;
    expect(kept).toMatchObject({ ...how, draws: 0, recording: recordingHash(published, "xeon-16") });
    expect(kept.rows).toHaveLength(points("kept").length);
    const some = points("kept").flatMap(({ variant, cores, workNs }, i) =>
      variant === "magazines-deferred" && workNs === 300 && cores <= 2 ? [i] : [],
    );
    expect(some).toHaveLength(2);
    for (const i of some)
      expect(JSON.stringify(silicon.simulate(points("kept")[i], basis))).toBe(
        JSON.stringify(silicon.simulate(points("anew")[i], basis)),
      );
  });
});
