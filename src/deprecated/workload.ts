/** @deprecated The room was divided: import from iommu-lab/host, iommu-lab/recordings or iommu-lab/streams (`iommu-lab migrate`). */
export * from "../host/index.js";
export * from "../recordings/index.js";
export { type Extent as Interval, ExtentCounter as IntervalCounter } from "../recordings/index.js";
export * from "../streams/index.js";
export { runDmaStreamReference as runDmaStreamReadably } from "../streams/index.js";
