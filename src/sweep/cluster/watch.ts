/**
 * What the scheduler says about tasks, held against what the folder says. They do not always agree: a controller that dies forgets what it had
 * not yet written down. Started again, it takes a task that has ended for one that runs (Slurm finds out when the node reports next, minutes
 * later, and then runs it once more), or one that runs for one that waits; the node refuses that as a duplicate, is drained, and the task is held
 * until somebody releases it. Neither goes on by itself in a time that anybody waits for.
 */
import { type SweepProcess, timeText } from "../shards/status.js";
import type { QueuedTask } from "./slurm.js";

/** The tasks that are watched. */
export interface Watched {
  /** The job that the array waits for. */
  check: string;
  /** The array's job, and how many tasks it has: task i computes shard i of so many. */
  array: string;
  tasks: number;
  /** Whoever works, or worked, on the sweep. */
  processes: readonly SweepProcess[];
  /** How long a task may be silent, in seconds. */
  patience: number;
}

/** A task from which nothing is to be expected, and why. */
export interface Lost extends QueuedTask {
  why: string;
}

/** How many times as long as between two signs of life a task may take until its first: it may have to fetch a container. */
const toBegin = 5;

/** Reasons for which a task waits until somebody releases it, though nobody has held it. */
const isStuck = (reason: string): boolean => /requeued (in )?held|HoldMaxRequeue/i.test(reason.replaceAll("_", " "));

/**
 * The tasks of an array from which nothing is to be expected: they run for the scheduler, and their shards have given no sign of life for longer than
 * the patience (five times as long where they gave none since they began); or the scheduler holds them after a launch that failed.
 */
export function lostTasks(queue: readonly QueuedTask[], watched: Watched): Lost[] {
  return queue.flatMap((task) => {
    const why = task.job === watched.array || task.job === watched.check ? whyLost(task, watched) : undefined;
    return why === undefined ? [] : [{ ...task, why }];
  });
}

function whyLost({ job, task, state, reason, seconds }: QueuedTask, watched: Watched): string | undefined {
  const { array, tasks, processes, patience } = watched;
  if (state === "PENDING" && isStuck(reason)) return `is held by the scheduler (${reason})`;
  // The job that looks at the workers leaves no sign in the folder, and its time is five minutes.
  if (job !== array || state !== "RUNNING" || seconds === undefined) return undefined;
  const heard = Math.min(
    ...processes.flatMap(({ shard, heardSecondsAgo }) =>
      shard.index === task && shard.count === tasks ? [heardSecondsAgo] : [],
    ),
  );
  if (heard > seconds)
    return seconds > toBegin * patience ? `has run for ${timeText(seconds)} without a sign of life` : undefined;
  return heard > patience ? `runs for the scheduler, and was last heard of ${timeText(heard)} ago` : undefined;
}

/** Whether tasks wait for nodes that are not to be had, which another look does not change. */
export const waitsForNodes = (queue: readonly QueuedTask[]): QueuedTask | undefined => {
  const [first] = queue;
  const all = queue.every(
    ({ state, reason }) => state === "PENDING" && /DOWN|DRAIN|NotAvail|PartitionDown/i.test(reason),
  );
  return all ? first : undefined;
};
