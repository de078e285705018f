/**
 * Experiment 2: merging abutting nodes. How many nodes and how deep, what a walk costs, how much of the lost throughput comes back, in
 * which region of the assumptions that is about a third, and which mechanism carries it.
 *
 * The parts are independent: `structure` (nodes and depth), `walk` (cycles on one core), `recovery` (throughput on the baseline, every
 * policy), `sweep` (one assumption changed at a time), `region` (stack work against cores and against pairs a transaction), `ablation` (a part of the mechanism taken away).
 */
import { z } from "zod";
import { defineExperiment, type Experiment, type Row } from "../experiment.js";
import { mergedNodesClaims } from "./claims.js";
import * as figures from "./figures.js";
import {
  ablationSettings,
  baselineSettings,
  pointsOf,
  type RecoveryPoint,
  regionSettings,
  type Setting,
  simulateRecovery,
  sweepSettings,
} from "./recovery.js";
import { type StructurePoint, simulateStructure } from "./structure.js";
import { simulateWalk, type WalkPoint } from "./walk.js";

export { aboutAThird, baselineOf, influence, lostGain, type Recovery, recoveries } from "./estimates.js";
export type { Assumptions, PolicyName, RecoveryPoint, Role } from "./recovery.js";
export type { StructurePoint } from "./structure.js";
export type { WalkPoint } from "./walk.js";

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
  staticMaps: number[];
  inFlight: number;
  footprintLines: number[];
  regionCores: number[];
  regionPairs: number[];
  regionStack: number[];
}

/** What a caller may leave out: everything. */
export type MergedNodesInput = { [K in keyof MergedNodesConfig]?: MergedNodesConfig[K] | undefined };

const Config: z.ZodType<MergedNodesConfig, MergedNodesInput> = z.strictObject({
  fidelity: z.enum(["quick", "full"]).default("quick").describe("quick: minutes less; full: as in a paper"),
  parts: z
    .array(z.enum(partNames))
    .min(1)
    .default([...partNames])
    .describe("which questions to answer"),
  seed: z.int().min(0).max(2_000_000_000).default(1).describe("first seed; replications use the next ones"),
  replications: z
    .int()
    .min(2)
    .max(50)
    .optional()
    .describe("seeds a setting of recovery, sweep and ablation (default 2, full 6; the baseline one more)"),
  warmup: z.int().min(1).optional().describe("transactions before the measurement (default 400, full 10,000)"),
  transactions: z.int().min(10).optional().describe("transactions measured (default 600, full 10,000)"),
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
  regionStack: z
    .array(z.number().min(0.1).max(10))
    .min(1)
    .default([0.5, 1, 2])
    .describe("stack work of the region, as a multiple of PE1"),
});

/** A piece of work of this experiment. */
export type MergedNodesPoint = StructurePoint | WalkPoint | RecoveryPoint;

function points(c: MergedNodesConfig): MergedNodesPoint[] {
  const full = c.fidelity === "full";
  const replications = c.replications ?? (full ? 6 : 2);
  const length = { warmup: c.warmup ?? (full ? 10_000 : 400), transactions: c.transactions ?? (full ? 10_000 : 600) };
  const seeds = (n: number) => Array.from({ length: n }, (_, i) => c.seed + i);
  const has = (part: (typeof partNames)[number]) => c.parts.includes(part);
  const result: MergedNodesPoint[] = [];
  const add = (settings: readonly Setting[], n: number) => {
    for (const setting of settings) result.push(...pointsOf(setting, seeds(n), length));
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
  if (has("recovery")) add(baselineSettings, replications + 1);
  else if (has("sweep") || has("ablation") || has("region")) add(baselineSettings.slice(0, 1), replications + 1);
  if (has("sweep")) add(sweepSettings, replications);
  if (has("region")) add(regionSettings(c.regionCores, c.regionPairs, c.regionStack), full ? replications : 1);
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

function simulate(point: MergedNodesPoint): Row[] {
  if (point.part === "structure") return simulateStructure(point);
  return point.part === "walk" ? simulateWalk(point) : simulateRecovery(point);
}

/** How much of the lost performance merging abutting nodes gives back, and why. */
export const mergedNodes: Experiment<
  z.ZodType<MergedNodesConfig, MergedNodesInput>,
  MergedNodesPoint
> = defineExperiment({
  name: "merged-nodes",
  title: "Merging abutting nodes",
  question: "How much of the performance that the IOMMU costs does merging abutting nodes give back, and why?",
  config: Config,
  points,
  label,
  simulate,
  columns: {
    part: { unit: "", description: "which question the row answers" },
    source: { unit: "", description: "structure: whose requests" },
    layout: { unit: "", description: "structure: who chose the addresses" },
    tree: { unit: "", description: "structure and walk: unmerged or merged" },
    when: { unit: "", description: "structure: at boot or in steady state" },
    staticMaps: { unit: "maps", description: "static maps of a generated source" },
    inFlight: { unit: "maps", description: "short-lived maps at a time" },
    live: { unit: "maps", description: "ranges mapped" },
    allDevices: { unit: "maps", description: "ranges mapped by all NICs of the recording together" },
    nodes: { unit: "nodes", description: "nodes of the tree (structure: mean over the samples)" },
    nodesLow: { unit: "nodes", description: "fewest nodes of a sample" },
    nodesHigh: { unit: "nodes", description: "most nodes of a sample" },
    maxDepth: { unit: "levels", description: "level of the deepest node; the root is at 1" },
    meanDepth: { unit: "levels", description: "mean level of a node" },
    unmapsOfPart: { unit: "share", description: "unmaps that met a merged node longer than what they ended" },
    footprintLines: { unit: "lines", description: "walk: lines of other work between two operations" },
    step: { unit: "", description: "walk: allocate, find or free" },
    cycles: { unit: "cycles", description: "walk: mean cost of the step in the tree" },
    lines: { unit: "lines", description: "walk: mean accesses of the step" },
    assumption: { unit: "", description: "which assumption is varied" },
    level: { unit: "", description: "to what (region: that, and after the bar the multiple of PE1)" },
    policy: { unit: "", description: "how unmaps are flushed, and in whose wording" },
    role: { unit: "", description: "off, stock or merged" },
    seed: { unit: "", description: "seed of the run" },
    throughput: { unit: "transactions/s", description: "transactions of all threads a second" },
    visits: { unit: "nodes", description: "nodes that an allocation examined, mean" },
    stackShare: { unit: "share", description: "of the cores' time: stack work" },
    spinShare: { unit: "share", description: "of the cores' time: waiting for locks" },
    treeShare: { unit: "share", description: "of the cores' time: in the tree" },
  },
  figures: {
    nodes: figures.nodesFigure,
    depth: figures.depthFigure,
    walk: figures.walkFigure,
    throughput: figures.throughputFigure,
    readings: figures.readingsFigure,
    sweep: figures.sweepFigure,
    "region-cores": figures.regionCoresFigure,
    "region-pairs": figures.regionPairsFigure,
    ablation: figures.ablationFigure,
  },
  claims: mergedNodesClaims,
});
