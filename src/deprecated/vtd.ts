/** @deprecated The room was divided: import from iommu-lab/iommu or iommu-lab/pagetables (`iommu-lab migrate`). */
export * from "../iommu/index.js";
export * from "../pagetables/index.js";
