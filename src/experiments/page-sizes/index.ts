/**
 * Experiment 3: 4K against 2M and 1G pages in software 1:1.
 *
 * The question: with static 1:1 tables there is no map, no unmap and no invalidation. What is left is the hardware: IOTLB, page walks and
 * the link. When is that nearly free, and when not? The thread's footnote says: free at 2M and 1G, visible at 4K.
 */
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOf, quantitiesOf } from "./claims.js";
import { pageSizesSchema } from "./config.js";
import { comparedOf } from "./errors.js";
import { figures } from "./figures.js";
import { type PagePoint, pagePoints } from "./points.js";
import { columns, type PageRow, simulatePoint } from "./rows.js";

export {
  fitDramExtra,
  fitIotlb,
  fitWhole,
  hitLatency,
  type IotlbFit,
  type LatencyPoint,
  type WholeFit,
} from "./calibrate.js";
export { claimsOf, type ThreadCell, threadCells } from "./claims.js";
export { type PageSizesInput, type PageSizesSettings, threadRanges } from "./config.js";
export { type ErrorRow, errorTable, isAnomaly, missingMechanisms, predictions } from "./errors.js";
export { hostFigure, lossMap, sizeName } from "./figures.js";
export { type HostName, hostNames, type PageHost, pageHost } from "./hosts.js";
export { type ParallelismFit, parallelism } from "./parallelism.js";
export type { PagePoint } from "./points.js";
export { type PageSetting, type PublishedPoint, windowOf } from "./published.js";
export type { PageRow } from "./rows.js";
export { type RunSpec, streamOf } from "./stream.js";
export { compareErrors, compareThread, errorReport, fitTable, missingReport, parameterTable } from "./tables.js";
export { type TriedFor, type TriedMechanism, triedMechanisms, triedTable, tryMechanism } from "./tried.js";

/** Experiment 3. */
export const pageSizes: Experiment<ReturnType<typeof pageSizesSchema>, PagePoint, PageRow> = defineExperiment({
  name: "page-sizes",
  place: [4, 1],
  title: "4K against 2M and 1G pages in software 1:1",
  question: "With static 1:1 tables, what does translation cost in bandwidth, by page size, DMA size and footprint?",
  config: pageSizesSchema,
  points: pagePoints,
  label: ({ part, host, spec }: PagePoint) =>
    `${part}: ${host}, ${spec.page}, ${spec.direction} ${spec.dmaBytes} B over ${Math.round(spec.windowBytes / 1024)} KiB`,
  simulate: simulatePoint,
  columns,
  figures,
  claims: (rows, _, facts) => claimsOf(rows, facts),
  quantities: quantitiesOf,
  compared: comparedOf,
});
