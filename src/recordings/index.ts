/**
 * Recorded DMA-mapping requests: readers, the compact file format, and what a recording tells.
 *
 * A recording is read as a stream of {@link RecordedStep}s, in constant memory: {@link TextReader} reads the kernel's own text,
 * {@link TraceFileReader} a trace file, and both pass steps to a {@link StepSink}: {@link TraceFileWriter} writes a trace file,
 * {@link TraceCollector} makes a {@link Trace}, and one's own can look at whatever it likes. Reading from files is src/recorder's.
 *
 * A {@link Trace} is a recording in memory: a sequence of dma_map and dma_unmap requests in columns (typed arrays): time in ns, CPU, device,
 * range in 4 KiB pages, direction, which unmap ends which map, and the {@link Account} of its reading. `loadTrace` gives a recorded one of
 * data/traces; `importTrace` reads a recording's text; `encodeTrace` and `decodeTrace` are the compact file format.
 *
 * Units: nanoseconds, pages of 4 KiB. Invariants: every unmap ends a map of the same trace; live ranges of one device never overlap; time
 * never matters for the order, which is that of the operations. A request is what a driver asked for: the several maps of scatter-gather
 * that one unmap ends are one. What was lost, left out or guessed is in the account; results per device are withheld above 1 % of guesses.
 */
export { type Account, cleanAccount, guessedShare, mostGuessed, warningsOf, withheld } from "./account.js";
export { TraceCollector } from "./collect.js";
export { type Extent, ExtentCounter, mergeAbutting, type PageRange } from "./extents.js";
export { decodeTrace, encodeTrace, isTraceFile, isVersion2, stepsOf } from "./format/codec.js";
export { describedBy } from "./format/description.js";
export { TraceFileReader, TraceFileWriter } from "./format/version-2.js";
export { formatInfo } from "./info/format.js";
export { LogHistogram } from "./info/histogram.js";
export { RateBins, type RatePhase } from "./info/rate.js";
export { ReuseDistance } from "./info/reuse.js";
export { cachedPages, type DeviceSummary, RecordingSummary, type Spread, type TraceInfo } from "./info/summary.js";
export { readdress } from "./readdress.js";
export { loadTrace, traceNames } from "./recorded.js";
export { busiestDevice, poolEntries, poolRoom, type RequestOptions, requestsOf } from "./requests.js";
export { blankStep, Ends, type RecordedStep, type RecordingEnd, type StepSink } from "./steps.js";
export { foreignBytes } from "./text/foreign.js";
export { bpftraceHeader } from "./text/kernel-line.js";
export { type ReadOptions, TextReader } from "./text/reader.js";
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
export { aboutOf, type Imported, type ImportOptions, importTrace } from "./trace-import.js";
export { TraceWindow } from "./window.js";
