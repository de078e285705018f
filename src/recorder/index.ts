/**
 * Recordings in files, and making them: what src/recordings reads from memory, this room reads from disk, pipes and the kernel's tracefs.
 *
 * `loadTrace` gives a recording as a trace in memory, by path or by name; `traceInfo` looks at one of any size; `convertRecording` writes a
 * trace file; `readRecording` streams a recording's steps to a sink of one's own. Files may be plain, gzip, xz or zstd.
 *
 * `planRecording` finds how a machine's requests are recorded (tracepoints, clock, commands), and `record` carries the plan out and undoes it;
 * `supposedSystem` is an ordinary machine to plan for where this one's tracefs cannot be seen.
 *
 * Units and invariants are those of src/recordings. Memory is constant in the recording's length but for `loadTrace`, which keeps at most
 * the steps it is told to. Node only.
 */
export { type ByteProgress, openBytes } from "./bytes.js";
export { type Converted, type ConvertOptions, convertRecording } from "./convert.js";
export { type LoadOptions, loadTrace, mostSteps, traceInfo } from "./load.js";
export { type FileReadOptions, readRecording } from "./read.js";
export { bpftraceScript } from "./record/bpftrace.js";
export { planRecording, type Recorder, type RecordOptions, type RecordPlan, recorders } from "./record/plan.js";
export { type Recorded, type RunOptions, record } from "./record/run.js";
export { supposedSystem } from "./record/supposed.js";
export { type RecordingSystem, type Tracefs, thisSystem } from "./record/system.js";
