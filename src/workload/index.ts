/**
 * Who asks for DMA: recorded traces of real drivers, and generated requests.
 *
 * A trace is a sequence of dma_map and dma_unmap requests in columns (typed arrays): time in ns, CPU, device, range in 4 KiB pages,
 * direction, and which unmap ends which map. `loadTrace` gives a recorded one; `importTrace` reads a recording of one's own;
 * `encodeTrace` and `decodeTrace` are the compact file format of data/traces.
 *
 * Invariants: every unmap ends a map of the same trace; live ranges of one device never overlap; time never matters for the order,
 * which is that of the operations.
 */

export {
  type AssumedField,
  assumedFields,
  type WorkloadAssumption,
  workloadAssumptions,
} from "./assumptions.js";

/*
 * Streams of random or sequential DMA, for the page-size experiment.
 */
export type {
  LittleRow,
  StreamConfig,
  StreamDevice,
  StreamFault,
  StreamHost,
  StreamResult,
  StreamTranslation,
} from "./dma-stream.js";
export { runDmaStreamReadably } from "./dma-stream-readable.js";
export { runDmaStream } from "./dma-stream-run.js";

export { type Interval, IntervalCounter, mergeAbutting, type PageRange } from "./intervals.js";

export {
  type BootMap,
  type DriverProfile,
  type DriverProfileName,
  driverProfile,
  driverProfiles,
  type NicSetup,
  nicBootMaps,
} from "./nic.js";
export { readdress } from "./readdress.js";
export { loadTrace, traceNames } from "./recorded.js";
export { busiestDevice, requestsOf } from "./requests.js";
export { type HostResult, type HostRun, hostRunDefaults, publishedStackCycles, simulateHost } from "./simulate.js";
export { type Flows, TcpRr, type TcpRrOptions } from "./tcp-rr.js";
export {
  Context,
  Direction,
  describeTrace,
  Kind,
  Op,
  phaseRange,
  type Trace,
  type TraceAbout,
  type TraceDescription,
  type TraceDevice,
  TraceError,
  type TraceOp,
  type TracePhase,
  traceOp,
} from "./trace.js";
export {
  distinctAddresses,
  type Envelope,
  envelope,
  type Holding,
  holdings,
  type Lifetimes,
  type LiveMap,
  lifetimes,
  liveMaps,
  type Occupancy,
  type OpRange,
  occupancy,
  rankQuantile,
} from "./trace-analysis.js";
export { type MapRequest, TraceBuilder } from "./trace-builder.js";
export { decodeTrace, encodeTrace, type TraceHeader } from "./trace-codec.js";
export { type Imported, type ImportOptions, importTrace } from "./trace-import.js";
