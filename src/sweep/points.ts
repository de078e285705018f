import { availableParallelism } from "node:os";
import {
  type AnyExperiment,
  experiments,
  type ProgressListener,
  pointsOfHost,
  type RememberedPoints,
  type Row,
  withRemembered,
} from "../experiments/index.js";
import { basisOf, Facts } from "../facts/index.js";
import { pointHash } from "./store.js";
import type { Done, Task } from "./worker.js";
import { WorkerPool } from "./worker-pool.js";

/** One worker thread a core, or what IOMMU_LAB_JOBS says: notebooks that are run side by side share the cores. */
function threadsOfHost(): number {
  const said = process.env["IOMMU_LAB_JOBS"];
  if (!said) return availableParallelism();
  const jobs = Number(said);
  if (Number.isSafeInteger(jobs) && jobs >= 1) return jobs;
  throw new RangeError(
    `IOMMU_LAB_JOBS: a whole number of workers, 1 or more; got ${JSON.stringify(said.slice(0, 40))}.`,
  );
}

/** How points are computed. Nothing here changes a result. */
export interface PointOptions {
  /** Worker threads at work at a time (default: IOMMU_LAB_JOBS, or one a core). As many stay for the next call. */
  jobs?: number;
  onProgress?: ProgressListener;
  /** Ends the work, also that of a point under way; what was handed to `onPoint` stays. In a notebook, an interrupt ends it without a signal, too. */
  signal?: AbortSignal;
  /** Rows of points that are known already, by {@link pointHash}: those are not computed again. */
  known?: ReadonlyMap<string, Row[]>;
  /** Points that were computed before (default: what a notebook's kernel offers); false takes none, and keeps none. */
  remembered?: RememberedPoints | false;
  /** Told of every point as it is done, whatever the order. */
  onPoint?: (hash: string, rows: Row[]) => void;
  /** Told of the records and files that points rest on, by their names, each any number of times; of those that are {@link known}, nothing. */
  onRead?: (name: string) => void;
  /** Address (file: URL) of the module that exports the experiment, where it is not one of {@link experiments}. */
  from?: string;
}

/**
 * Computes points on all cores and gives their rows in the points' order, whatever the order in which they finish. Equal points are
 * computed once. An experiment that a worker can not find (defined in a notebook) is computed in this thread, with a turn of the event
 * loop between points.
 * @throws RangeError for `jobs`, or IOMMU_LAB_JOBS in its place, that is no number of workers; what a point throws, the signal's reason when interrupted, and Error naming the
 * point where its thread ran out of memory or ended: in each case the next call begins afresh
 */
export async function computePoints(
  experiment: AnyExperiment,
  points: readonly unknown[],
  options: PointOptions = {},
): Promise<Row[][]> {
  const { jobs = threadsOfHost(), onProgress, signal, known, onPoint, onRead, from } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1)
    throw new RangeError(`jobs: a whole number of workers, 1 or more; got ${jobs}.`);
  signal?.throwIfAborted();
  const results = new Map<string, Row[]>(known);
  const missing = new Map<string, unknown>();
  const hashes = points.map((point) => pointHash(experiment, point));
  const facts = Facts.published();
  const basis = basisOf(facts);
  const memory = options.remembered ?? (await pointsOfHost());
  const noted = onRead ? facts.noting(onRead) : facts;
  let remembered = 0;
  for (const [i, hash] of hashes.entries()) {
    if (results.has(hash) || missing.has(hash)) continue;
    const before = memory ? memory.get(experiment, points[i], noted) : undefined;
    if (before) {
      results.set(hash, before);
      remembered++;
    } else missing.set(hash, points[i]);
  }
  const before = new Set(hashes).size - missing.size;
  let done = before;
  const total = before + missing.size;
  const last = points.at(-1);
  const told = last === undefined ? "" : experiment.label(last);
  // The first under way: a long one says its name from the beginning.
  const [next] = missing.values();
  onProgress?.(done, total, done < total ? withRemembered(experiment.label(next), remembered) : told);
  const finished = (hash: string, point: unknown, { rows, reads }: Omit<Done, "seconds">) => {
    results.set(hash, rows);
    for (const name of onRead ? reads : []) onRead?.(name);
    if (memory) memory.put(experiment, point, facts, rows, reads);
    onPoint?.(hash, rows);
    // What was remembered is told while the run goes on; what is left at its end says nothing of it.
    done++;
    onProgress?.(done, total, withRemembered(experiment.label(point), done < total ? remembered : 0));
  };
  if (from === undefined && !experiments().includes(experiment)) {
    for (const [hash, point] of missing) {
      signal?.throwIfAborted();
      const reads = new Set<string>();
      const noting = { ...basis, facts: facts.noting((name) => reads.add(name)) };
      finished(hash, point, { rows: experiment.simulate(point, noting), reads: [...reads] });
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
  finished: (hash: string, point: unknown, done: Done) => void,
): Promise<void> {
  const script = new URL("./worker.js", import.meta.url).href;
  // A module outside of the laboratory's code may have been edited since a thread loaded it: it gets new threads each time.
  const pool = new WorkerPool<Task, Done>(script, { jobs, keep: from === undefined, signal });
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
