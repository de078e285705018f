import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ProgressListener } from "../../experiments/index.js";
import { makeFolder, parseJson, readSmall, StoreError, writeFailure, writeWhole } from "../../files/index.js";
import { type SweepStatus, timeText } from "../shards/status.js";
import { type ScriptAsk, scriptFor } from "./script.js";
import { type QueuedTask, SilentScheduler, type Slurm } from "./slurm.js";
import { lostTasks, waitsForNodes } from "./watch.js";

const SubmittedSchema = z.object({
  scheduler: z.literal("slurm"),
  /** The job that looks whether the workers can work, and the array that waits for it. */
  check: z.string().regex(/^\d+$/),
  array: z.string().regex(/^\d+$/),
  tasks: z.int().min(1),
  round: z.int().min(1),
  /** Points that were done when it was submitted. */
  before: z.int().min(0),
  cancelled: z.boolean().default(false),
});

/** What was submitted last for a sweep's folder. */
export type Submitted = z.output<typeof SubmittedSchema>;

const fileIn = (folder: string): string => join(folder, "jobs", "slurm.json");

/**
 * What was submitted last.
 * @throws StoreError where nothing was
 */
export function submittedIn(folder: string): Submitted {
  try {
    return SubmittedSchema.parse(parseJson(readSmall(fileIn(folder))));
  } catch {
    throw new StoreError(`${folder}: nothing was submitted from here; expected ${fileIn(folder)}. --on slurm submits.`);
  }
}

/** How an array is cut. */
export interface CutAsk {
  /** Points that are to be computed, and what one takes. */
  points: number;
  secondsAPoint: number;
  jobs: number;
  /** How long a task should take: the scheduler spends some seconds on each. */
  taskMinutes: number;
  mostTasks: number;
}

/** How many tasks an array gets: so many that each takes the minutes that were asked for, within what the scheduler takes. */
export function tasksFor({ points, secondsAPoint, jobs, taskMinutes, mostTasks }: CutAsk): number {
  const wanted = Math.ceil((points * secondsAPoint) / (60 * taskMinutes * jobs));
  return Math.max(1, Math.min(wanted, mostTasks, Math.ceil(points / jobs)));
}

/** What the following of a sweep needs to know and do. */
export interface FollowAsk {
  slurm: Slurm;
  folder: string;
  /** How far the sweep is now. */
  status(): SweepStatus;
  /** The script of a round, for the points that are missing then. */
  ask(missing: number, secondsAPoint: number | undefined): Promise<ScriptAsk>;
  /** Between two looks, in ms. */
  pollMs: number;
  /** How long a task that runs may give no sign of life, in seconds (default: 120), before its points are submitted again. */
  patience?: number;
  onProgress?: ProgressListener;
  /** Tells what happened: a line for a person. */
  say(line: string): void;
  signal?: AbortSignal;
}

/** So long it may be silent before following ends; the job goes on. */
const mostSilentMs = 30 * 60_000;
/** An array for what is missing after another one is submitted so often, and so often after one in which tasks were lost and nothing was done. */
const mostRounds = 20;
const mostLostRounds = 3;
/** Signs of life come every quarter of a minute; eight of them. */
const defaultPatience = 120;
/** When every point is there, tasks may still be there at so many looks: they are to leave by themselves. */
const looksToLeave = 3;

/** Submits an array for what is missing: first a task that looks whether the workers can work, then, held until it could, the others. */
export async function submitRound(
  { slurm, folder, status, ask, say }: Pick<FollowAsk, "slurm" | "folder" | "status" | "ask" | "say">,
  round: number,
): Promise<Submitted> {
  const { done, missing, running, secondsAPoint } = status();
  const script = await ask(missing + running, secondsAPoint);
  const file = join(folder, "jobs", "slurm.sh");
  try {
    makeFolder(join(folder, "jobs"));
    writeFileSync(file, scriptFor("slurm", script));
  } catch (error) {
    throw writeFailure(file, error);
  }
  const check = await slurm.submit(file, ["--array=0", "--time=5"]);
  const array = await slurm.submit(file, [`--dependency=afterok:${check}`, "--kill-on-invalid-dep=yes"]);
  const submitted: Submitted = {
    scheduler: "slurm",
    check,
    array,
    tasks: script.tasks,
    round,
    before: done,
    cancelled: false,
  };
  writeWhole(fileIn(folder), `${JSON.stringify(submitted)}\n`);
  say(
    `Job ${array}: ${missing + running} points in ${script.tasks} array tasks, after job ${check} has looked whether the workers can work.`,
  );
  return submitted;
}

/**
 * Follows what was submitted until every point is done or failed, and submits arrays for what tasks that were killed have left.
 * @throws StoreError where the workers cannot work, nothing comes of an array, or it was cancelled; the signal's reason when interrupted
 */
