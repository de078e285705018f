import { availableParallelism } from "node:os";
import type { ProgressListener, RememberedPoints } from "../../experiments/index.js";
import { StoreError } from "../../files/index.js";
import { rebuilt } from "../code.js";
import type { Done, Task } from "../worker.js";
import { WorkerPool } from "../worker-pool.js";
import { takeFolder } from "./folder.js";
import { type Plan, planOf } from "./plan.js";
import { SegmentWriter } from "./segment.js";
import { beatMs, eachText, type Segment, Segments } from "./segments.js";
import { disjoint, pointsOfShard, type Shard, wholeSweep } from "./shard.js";
import { refuseMixed, statesOf } from "./state.js";
import { Version } from "./version.js";
import type { Work } from "./work.js";

/** How a shard is run. Nothing here changes a result. */
export interface ShardOptions {
  /** Which part of the points (default: all). */
  shard?: Shard;
  /** Worker threads (default: one a core). */
  jobs?: number;
  /** Computes points again that failed. */
  retryFailed?: boolean;
  /** The code and data that points must be of (default: as they are here). */
  version?: Version;
  /** Points that were computed elsewhere: what is found there is kept in the folder, what is computed is kept there, too. */
  remembered?: RememberedPoints | undefined;
  /** No more points than these are computed (default: all of the shard's). */
  most?: number;
  /** Takes nothing from the folder: every point is computed anew. */
  fresh?: boolean;
  onProgress?: ProgressListener;
  signal?: AbortSignal;
}

/** What a shard came to. */
export interface ShardResult {
  /** Points of the shard. */
  points: number;
  computed: number;
  /** Points that were done, by this process before or by another one. */
  kept: number;
  failed: { hash: string; label: string; message: string }[];
}

/**
 * Computes the points of a shard that nobody has computed, into a folder that any number of processes of any number of machines share. What
 * others finish meanwhile is not computed again; a point that fails is written down, and the others go on.
 * @throws StoreError where the folder holds another sweep or points of another version, or cannot be written; the signal's reason when interrupted
 */
export async function runShard(folder: string, work: Work, options: ShardOptions = {}): Promise<ShardResult> {
  const { shard = wholeSweep, version = new Version(), signal, remembered } = options;
  signal?.throwIfAborted();
  takeFolder(folder, work);
  const plan = planOf(folder, work, version.code);
  const { experiment } = work;
  const label = (hash: string): string => experiment.label(plan.point(hash));
  const segments = new Segments(folder);
  const own = pointsOfShard(plan.points, shard);
  // What shards say that share no point with this one is not read: the more machines, the less there is to read for each.
  const near = ({ head }: Segment): boolean => head === undefined || !disjoint(head.shard, shard);
  const first = segments.refresh(near).filter(near);
  const before = statesOf(plan, first, version);
  if (!options.fresh) refuseMixed(folder, before, version, label);
  const isOwn = new Set(own);
  const failed = new Map(
    [...before.failed].flatMap(([hash, { message }]) => (isOwn.has(hash) ? [[hash, message] as const] : [])),
  );
  const done = options.fresh
    ? new Set<string>()
    : wholeOf([...before.done.values(), ...before.spare].filter(({ p }) => isOwn.has(p)));
  const open = own
    .filter((hash) => !done.has(hash) && (options.retryFailed || !failed.has(hash)))
    .slice(0, options.most);
  if (options.retryFailed) failed.clear();
  const result = (computed: number, messages: ReadonlyMap<string, string>): ShardResult => ({
    points: own.length,
    computed,
    kept: own.length - computed - messages.size,
    failed: [...messages].map(([hash, message]) => ({ hash, label: label(hash), message })),
  });
  if (open.length === 0) return result(0, failed);
  const jobs = Math.min(options.jobs ?? availableParallelism(), open.length);
  const writer = new SegmentWriter(folder, { shard, jobs, code: version.code, data: version.data });
  // Two that compute the same points begin at different places, and meet.
  rotate(open, Number.parseInt(writer.name.slice(-8), 16));
  const run = new ShardRun(work, plan, version, writer, { jobs, signal, remembered });
  const progress = (): void => {
    const [last] = run.busy;
    options.onProgress?.(own.length - open.length + run.settled, own.length, last === undefined ? "" : label(last));
  };
  // What stood there at the beginning was looked at already.
  const seen = new Map(first.map((segment) => [segment, segment.entries.length]));
  let nextLook = 0;
  const look = (): void => {
    const began = performance.now();
    if (options.fresh || began < nextLook) return;
    for (const segment of segments.refresh(near).filter(near)) {
      if (segment.name !== writer.name)
        for (const { p, r } of segment.entries.slice(seen.get(segment)))
          if (version.isOwn(segment, r)) run.finished.add(p);
      seen.set(segment, segment.entries.length);
    }
    // Once a second, and never more than a fiftieth of the time.
    nextLook = performance.now() + Math.max(1000, 50 * (performance.now() - began));
  };
  try {
    await run.all(open, look, progress);
    writer.end("done");
  } catch (error) {
    // The disk may be why it ends.
    if (!(error instanceof StoreError)) writer.end(signal?.aborted ? "interrupted" : "failed");
    throw error;
  } finally {
    writer.close();
  }
  for (const [hash, message] of run.failed) failed.set(hash, message);
  return result(run.computed, failed);
}

