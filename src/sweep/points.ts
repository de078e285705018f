import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import {
  type AnyExperiment,
  configHash,
  experiments,
  type ProgressListener,
  pointMemory,
  type Row,
} from "../experiments/index.js";
import type { Task } from "./worker.js";

/** How points are computed. Nothing here changes a result. */
export interface PointOptions {
  /** Workers (default: one a core). */
  jobs?: number;
  onProgress?: ProgressListener;
  /** Ends the work, also that of a point under way; what was handed to `onPoint` stays. */
  signal?: AbortSignal;
  /** Rows of points that are known already, by {@link pointHash}: those are not computed again. */
  known?: ReadonlyMap<string, Row[]>;
  /** Told of every point as it is done, whatever the order. */
  onPoint?: (hash: string, rows: Row[]) => void;
  /** Address (file: URL) of the module that exports the experiment, where it is not one of {@link experiments}. */
  from?: string;
}

/** The name of a point: the same work has the same name in every sweep. */
export function pointHash(experiment: { name: string }, point: unknown): string {
  return configHash(`${experiment.name}/point`, point);
}

/**
 * Computes points on all cores and gives their rows in the points' order, whatever the order in which they finish. Equal points are
 * computed once. An experiment that a worker can not find (defined in a notebook) is computed in this thread, with a turn of the event
 * loop between points.
 */
export async function computePoints(
  experiment: AnyExperiment,
  points: readonly unknown[],
  options: PointOptions = {},
): Promise<Row[][]> {
  const { jobs = availableParallelism(), onProgress, signal, known, onPoint, from } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1)
    throw new RangeError(`jobs: a whole number of workers, 1 or more; got ${jobs}.`);
  signal?.throwIfAborted();
  const results = new Map<string, Row[]>(known);
  const missing = new Map<string, unknown>();
  const hashes = points.map((point) => pointHash(experiment, point));
  const memory = pointMemory();
  for (const [i, hash] of hashes.entries()) {
    if (results.has(hash) || missing.has(hash)) continue;
    const remembered = memory?.get(experiment, points[i]);
    if (remembered) results.set(hash, remembered);
    else missing.set(hash, points[i]);
  }
  const before = new Set(hashes).size - missing.size;
  let done = before;
  const total = before + missing.size;
  onProgress?.(done, total, "");
  const finished = (hash: string, point: unknown, rows: Row[]) => {
    results.set(hash, rows);
    memory?.put(experiment, point, rows);
    onPoint?.(hash, rows);
    onProgress?.(++done, total, experiment.label(point));
  };
  if (from === undefined && !experiments().includes(experiment)) {
    for (const [hash, point] of missing) {
      signal?.throwIfAborted();
      finished(hash, point, experiment.simulate(point));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } else if (missing.size > 0)
    await onWorkers(experiment, missing, Math.min(jobs, missing.size), from, signal, finished);
  return hashes.map((hash) => results.get(hash) as Row[]);
}

async function onWorkers(
  experiment: AnyExperiment,
  missing: ReadonlyMap<string, unknown>,
  jobs: number,
  from: string | undefined,
  signal: AbortSignal | undefined,
  finished: (hash: string, point: unknown, rows: Row[]) => void,
): Promise<void> {
  // piscina: the well-kept worker pool; it hands out tasks one by one, so that a slow point holds up no other.
  const pool = new Piscina<Task, Row[]>({
    filename: new URL("./worker.js", import.meta.url).href,
    minThreads: jobs,
    maxThreads: jobs,
    // Nothing of how this process was started (loaders, debugging) is for a worker.
    execArgv: [],
  });
  const failure = new AbortController();
  let broken: unknown;
  // A worker that dies outside of a task (it could not start, or ran out of memory) ends the whole.
  pool.on("error", (error: unknown) => {
    broken ??= error;
    failure.abort();
  });
  const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  // Every waiting task listens for the interruption.
  setMaxListeners(0, stop);
  const tasks = [...missing].map(async ([hash, point]) => {
    try {
      const rows = await pool.run({ experiment: experiment.name, from, point }, { signal: stop });
      finished(hash, point, rows);
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  try {
    await Promise.all(tasks);
  } catch (error) {
    await Promise.allSettled(tasks);
    signal?.throwIfAborted();
    throw broken ?? error;
  } finally {
    await pool.destroy();
  }
}
