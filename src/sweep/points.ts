import { availableParallelism } from "node:os";
import {
  type AnyExperiment,
  configHash,
  experiments,
  type ProgressListener,
  pointMemory,
  type Row,
} from "../experiments/index.js";
import { basisOf, Facts } from "../facts/index.js";
import type { Task } from "./worker.js";
import { WorkerPool } from "./worker-pool.js";

/** How points are computed. Nothing here changes a result. */
export interface PointOptions {
  /** Worker threads at work at a time (default: one a core). As many stay for the next call. */
  jobs?: number;
  onProgress?: ProgressListener;
  /** Ends the work, also that of a point under way; what was handed to `onPoint` stays. In a notebook, an interrupt ends it without a signal, too. */
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
 * @throws RangeError for `jobs` that is no number of workers; what a point throws, the signal's reason when interrupted, and Error naming the
 * point where its thread ran out of memory or ended: in each case the next call begins afresh
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
  const basis = basisOf(Facts.published());
  const finished = (hash: string, point: unknown, rows: Row[]) => {
    results.set(hash, rows);
    memory?.put(experiment, point, rows);
    onPoint?.(hash, rows);
    onProgress?.(++done, total, experiment.label(point));
  };
  if (from === undefined && !experiments().includes(experiment)) {
    for (const [hash, point] of missing) {
      signal?.throwIfAborted();
      finished(hash, point, experiment.simulate(point, basis));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } else if (missing.size > 0) await onWorkers(experiment, missing, jobs, from, signal, finished);
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
  const script = new URL("./worker.js", import.meta.url).href;
  // A module outside of the laboratory's code may have been edited since a thread loaded it: it gets new threads each time.
  const pool = new WorkerPool<Task, Row[]>(script, { jobs, keep: from === undefined, signal });
  try {
    await Promise.all(
      [...missing].map(async ([hash, point]) => {
        const name = `${experiment.name}, ${experiment.label(point)}`;
        finished(hash, point, await pool.run({ experiment: experiment.name, from, point }, name));
      }),
    );
  } catch (error) {
    // Of an interruption its reason: in a notebook, the kernel has ended the threads just before the signal tells.
    signal?.throwIfAborted();
    throw error;
  } finally {
    await pool.end();
  }
}
