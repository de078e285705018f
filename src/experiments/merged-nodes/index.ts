/**
 * Experiment 2: merging abutting nodes. How many nodes and how deep, what a walk costs, how much of the lost throughput comes back, in
 * which region of the assumptions that is about a third, and which mechanism carries it.
 *
 * The parts are independent: `structure` (nodes and depth), `walk` (cycles on one core), `recovery` (throughput on the baseline, every
 * policy), `sweep` (one assumption changed at a time), `region` (stack work against cores, pairs a transaction, hosts and, if asked, ways to flush), `ablation` (a part of the mechanism taken away).
 */
import { z } from "zod";
import type { Basis, Facts } from "../../facts/index.js";
import { defineExperiment, type Experiment, type Output } from "../frame/experiment.js";
import { mergedTree, type RunLength } from "../frame/run-length.js";
import { type Assume, assumed, assumeSchema } from "./assume.js";
import { mergedNodesClaims } from "./claims.js";
import { type Recovery, recoveries } from "./estimates.js";
import * as figures from "./figures.js";
import {
  ablationSettings,
  baselineSettings,
  type PolicyName,
  pointsOf,
  policies,
  type RecoveryPoint,
  type RegionHost,
  type Role,
  regionHosts,
  regionSettings,
  type Setting,
  simulateRecovery,
  sweepSettings,
} from "./recovery.js";
import { columns, type MergedNodesRow } from "./rows.js";
import { type StructurePoint, simulateStructure } from "./structure.js";
import { simulateWalk, type WalkPoint } from "./walk.js";

export type { RunLength } from "../frame/run-length.js";
export { type Assume, type Assumptions, assumedNames, assumedRanges } from "./assume.js";
export { aboutAThird, baselineOf, influence, isAThird, lostGain, type Recovery, recoveries } from "./estimates.js";
export { readings } from "./readings.js";
export type { AblationName, PolicyName, RecoveryPoint, RecoveryRow, RegionHost, Role } from "./recovery.js";
export type { MergedNodesRow } from "./rows.js";
export type { StructurePoint, StructureRow } from "./structure.js";
export type { WalkPoint, WalkRow } from "./walk.js";

// Question: how much of the performance that the IOMMU costs does merging abutting nodes give back, and why?

const partNames = ["structure", "walk", "recovery", "sweep", "region", "ablation"] as const;

/** What a run looks at; every field has a default. */
export interface MergedNodesConfig {
  fidelity: "quick" | "full";
  parts: (typeof partNames)[number][];
  seed: number;
  replications?: number | undefined;
  warmup?: number | undefined;
  transactions?: number | undefined;
  policies: PolicyName[];
  assume: Assume;
  staticMaps: number[];
  inFlight: number;
  footprintLines: number[];
  regionCores: number[];
  regionPairs: number[];
  regionHosts: RegionHost[];
  regionPolicies: PolicyName[];
  regionStack: number[];
}

/** What a caller may leave out: everything. */
export type MergedNodesInput = { [K in keyof MergedNodesConfig]?: MergedNodesConfig[K] | undefined };

