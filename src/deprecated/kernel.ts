/** @deprecated The room was divided: import from iommu-lab/jupyter or iommu-lab/cells (`iommu-lab migrate`). */
export * from "../cells/index.js";
export * from "../jupyter/index.js";
