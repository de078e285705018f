/** What `iommu-lab/iova` exports, and for one version still a name that has another today (`iommu-lab migrate`). */
export * from "../iova/index.js";
export { ReplayTraceError as TraceError } from "../iova/index.js";
