import { resolve } from "node:path";
import { ConfigError } from "../../experiments/index.js";
import { projectRoot } from "../../lab/index.js";
import {
  cancelSubmitted,
  follow,
  minutesOf,
  runShard,
  type ScriptAsk,
  Slurm,
  type SweepStatus,
  schedulers,
  scriptFor,
  submitRound,
  submittedIn,
  sweepStatus,
  takeFolder,
  tasksFor,
  timeText,
  Version,
} from "../../sweep/index.js";
import { UserError } from "../errors.js";
import { interruptible } from "../interrupt.js";
import { jobsOf } from "../options.js";
import { Progress } from "../progress.js";
import type { Asked, SweepFlags } from "./asked.js";

/** What the scheduler is told. */
export interface ClusterFlags extends SweepFlags {
  on?: string;
  dryRun?: boolean;
  attach?: boolean;
  cancel?: boolean;
  partition?: string;
  account?: string;
  qos?: string;
  constraint?: string;
  time?: string;
  mem?: string;
  maxTasks?: string;
  taskMinutes?: string;
  setup?: string;
  prefix?: string;
  image?: string;
  claim?: string;
  poll?: string;
  patience?: string;
}

/** A number of a flag. @throws UserError naming the flag, the value and what is accepted */
function numberOf(flag: string, text: string | undefined, low: number, high: number, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === "" || !(value >= low && value <= high))
    throw new UserError(`--${flag}: a number from ${low} to ${high.toLocaleString("en")}; got ${text}.`);
  return value;
}

const detached = (job: string): string =>
  `Interrupted; job ${job} goes on without you: --attach follows it again, --cancel ends it.`;

/** What `--on NAME` does: prints the script, or submits it, follows it, and leaves the points where they are collected from. */
export async function clusterAction({ work, folder }: Asked, flags: ClusterFlags): Promise<"collect" | "printed"> {
  const name = schedulers.find((one) => one === (flags.on ?? "slurm"));
  if (name === undefined) throw new UserError(`--on: ${schedulers.join(", ")}; got ${flags.on}.`);
  if (flags.shard !== undefined) throw new UserError("--shard: not with --on, which has every shard computed.");
  if (name !== "slurm" && !flags.dryRun)
    throw new UserError(
      `--on ${name}: only Slurm is submitted to from here. --dry-run prints the script; afterwards the same command with --collect instead writes the results.`,
    );
  const most = Math.floor(numberOf("max-tasks", flags.maxTasks, 1, 100_000, 100));
  const taskMinutes = numberOf("task-minutes", flags.taskMinutes, 0.01, 10_000, 5);
  const pollMs = 1000 * numberOf("poll", flags.poll, 0.2, 3600, 5);
  const patience = numberOf("patience", flags.patience, 20, 100_000, 120);
  const jobs = flags.jobs ?? 1;
  const version = new Version(undefined, flags.accept);
  const slurm = new Slurm();
  const scriptAsk = (tasks: number, minutes: number): ScriptAsk => ({
    folder: resolve(folder),
    cli: resolve(projectRoot, "src", "cli", "iommu-lab.mjs"),
    node: process.execPath,
    tasks,
    jobs,
    time: flags.time ?? String(Math.max(10, Math.ceil(4 * minutes))),
    mem: flags.mem,
    partition: flags.partition,
    account: flags.account,
    qos: flags.qos,
    constraint: flags.constraint,
    setup: flags.setup,
    prefix: flags.prefix,
    image: flags.image,
    claim: flags.claim,
    retryFailed: flags.retryFailed,
  });
  const cut = (points: number, secondsAPoint: number, mostTasks: number): ScriptAsk => {
    const tasks = tasksFor({ points, secondsAPoint, jobs, taskMinutes, mostTasks });
    const ask = scriptAsk(tasks, (points * secondsAPoint) / (60 * tasks * jobs));
    if (flags.time !== undefined && minutesOf(flags.time) < 1)
      throw new ConfigError(`--time: a minute or more; got ${flags.time}.`);
    return ask;
  };
  // What is wrong with the flags is said before a point is computed.
  scriptFor(name, scriptAsk(1, 1));
  if (flags.cancel) {
    const { array } = await cancelSubmitted(slurm, folder);
    process.stdout.write(`Job ${array} is cancelled; its finished points are kept in ${folder}.\n`);
    return "printed";
  }
  const status = (): SweepStatus => sweepStatus(folder, work, version);
  if (!flags.attach) {
    takeFolder(folder, work);
    if (flags.dryRun) {
      const { missing, running, failed, secondsAPoint = 1 } = status();
      const points = Math.max(1, missing + running + (flags.retryFailed ? failed : 0));
      process.stdout.write(scriptFor(name, cut(points, secondsAPoint, most)));
      return "printed";
    }
    await measured({ work, folder }, flags, version, status);
    const before = status();
    if (before.missing + before.running + (flags.retryFailed ? before.failed : 0) === 0) return "collect";
  }
  const progress = new Progress();
  const say = (line: string): void => {
    progress.end();
    process.stderr.write(`${line}\n`);
  };
  const ask = {
    slurm,
    folder,
    status,
    ask: async (missing: number, secondsAPoint = 1) =>
      cut(
        Math.max(1, missing + (flags.retryFailed ? status().failed : 0)),
        secondsAPoint,
        Math.min(most, await slurm.largestTask()),
      ),
    pollMs,
    patience,
    onProgress: progress.tell,
    say,
  };
  const { array } = flags.attach ? submittedIn(folder) : await submitRound(ask, 1);
  await interruptible(detached(array), (signal) => follow({ ...ask, signal })).finally(() => progress.end());
  return "collect";
}

/** How long a point takes has to be known to cut the array: where nothing was computed yet, one point is, here, and kept. */
async function measured(
  { work, folder }: Asked,
  flags: ClusterFlags,
  version: Version,
  status: () => SweepStatus,
): Promise<void> {
  const { secondsAPoint, missing } = status();
  if (secondsAPoint !== undefined || missing === 0) return;
  await interruptible("Interrupted; nothing was submitted.", (signal) =>
    runShard(folder, work, { ...jobsOf(flags), jobs: 1, most: 1, version, signal }),
  );
  const found = status().secondsAPoint;
  if (found !== undefined)
    process.stderr.write(`One point was computed here, to see how long it takes: ${timeText(found)}.\n`);
}