export async function follow(ask: FollowAsk): Promise<SweepStatus> {
  for (let lostRounds = 0; ; ) {
    const submitted = submittedIn(ask.folder);
    const lost = await untilEnded(ask, submitted);
    const status = ask.status();
    const left = status.missing + status.running;
    if (left === 0) return status;
    const refused = refusal(ask.folder, submitted);
    if (refused) throw new StoreError(`The workers cannot work. ${refused}`);
    if (submittedIn(ask.folder).cancelled)
      throw new StoreError(
        `Job ${submitted.array} was cancelled; ${left} points are missing. --on slurm submits them.`,
      );
    const endings = await ask.slurm.endings(submitted.array);
    const how = Object.entries(endings)
      .map(([state, n]) => `${n} ${state}`)
      .join(", ");
    const told = `Job ${submitted.array} has ended (${how === "" ? "the scheduler does not say how" : how}) with ${left} points missing`;
    const fruitless = status.done <= submitted.before;
    if (fruitless && lost > 0) lostRounds++;
    if ((fruitless && (lost === 0 || lostRounds > mostLostRounds)) || submitted.round >= mostRounds)
      throw new StoreError(`${told}, and nothing came of it. The tasks' own words are in ${join(ask.folder, "jobs")}.`);
    ask.say(`${told}; they are submitted again.`);
    await patiently(ask, () => submitRound(ask, submitted.round + 1));
  }
}

function refusal(folder: string, { check, array }: Submitted): string | undefined {
  for (const job of [check, array])
    try {
      return readSmall(join(folder, "jobs", `refused-${job}.txt`))
        .trim()
        .slice(0, 1000);
    } catch {
      // No task of it had anything to say.
    }
  return undefined;
}

/**
 * Waits until the scheduler has no task any more from which something is to be expected.
 * @returns how many tasks were given up
 */
async function untilEnded(ask: FollowAsk, submitted: Submitted): Promise<number> {
  const { check, array } = submitted;
  const given = new Set<string>();
  let looks = 0;
  let toldOfNodes = false;
  for (;;) {
    const queue = await patiently(ask, () => ask.slurm.queue([check, array]));
    const status = ask.status();
    await giveUp(ask, submitted, status, queue, given);
    const left = queue.filter((task) => !given.has(nameOf(task)));
    tell(ask, status, left);
    if (left.length === 0) return given.size;
    // Where it does not go by itself.
    if (left.some(({ state, reason }) => state === "PENDING" && reason === "DependencyNeverSatisfied")) {
      await patiently(ask, () => ask.slurm.cancel([array]));
      return given.size;
    }
    if (status.missing + status.running + status.failed === 0 && ++looks > looksToLeave) {
      await patiently(ask, () => ask.slurm.cancel([check, array]));
      ask.say(`Every point is there; what the scheduler still has of job ${array} is cancelled.`);
      return given.size;
    }
    const stuck = waitsForNodes(left);
    if (stuck && !toldOfNodes) {
      toldOfNodes = true;
      ask.say(
        `Job ${array} waits for nodes (${stuck.reason}): sinfo -R says which are out, and why. It goes on when they are back; Ctrl-C leaves it waiting.`,
      );
    }
    await pause(ask);
  }
}

const nameOf = ({ job, task }: QueuedTask): string => (task === undefined ? job : `${job}_${task}`);

/** Cancels the tasks from which nothing is to be expected, and says so once for each: what they leave is in the next array. */
async function giveUp(
  ask: FollowAsk,
  { check, array, tasks }: Submitted,
  { processes }: SweepStatus,
  queue: readonly QueuedTask[],
  given: Set<string>,
): Promise<void> {
  const { patience = defaultPatience } = ask;
  for (const task of lostTasks(queue, { check, array, tasks, processes, patience })) {
    const name = nameOf(task);
    if (given.has(name)) continue;
    await patiently(ask, () => ask.slurm.cancel([name]));
    given.add(name);
    ask.say(
      `Task ${name} ${task.why}: it is cancelled, what it finished is kept, and what it left is submitted again. If such tasks do work, --patience waits longer.`,
    );
  }
}

function tell(ask: FollowAsk, { done, failed, points }: SweepStatus, tasks: readonly QueuedTask[]): void {
  const running = tasks.filter(({ state }) => state === "RUNNING").length;
  const waiting = tasks.filter(({ state }) => state === "PENDING");
  const [first] = waiting;
  ask.onProgress?.(
    done + failed,
    points,
    `${running} tasks running, ${waiting.length} waiting${first && running === 0 && first.reason !== "None" ? ` (${first.reason})` : ""}`,
  );
}

/** Does it as often as it takes while the scheduler does not answer: a controller that is started again is no reason to give up. */
async function patiently<T>(ask: FollowAsk, what: () => Promise<T>): Promise<T> {
  const since = performance.now();
  for (let told = false; ; told = true)
    try {
      return await what();
    } catch (error) {
      if (!(error instanceof SilentScheduler)) throw error;
      const silent = performance.now() - since;
      if (silent > mostSilentMs)
        throw new StoreError(
          `The scheduler has not answered for ${timeText(silent / 1000)} (${error.message}); the job may go on. --attach follows it again.`,
        );
      if (!told) ask.say(`The scheduler does not answer (${error.message}); waiting for it.`);
      await pause(ask);
    }
}

function pause({ pollMs, signal }: FollowAsk): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, pollMs);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}

/** Ends what was submitted, and notes that it was meant. */
export async function cancelSubmitted(slurm: Slurm, folder: string): Promise<Submitted> {
  const submitted = submittedIn(folder);
  await slurm.cancel([submitted.check, submitted.array]);
  writeWhole(fileIn(folder), `${JSON.stringify({ ...submitted, cancelled: true })}\n`);
  return submitted;
}