/** The names of the entries whose rows are whole. */
function wholeOf(entries: Parameters<typeof eachText>[0]): Set<string> {
  const whole = new Set<string>();
  eachText(entries, ({ p }, text) => {
    if (text !== undefined) whole.add(p);
  });
  return whole;
}

function rotate(list: string[], by: number): void {
  list.unshift(...list.splice(by % list.length));
}

/** The work on a shard: some threads, and what they have come to. */
class ShardRun {
  readonly busy = new Set<string>();
  /** What is done, here or elsewhere. */
  readonly finished = new Set<string>();
  readonly failed = new Map<string, string>();
  computed = 0;
  /** Of the points that were open, those that are done or failed. */
  settled = 0;
  private broken: unknown;

  constructor(
    private readonly work: Work,
    private readonly plan: Plan,
    private readonly version: Version,
    private readonly writer: SegmentWriter,
    private readonly options: {
      jobs: number;
      signal: AbortSignal | undefined;
      remembered: RememberedPoints | undefined;
    },
  ) {}

  async all(open: readonly string[], look: () => void, progress: () => void): Promise<void> {
    const { jobs, signal } = this.options;
    const script = new URL("../worker.js", import.meta.url).href;
    const pool = new WorkerPool<Task, Done>(script, { jobs, keep: false, goOn: true, signal });
    const beat = setInterval(() => {
      try {
        if (rebuilt())
          throw new StoreError(
            "The laboratory was built again while this shard ran: what it had finished is kept; start it again.",
          );
        this.writer.beat(this.busy);
      } catch (error) {
        this.broken ??= error;
        void pool.end();
      }
    }, beatMs);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < open.length) {
        const hash = open[next++];
        signal?.throwIfAborted();
        if (this.broken) throw this.broken;
        look();
        if (!this.finished.has(hash)) {
          this.busy.add(hash);
          await this.one(hash, pool).finally(() => this.busy.delete(hash));
        }
        this.settled++;
        progress();
      }
    };
    try {
      progress();
      await Promise.all(Array.from({ length: jobs }, lane));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.broken ?? error;
    } finally {
      clearInterval(beat);
      await pool.end();
    }
  }

  private async one(hash: string, pool: WorkerPool<Task, Done>): Promise<void> {
    const { experiment, from } = this.work;
    const point = this.plan.point(hash);
    const { facts } = this.version;
    const began = performance.now();
    const reads = new Set<string>();
    const before = this.options.remembered?.get(
      experiment,
      point,
      facts.noting((name) => reads.add(name)),
    );
    if (before) {
      this.writer.point(hash, before, this.version.contentsOf(reads), null);
      this.finished.add(hash);
      return;
    }
    let done: Done;
    try {
      done = await pool.run(
        { experiment: experiment.name, from, point },
        `${experiment.name}, ${experiment.label(point)}`,
      );
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (this.broken) throw this.broken;
      const message = String((error as Error)?.message ?? error);
      this.failed.set(hash, message);
      this.writer.failure(hash, message, (performance.now() - began) / 1000);
      return;
    }
    this.writer.point(hash, done.rows, this.version.contentsOf(done.reads), done.seconds);
    this.finished.add(hash);
    this.computed++;
    this.options.remembered?.put(experiment, point, facts, done.rows, done.reads);
  }
}
