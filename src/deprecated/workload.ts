/** @deprecated The room was divided: import from iommu-lab/host, iommu-lab/recordings or iommu-lab/streams (`iommu-lab migrate`). */
import { Facts } from "../facts/index.js";
import * as host from "../host/index.js";

export * from "../host/index.js";
export * from "../recordings/index.js";
export { type Extent as Interval, ExtentCounter as IntervalCounter } from "../recordings/index.js";
export * from "../streams/index.js";
export { runDmaStreamReference as runDmaStreamReadably } from "../streams/index.js";

// What takes the facts as an argument today, as it was when it read them from the side.

/** The defaults of a run. */
export const hostRunDefaults: host.HostRun = host.hostRunDefaults(Facts.published());
/** Runs TCP_RR on one host. */
export const simulateHost = (run: host.HostRun): host.HostResult => host.simulateHost(run, Facts.published());
/** Stack work of a transaction after record PE1. */
export const publishedStackCycles = (gigahertz: number): number =>
  host.publishedStackCycles(Facts.published(), gigahertz);
/** The workload's assumptions. */
export const workloadAssumptions = (): ReturnType<typeof host.workloadAssumptions> =>
  host.workloadAssumptions(Facts.published());
/** Names of the workload's assumptions. */
export const assumedFields: readonly string[] = Object.keys(workloadAssumptions());
