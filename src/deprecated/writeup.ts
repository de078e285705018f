/** @deprecated Renamed: import from iommu-lab/site (`iommu-lab migrate`). */
export * from "../site/index.js";
