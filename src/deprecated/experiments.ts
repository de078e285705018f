/** What `iommu-lab/experiments` exports, and for one version still names that moved to iommu-lab/study or are others today (`iommu-lab migrate`). */

export type { HostChanges as Assumptions } from "../experiments/index.js";
export * from "../experiments/index.js";
export * from "../study/index.js";
export {
  type ClaimRun as Probe,
  claimRuns as probes,
  type RecordUse as FigureUse,
  recordUses as figureUses,
} from "../study/index.js";
