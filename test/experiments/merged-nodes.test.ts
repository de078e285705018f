import { beforeAll, describe, expect, it } from "vitest";
import {
  baselineOf,
  influence,
  isAThird,
  lockSensitivity,
  lostGain,
  type MergedNodesRow,
  mergedNodes,
  type RecoveryPoint,
  type RecoveryRow,
  recoveries,
  type StructureRow,
  where,
} from "../../src/experiments/index.js";
import { type HostRun, hostRunDefaults, workloadAssumptions } from "../../src/host/index.js";
import { published } from "../support/facts.js";

type Run = Awaited<ReturnType<typeof mergedNodes.run>>;
type MergedNodesInput = NonNullable<Parameters<typeof mergedNodes.parse>[0]>;

/** The simulations of the sweep. */
const sweepPoints = (input: MergedNodesInput): RecoveryPoint[] =>
  mergedNodes
    .points(mergedNodes.parse({ ...input, parts: ["sweep"] }))
    .filter((point): point is RecoveryPoint => point.part === "sweep");

/** A small configuration of the throughput parts: few transactions, so that it runs in seconds. */
const small = {
  replications: 2,
  warmup: 60,
  transactions: 120,
  staticMaps: [512, 4096],
  assume: { staticMaps: 2048, rxRing: 64 },
};
/** A row of a throughput part, as far as a test needs it. */
const rowOf = (cells: Partial<RecoveryRow>): RecoveryRow =>
  ({ policy: "deferred", visits: 1, spinShare: 0, ...cells }) as RecoveryRow;
const entriesOf = <V>(values: Partial<Record<RecoveryRow["role"], V>>) =>
  Object.entries(values) as [RecoveryRow["role"], V][];
const isStructure = (row: MergedNodesRow): row is StructureRow => row.part === "structure";
const verdict = (run: Run, id: string) => run.claims.find((claim) => claim.id === id)?.verdict;

describe("nodes and depth", () => {
  let run: Run;
  beforeAll(async () => {
    run = await mergedNodes.run({ ...small, parts: ["structure"], inFlight: 64 });
  });
  const row = (match: Partial<StructureRow>) => where(run.rows.filter(isStructure), match)[0];

  it("finds the recorded igb's static maps in 2 merged nodes, whose unmerged tree is 14.5 levels deep in the mean", () => {
    const igb = { source: "igb", layout: "v4.3 addresses", when: "boot" } as const;
    expect(row({ ...igb, tree: "unmerged" })).toMatchObject({ nodes: 32_777, maxDepth: 27 });
    expect(row({ ...igb, tree: "unmerged" }).meanDepth).toBeCloseTo(14.5, 1);
    expect(row({ ...igb, tree: "merged" })).toMatchObject({ nodes: 2 });
    expect(row({ ...igb, layout: "as recorded", tree: "merged" })).toMatchObject({ nodes: 4 });
  });

  it("finds more merged nodes where the recorded kernel chose the addresses", () => {
    for (const source of ["igb", "vmxnet3"] as const) {
      const nodes = (layout: StructureRow["layout"]) => row({ source, layout, when: "steady", tree: "merged" }).nodes;
      expect(nodes("as recorded")).toBeGreaterThan(nodes("v4.3 addresses"));
    }
  });

  it("answers S1, S3, S4 and the sentence on information, and leaves S5 and PE2 open; S2 is a setting", () => {
    expect(["S1", "S3", "S4", "merging-information"].map((id) => verdict(run, id))).toEqual([
      "depends",
      "depends",
      "depends",
      "does not hold",
    ]);
    expect(["PE2", "S5", "merging-mechanism"].map((id) => verdict(run, id))).toEqual(Array(3).fill("not answered"));
  });

  it("finds the merged tree of generated requests in pieces under load: as many as a flush leaves holes, and one more at most", () => {
    for (const staticMaps of small.staticMaps) {
      const merged = { source: "generated", staticMaps, tree: "merged" } as const;
      expect(row({ ...merged, when: "boot" }).nodes).toBeLessThanOrEqual(2);
      const { nodes, nodesLow, nodesHigh } = row({ ...merged, when: "steady" });
      expect(nodes).toBeGreaterThan(10);
      expect(nodesHigh).toBeLessThanOrEqual(252);
      expect(nodesLow).toBeLessThan(nodes);
    }
  });

  it("draws its figures", () => {
    expect(run.figure("nodes").data).toHaveLength(2);
    expect(run.figure("growth").data).toHaveLength(4);
    expect(run.figure("depth").data).toHaveLength(7);
  });
});

