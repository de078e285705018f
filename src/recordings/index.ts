/**
 * Recorded DMA-mapping requests: readers, the compact file format, and what a recording tells.
 *
 * A {@link Trace} is a sequence of dma_map and dma_unmap requests in columns (typed arrays): time in ns, CPU, device, range in 4 KiB pages,
 * direction, and which unmap ends which map. `loadTrace` gives a recorded one of data/traces; `importTrace` reads a recording of one's own;
 * `encodeTrace` and `decodeTrace` are the compact file format.
 *
 * Units: nanoseconds, pages of 4 KiB. Invariants: every unmap ends a map of the same trace; live ranges of one device never overlap; time
 * never matters for the order, which is that of the operations.
 */
export { type Extent, ExtentCounter, mergeAbutting, type PageRange } from "./extents.js";
export { readdress } from "./readdress.js";
export { loadTrace, traceNames } from "./recorded.js";
export { busiestDevice, requestsOf } from "./requests.js";
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
