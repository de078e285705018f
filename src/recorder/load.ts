import { resolve } from "node:path";
import {
  loadTrace as loadRecorded,
  RecordingSummary,
  stepsOf,
  type Trace,
  TraceCollector,
  type TraceInfo,
  TraceWindow,
  traceNames,
} from "../recordings/index.js";
import { type FileReadOptions, readRecording } from "./read.js";

/** Operations that {@link loadTrace} keeps in memory unless it is told otherwise. */
export const mostSteps = 5_000_000;

/** Which part of a recording is loaded. */
export interface LoadOptions extends FileReadOptions {
  /** Steps (map and unmap events) to leave out at the beginning; what is mapped then is mapped at the beginning of the trace. */
  skip?: number;
  /** Steps to keep, at most (default 5,000,000). A longer recording says in its caveats which part of it this is. */
  limit?: number;
}

/**
 * A recording as a trace in memory: one of data/traces by its name ("igb"), or a file by its path, of any form and packing.
 * A relative path is taken from the working folder, which for a notebook is its own.
 * @throws TraceError naming the file, and the line or field
 * @example const trace = await loadTrace("my-recording.txt.gz");
 */
export async function loadTrace(nameOrPath: string, options: LoadOptions = {}): Promise<Trace> {
  if (traceNames().includes(nameOrPath)) return loadRecorded(nameOrPath);
  const collector = new TraceCollector();
  const window = new TraceWindow(collector, options.skip ?? 0, options.limit ?? mostSteps);
  const about = await readRecording(nameOrPath === "-" ? "-" : resolve(nameOrPath), window, options);
  const caveats = window.complete ? about.caveats : [...about.caveats, window.caveat];
  return collector.build({ ...about, caveats });
}

/** What a recording holds, in numbers, of any size: it streams. */
export async function traceInfo(nameOrPath: string, options: FileReadOptions = {}): Promise<TraceInfo> {
  const summary = new RecordingSummary();
  if (!traceNames().includes(nameOrPath)) return summary.info(await readRecording(nameOrPath, summary, options));
  const recorded = loadRecorded(nameOrPath);
  stepsOf(recorded, summary);
  return summary.info(recorded.about);
}