describe("the cost of a walk", () => {
  it("grows with other work between two operations, and merged is cheaper everywhere", async () => {
    const run = await mergedNodes.run({ ...small, parts: ["walk"], footprintLines: [0, 8192, 400_000] });
    const cycles = (tree: string, lines: number) =>
      run.rows
        .filter((r) => r.part === "walk")
        .filter((r) => r.tree === tree && r.footprintLines === lines)
        .reduce((sum, r) => sum + r.cycles, 0);
    for (const tree of ["unmerged", "merged"]) {
      expect(cycles(tree, 8192)).toBeGreaterThan(cycles(tree, 0));
      expect(cycles(tree, 400_000)).toBeGreaterThan(cycles(tree, 8192));
    }
    for (const lines of [0, 8192, 400_000]) expect(cycles("merged", lines)).toBeLessThan(cycles("unmerged", lines));
    expect(run.figure("walk").data).toHaveLength(6);
  });
});

describe("the throughput that comes back", () => {
  it("is the same for the same seed, has intervals, and is answered with its prediction first", async () => {
    const config = { ...small, parts: ["recovery" as const], policies: ["deferred" as const, "strict" as const] };
    const [run, again] = [await mergedNodes.run(config), await mergedNodes.run(config)];
    expect(again.rows).toEqual(run.rows);
    expect(run.claims.map((claim) => claim.id).indexOf("PE2")).toBe(0);
    const base = baselineOf(recoveries(run.rows));
    expect(base).toBeDefined();
    if (!base) return;
    expect(base.stock.mean).toBeLessThan(base.merged.mean);
    expect(base.merged.mean).toBeLessThan(base.off.mean);
    expect(base.gapShare.low).toBeLessThan(base.gapShare.high);
    expect(base.gapShare.n).toBe(12);
    expect(run.claims.find(({ id }) => id === "S5")?.simulated).toMatchObject({ unit: "% of the loss", n: 12 });
    expect(run.figure("readings").data).toHaveLength(4);
    expect(run.figure("throughput").data).toHaveLength(3);
    expect(run.figure("throughput").alt).toMatch(/16 cores, 200 threads of TCP_RR, 2,048 static maps/);
  });
});

describe("the readings of a third", () => {
  /** Rows as a run would give them. */
  const rowsOf = (
    part: RecoveryRow["part"],
    assumption: string,
    level: string,
    values: Partial<Record<RecoveryRow["role"], number[]>>,
  ) =>
    entriesOf(values).flatMap(([role, list]) =>
      list.map((throughput, i) => rowOf({ part, assumption, level, role, seed: i + 1, throughput })),
    );
  const rows = [
    ...rowsOf("recovery", "baseline", "deferred", { off: [990, 1010], stock: [220, 220], merged: [480, 480] }),
    ...rowsOf("sweep", "cores", "4", { off: [100, 100], stock: [50, 50], merged: [60, 60] }),
    ...rowsOf("sweep", "static maps", "0", { stock: [220, 220], merged: [350, 350] }),
    ...rowsOf("ablation", "ablation", "no static maps", { stock: [300, 300], merged: [300, 300] }),
  ];

  it("are the share of the loss, the gain and the level, seed by seed", () => {
    const base = baselineOf(recoveries(rows));
    expect(base?.gapShare.mean).toBeCloseTo((260 / 770 + 260 / 790) / 2, 12);
    expect(base?.ratio.mean).toBeCloseTo(480 / 220, 12);
    expect(base?.mergedOfOff.mean).toBeCloseTo((480 / 990 + 480 / 1010) / 2, 12);
  });

  it("take the baseline's throughput without an IOMMU where an assumption does not change it", () => {
    const statics = recoveries(rows).find((r) => r.assumption === "static maps");
    expect(statics?.off.mean).toBe(1000);
    expect(statics?.gapShare.mean).toBeCloseTo((130 / 770 + 130 / 790) / 2, 12);
  });

  it("say which assumption moves the result most, and what an ablation takes away", () => {
    expect(influence(recoveries(rows)).map(({ assumption }) => assumption)[0]).toBe("static maps");
    expect(lostGain(recoveries(rows))).toEqual([
      { name: "statics", level: "no static maps", share: 1, low: 1, high: 1 },
    ]);
  });
});

