/**
 * Experiment 1: lock contention.
 *
 * Question: why does a host lose most of its throughput when its NIC's buffers are mapped through the IOMMU, and which lock is to blame?
 */

import type { z } from "zod";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claims } from "./claims.js";
import {
  type LockContentionConfig,
  type LockContentionInput,
  type LockContentionPoint,
  lockContentionSchema,
  pointsOf,
} from "./config.js";
import { figures } from "./figures.js";
import { quantitiesOf } from "./quantities.js";
import { columns, type LockContentionRow, simulatePoint } from "./rows.js";

export {
  type LockContentionConfig,
  type LockContentionInput,
  type LockContentionPoint,
  lockContentionSchema,
} from "./config.js";
export { gridRatio } from "./grid.js";
export type { LockContentionRow } from "./rows.js";

/** Runs the TCP_RR workload over the ways of mapping; see the header of this file. */
export const lockContention: Experiment<
  z.ZodType<LockContentionConfig, LockContentionInput>,
  LockContentionPoint,
  LockContentionRow
> = defineExperiment({
  name: "lock-contention",
  place: [2, 1],
  title: "Lock contention in dma_map and dma_unmap",
  question:
    "Why does a host lose most of its throughput when its NIC's buffers are mapped through the IOMMU, and which lock is to blame?",
  config: lockContentionSchema,
  points: pointsOf,
  label: ({ run, replication, load }) =>
    load
      ? `${run.variant}, ${run.cores} cores, recorded × ${load.rate}, stretch ${replication + 1}`
      : `${run.variant}, ${run.cores} cores, ${run.threads} threads, run ${replication + 1}`,
  simulate: simulatePoint,
  columns,
  figures,
  // The sentences are about TCP_RR: recorded requests answer none of them.
  claims: (rows, { trace }, facts) => (trace === undefined ? claims(rows, facts) : []),
  quantities: (rows) => quantitiesOf(rows),
});
