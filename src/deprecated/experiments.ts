/** What `iommu-lab/experiments` exports, and for one version still the names that moved to iommu-lab/study (`iommu-lab migrate`). */
export * from "../experiments/index.js";
export * from "../study/index.js";
export {
  type ClaimRun as Probe,
  claimRuns as probes,
  type RecordUse as FigureUse,
  recordUses as figureUses,
} from "../study/index.js";