describe("quick and full fidelity", () => {
  it("agree on the baseline within their intervals: aged rings against fresh ones after 25,000 transactions, merged 60,000", {
    timeout: 300_000,
  }, async () => {
    const config = { parts: ["recovery" as const], policies: ["deferred" as const] };
    const [quick] = recoveries((await mergedNodes.run({ ...config, seed: 11 })).rows);
    const [full] = recoveries((await mergedNodes.run({ ...config, fidelity: "full", replications: 1 })).rows);
    for (const key of ["stockOfOff", "mergedOfOff", "gapShare"] as const) {
      const { mean, low, high } = quick[key];
      expect((high - low) / 2 / mean, key).toBeLessThan(0.05);
      // The long run is one seed; six of them have intervals of 2 %.
      expect(full[key].mean, key).toBeGreaterThan(low * 0.98);
      expect(full[key].mean, key).toBeLessThan(high * 1.02);
    }
  });
});

describe("the region", () => {
  it("has every cell with its interval, on three hosts, and says of each whether it is a third", async () => {
    const run = await mergedNodes.run({
      ...small,
      parts: ["region"],
      regionCores: [16],
      regionPairs: [2],
      regionPolicies: ["deferred", "thread-deferred"],
      regionStack: [1],
    });
    const cells = recoveries(run.rows).filter((r) => r.part === "region");
    expect(cells.map((r) => r.level)).toEqual([
      16,
      2,
      "Westmere-EP, 12 cores",
      "Sandy Bridge-EP, 16 cores",
      "Broadwell-EP, 28 cores",
      "deferred",
      "thread-deferred",
    ]);
    expect(cells.every((r) => r.stackMultiple === 1)).toBe(true);
    for (const { gapShare } of cells) expect(gapShare.high).toBeGreaterThan(gapShare.low);
    // The same host under three names: one result.
    expect(cells[1].gapShare.mean).toBe(cells[0].gapShare.mean);
    expect(cells[4].gapShare.mean).not.toBe(cells[0].gapShare.mean);
    expect(cells[5].gapShare.mean).toBe(cells[0].gapShare.mean);
    expect(cells[6].gapShare.mean).not.toBe(cells[0].gapShare.mean);
    const [map] = run.figure("region-hosts").data;
    expect(map).toMatchObject({ type: "heatmap", y: ["1"] });
    expect(run.figure("region-hosts").caption).toContain("within 29 to 38 %");
    expect(map["x"]).toHaveLength(3);
    expect(run.figure("region-policies").data[0]).toMatchObject({ type: "heatmap", y: ["1"] });
    const { ticktext } = run.figure("region-policies").layout["xaxis"] as { ticktext: string[] };
    for (const label of ticktext) expect(label).toMatch(/^(?:deferred|strict)(?: \(v4\.3\)|, the)/);
  });

  it("tells a cell that is a third from one that is not and from one that its interval leaves open", () => {
    const of = (low: number, high: number) =>
      isAThird({ mean: (low + high) / 2, low, high, n: 2, level: 0.95 }, { low: 29, high: 38 });
    expect([of(0.3, 0.37), of(0.1, 0.2), of(0.5, 0.6), of(0.2, 0.35), of(0.1, 0.9)]).toEqual([
      "yes",
      "no",
      "no",
      "undecided",
      "undecided",
    ]);
  });

  it("gives a share of a small loss a wide interval, and of a large one a narrow", () => {
    const rows = (level: number, off: number, stock: number, merged: number) =>
      [1, 2, 3].flatMap((seed) =>
        entriesOf({ off, stock, merged }).map(([role, mean]) =>
          rowOf({
            ...{ part: "region", assumption: "cores", level, stackMultiple: 1, role, seed },
            throughput: mean * (1 + ((seed * 7 + role.length) % 3) / 100),
          }),
        ),
      );
    const [small, large] = recoveries([...rows(4, 1000, 950, 975), ...rows(16, 1000, 200, 600)]);
    const width = (r: typeof small) => r.gapShare.high - r.gapShare.low;
    expect(width(small)).toBeGreaterThan(5 * width(large));
  });
});