const schema = (facts: Facts): z.ZodType<MergedNodesConfig, MergedNodesInput> =>
  z.strictObject({
    fidelity: z.enum(["quick", "full"]).default("quick").describe("quick: minutes less; full: as in a paper"),
    parts: z
      .array(z.enum(partNames))
      .min(1)
      .default([...partNames])
      .describe("which questions to answer"),
    seed: z.int().min(0).max(2_000_000_000).default(1).describe("first seed; replications use the next ones"),
    replications: z
      .int()
      .min(1)
      .max(50)
      .optional()
      .describe(
        "seeds a setting (default 2, quick 1 for what is known to move little; from 2 on the baseline gets one more, and under the first policy three times as many)",
      ),
    warmup: z
      .int()
      .min(1)
      .optional()
      .describe("transactions before the measurement (default 500, strict 250; full 25,000, merged 60,000)"),
    transactions: z.int().min(10).optional().describe("transactions measured (default 1,000, strict 750; full 20,000)"),
    policies: z
      .array(z.enum(policies))
      .min(1)
      .default([...policies])
      .describe("how unmaps are flushed in recovery; the other parts are run deferred"),
    assume: assumeSchema(facts).default({}).describe("assumptions of recovery, sweep, region and ablation to replace"),
    staticMaps: z
      .array(z.int().min(0).max(65_536))
      .min(1)
      .default([1024, 4096, 16_384, 32_768, 65_536])
      .describe("static maps of structure, in maps; the largest is also that of walk"),
    inFlight: z
      .int()
      .min(1)
      .max(65_536)
      .default(1024)
      .describe("short-lived maps at a time in structure and walk, in maps"),
    footprintLines: z
      .array(z.int().min(0).max(1_048_576))
      .min(1)
      .default([0, 512, 8192, 393_216])
      .describe("lines of other work between two operations in walk, in lines of 64 bytes"),
    regionCores: z.array(z.int().min(1).max(16)).min(1).default([4, 8, 16]).describe("cores of the region"),
    regionPairs: z
      .array(z.literal([1, 2, 4]))
      .min(1)
      .default([1, 2, 4])
      .describe("map and unmap pairs a transaction of the region: 1 transmit only, 2 both ways, 4 both ways twice"),
    regionHosts: z
      .array(z.enum(Object.keys(regionHosts) as [RegionHost, ...RegionHost[]]))
      .min(1)
      .default(Object.keys(regionHosts) as RegionHost[])
      .describe("hosts of the region, each with all its cores"),
    regionPolicies: z
      .array(z.enum(policies))
      .default([])
      .describe("ways to flush of the region; none unless asked for: strict ones take longest"),
    regionStack: z
      .array(z.number().min(0.1).max(10))
      .min(1)
      .default([0.5, 1, 2])
      .describe("stack work of the region, as a multiple of PE1"),
  });

/** A piece of work of this experiment. */
export type MergedNodesPoint = StructurePoint | WalkPoint | RecoveryPoint;

/**
 * How long a run is. Quick runs start from rings that were turned over outside simulated time, full ones turn fresh rings over by
 * themselves (8,192 transactions a turn): the two must agree. 125 transactions fill the deferred table once, so lengths are multiples.
 */
function lengthOf({ fidelity, warmup, transactions }: MergedNodesConfig, policy: PolicyName, role: Role): RunLength {
  const merged = role === "merged";
  if (fidelity === "full")
    return {
      agedTurns: 0,
      warmup: warmup ?? (merged ? mergedTree.warmup : 25_000),
      transactions: transactions ?? 20_000,
    };
  // Strict walks are the longest to simulate.
  const strict = policy === "strict" || policy === "thread-strict";
  return {
    agedTurns: merged ? mergedTree.turns : 1,
    warmup: warmup ?? (strict ? 250 : 500),
    transactions: transactions ?? (strict ? 750 : 1000),
  };
}

