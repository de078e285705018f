/**
 * Your own recording: what a workload does to each allocator, lock and IOTLB, and what it would gain from each change.
 *
 * Question: what does my workload do, and what would I gain from X? {@link recordingReport} answers as data, {@link reportSections} in words
 * and tables, {@link reportFigures} in figures; the page and the notebook of `iommu-lab trace report` are made of these.
 */
export {
  type AllocatorRow,
  allocatorTitles,
  type RecordedAllocator,
  type ReplayPolicy,
  type ReplayWatch,
  recordedAllocators,
  replayRecording,
  type SizeHits,
} from "./allocators.js";
export { reportFigures } from "./figures.js";
export { type Stretches, type StretchOptions, stretchesOf } from "./load.js";
export type { Gain, LoadRow, LockRow, Simulated } from "./locks.js";
export { deviceOf, infoOf, type RecordingReport, type ReportOptions, recordingReport } from "./report.js";
export { formatReport, reportSections, type Section, type SectionTable } from "./sections.js";
export { reportFigure, reportTable, reportText } from "./shown.js";
export { type Capacity, type InFlight, inFlight, iotlbCapacity } from "./translations.js";