describe("the assumptions of the baseline", () => {
  it("can be replaced, and are refused by name", async () => {
    const run = await mergedNodes.run({
      ...small,
      replications: 1,
      parts: ["recovery"],
      policies: ["deferred"],
      assume: { ...small.assume, cores: 2, stack: 2 },
    });
    expect(run.rows).toHaveLength(3);
    const [base] = recoveries(run.rows);
    expect(base.off.mean).toBeLessThan(90_000);
    expect(mergedNodes.outputs?.["recovered"]?.of(run.rows)).toBeCloseTo(100 * base.gapShare.mean, 9);
    expect(() => mergedNodes.parse({ assume: { cores: 99 } })).toThrow(/assume\.cores: .*16 cores/);
    expect(() => mergedNodes.parse({ assume: { host: "8086" } })).toThrow(/assume\.host: .*westmere-ep/);
    expect(() => mergedNodes.parse({ assume: { refillBatch: 0 } })).toThrow(/assume\.refillBatch: .*1/);
  });

  it("that data/workload lists are each swept, to an end of its range and not beyond", () => {
    const runs: Partial<HostRun>[] = [
      ...sweepPoints({}).map(({ run }) => run),
      ...lockSensitivity.points(lockSensitivity.parse()).map((point) => (point as { run: HostRun }).run),
    ];
    const all = workloadAssumptions(published);
    for (const field of Object.keys(all) as (keyof HostRun)[]) {
      const { low, high } = all[field].assumption;
      const tried = runs
        .flatMap((run) => run[field] ?? [])
        .filter((value) => value !== hostRunDefaults(published)[field]);
      expect(
        [low, high].some((end) => tried.includes(end)),
        field,
      ).toBe(true);
      for (const value of tried) expect(Number(value) >= low && Number(value) <= high, `${field} ${value}`).toBe(true);
    }
  });

  it("that move little have one seed a setting in a quick run, as many as asked for otherwise, and an interval all the same", () => {
    const seeds = (input: MergedNodesInput) =>
      new Set(sweepPoints(input).flatMap(({ run, seed }) => (run.refillBatch === 1 ? [seed] : []))).size;
    expect([seeds({}), seeds({ replications: 3 }), seeds({ fidelity: "full" })]).toEqual([1, 3, 2]);
    const rows = (assumption: string, seeds: number[]) =>
      seeds.flatMap((seed) =>
        entriesOf({ off: 1000, stock: 200, merged: 400 }).map(([role, mean]) =>
          rowOf({ part: "sweep", assumption, level: "1", role, seed, throughput: mean * (1 + seed / 100) }),
        ),
      );
    const [two, one] = recoveries([...rows("two", [1, 2]), ...rows("one", [1])]).map(({ gapShare }) => gapShare);
    expect(one.n).toBe(1);
    expect(one.high - one.low).toBeCloseTo(Math.SQRT2 * (two.high - two.low), 1);
  });

  it("have no more cores than the host: its hardware threads are none", () => {
    expect(() => mergedNodes.parse({ assume: { cores: 28 } })).toThrow(
      /assume\.cores: .*the 16 cores of sandy-bridge-ep/,
    );
    expect(() => mergedNodes.parse({ assume: { host: "westmere-ep" } })).toThrow(
      /assume\.cores: .*12 cores of westmere-ep/,
    );
    expect(mergedNodes.parse({ assume: { host: "westmere-ep", cores: 12 } }).assume.cores).toBe(12);
    expect(mergedNodes.parse({ assume: { host: "broadwell-ep", cores: 28 } }).assume.cores).toBe(28);
  });
});

describe("the configuration", () => {
  it("names the field and what it accepts", () => {
    expect(() => mergedNodes.parse({ parts: ["nodes" as never] })).toThrow(/merged-nodes: .*\n.*parts\.0/);
    expect(() => mergedNodes.parse({ staticMaps: [-1] })).toThrow(/staticMaps\.0: .*0/);
    expect(() => mergedNodes.parse({ transactions: 1 })).toThrow(/transactions/);
  });

  it("runs a paper's number of transactions at full fidelity", () => {
    const points = mergedNodes.points(mergedNodes.parse({ fidelity: "full", parts: ["recovery"] }));
    const runs = points.filter((point): point is RecoveryPoint => point.part === "recovery");
    expect(runs.length).toBeGreaterThan(20);
    expect(runs.every(({ length }) => length.agedTurns === 0 && length.warmup >= 10_000)).toBe(true);
  });
});