function points(c: MergedNodesConfig, { facts }: Basis): MergedNodesPoint[] {
  const replications = c.replications ?? 2;
  const assumptions = assumed(c.assume, facts);
  const seeds = (n: number) => Array.from({ length: n }, (_, i) => c.seed + i);
  const has = (part: (typeof partNames)[number]) => c.parts.includes(part);
  const result: MergedNodesPoint[] = [];
  const add = (settings: readonly Setting[], n: number) => {
    for (const setting of settings) {
      const few = setting.minor && c.fidelity === "quick" && c.replications === undefined;
      result.push(...pointsOf(setting, assumptions, seeds(few ? 1 : n), (role) => lengthOf(c, setting.policy, role)));
    }
  };
  const baseline = (chosen: readonly PolicyName[]) => {
    const [first, ...others] = baselineSettings(chosen);
    // With queued locks the tree of v4.3 varies by 6 % from seed to seed: twelve keep the baseline's interval below 5 %.
    add([first], replications > 1 ? 6 * replications : 1);
    add(others, replications > 1 ? replications + 1 : 1);
  };
  if (has("structure")) {
    for (const source of ["igb", "vmxnet3"] as const) result.push({ part: "structure", source });
    for (const staticMaps of c.staticMaps)
      result.push({ part: "structure", source: "generated", staticMaps, inFlight: c.inFlight, seed: c.seed });
  }
  if (has("walk")) {
    const staticMaps = Math.max(...c.staticMaps);
    for (const footprintLines of c.footprintLines)
      for (const tree of ["unmerged", "merged"] as const)
        for (const seed of seeds(replications))
          result.push({ part: "walk", tree, staticMaps, inFlight: c.inFlight, footprintLines, seed });
  }
  // The sweep, the region and the ablation are read against the baseline, so it is run with any of them.
  if (has("recovery")) baseline(c.policies);
  else if (has("sweep") || has("ablation") || has("region")) baseline(["deferred"]);
  if (has("sweep")) add(sweepSettings(facts), replications);
  if (has("region"))
    add(
      regionSettings(c.regionCores, c.regionPairs, c.regionHosts, c.regionPolicies, c.regionStack, facts),
      replications,
    );
  if (has("ablation")) add(ablationSettings, replications);
  return result;
}

function label(point: MergedNodesPoint): string {
  if (point.part === "structure")
    return point.source === "generated"
      ? `nodes of ${point.staticMaps} static maps`
      : `nodes of the recorded ${point.source}`;
  if (point.part === "walk") return `walk, ${point.tree}, ${point.footprintLines} lines of other work`;
  return `${point.part}: ${point.assumption} ${point.level}, ${point.role}, seed ${point.seed}`;
}

/** An estimate of the baseline under the first of the policies. */
const output = (description: string, of: (base: Recovery) => number): Output<MergedNodesRow> => ({
  unit: "%",
  description,
  of(rows) {
    const [base] = recoveries(rows).filter((r) => r.part === "recovery");
    if (!base) throw new Error('This number of merged-nodes needs the part "recovery".');
    return 100 * of(base);
  },
});

function simulate(point: MergedNodesPoint, basis: Basis): MergedNodesRow[] {
  if (point.part === "structure") return simulateStructure(point);
  return point.part === "walk" ? simulateWalk(point, basis) : simulateRecovery(point, basis);
}

/** How much of the lost performance merging abutting nodes gives back, and why. */
export const mergedNodes: Experiment<
  z.ZodType<MergedNodesConfig, MergedNodesInput>,
  MergedNodesPoint,
  MergedNodesRow
> = defineExperiment({
  name: "merged-nodes",
  place: [3, 1],
  title: "Merging abutting nodes",
  question: "How much of the performance that the IOMMU costs does merging abutting nodes give back, and why?",
  config: schema,
  points,
  label,
  simulate,
  columns,
  figures: {
    nodes: figures.nodesFigure,
    depth: figures.depthFigure,
    growth: figures.growthFigure,
    walk: figures.walkFigure,
    throughput: figures.throughputFigure,
    readings: figures.readingsFigure,
    sweep: figures.sweepFigure,
    "region-cores": figures.regionCoresFigure,
    "region-pairs": figures.regionPairsFigure,
    "region-hosts": figures.regionHostsFigure,
    "region-policies": figures.regionPoliciesFigure,
    ablation: figures.ablationFigure,
  },
  outputs: {
    recovered: output("share of the lost throughput that merging gives back", (r) => r.gapShare.mean),
    gain: output("gain of merged nodes over the tree of v4.3", (r) => r.ratio.mean - 1),
    level: output("throughput with merged nodes, of no IOMMU", (r) => r.mergedOfOff.mean),
    stock: output("throughput with the tree of v4.3, of no IOMMU", (r) => r.stockOfOff.mean),
  },
  claims: (rows, _, facts) => mergedNodesClaims(rows, facts),
});
