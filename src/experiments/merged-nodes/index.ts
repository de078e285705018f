/**
 * Experiment 2: merging abutting nodes. How many nodes and how deep, what a walk costs, how much of the lost throughput comes back, in
 * which region of the assumptions that is about a third, and which mechanism carries it.
 *
 * The parts are independent: `structure` (nodes and depth), `walk` (cycles on one core), `recovery` (throughput on the baseline, every
 * policy), `sweep` (one assumption changed at a time), `region` (stack work against cores, pairs a transaction, hosts and, if asked, ways to flush), `ablation` (a part of the mechanism taken away).
 */

import type { z } from "zod";
import { defineExperiment, type Experiment, type Output } from "../frame/experiment.js";
import { mergedNodesClaims } from "./claims.js";
import {
  label,
  type MergedNodesConfig,
  type MergedNodesInput,
  type MergedNodesPoint,
  pointsOf,
  schema,
} from "./config.js";
import { type Recovery, recoveries } from "./estimates.js";
import { figures } from "./figures.js";
import { columns, type MergedNodesRow, simulate } from "./rows.js";

export type { RunLength } from "../frame/run-length.js";
export { type Assume, assumedNames, assumedRanges, type HostChanges } from "./assume.js";
export type { MergedNodesConfig, MergedNodesInput, MergedNodesPoint } from "./config.js";
export { baselineOf, influence, isAThird, lostGain, type Recovery, recoveries } from "./estimates.js";
export { readings } from "./readings.js";
export type { RecoveryPoint, RecoveryRow, Role } from "./recovery.js";
export type { MergedNodesRow } from "./rows.js";
export type { AblationName, PolicyName, RegionHost } from "./settings.js";
export type { StructurePoint, StructureRow } from "./structure.js";
export type { WalkPoint, WalkRow } from "./walk.js";

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
  points: pointsOf,
  label,
  simulate,
  columns,
  figures,
  outputs: {
    recovered: output("share of the lost throughput that merging gives back", (r) => r.gapShare.mean),
    gain: output("gain of merged nodes over the tree of v4.3", (r) => r.ratio.mean - 1),
    level: output("throughput with merged nodes, of no IOMMU", (r) => r.mergedOfOff.mean),
    stock: output("throughput with the tree of v4.3, of no IOMMU", (r) => r.stockOfOff.mean),
  },
  claims: (rows, _, facts) => mergedNodesClaims(rows, facts),
});
