import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { StoreError } from "../../files/index.js";

/** Runs a command of the scheduler's. */
export type RunCommand = (
  command: string,
  args: readonly string[],
) => Promise<{ status: number; stdout: string; stderr: string }>;

/** A command of the system's, by its name. Status 127 where there is none. */
export const runCommand: RunCommand = (command, args) =>
  new Promise((resolve) => {
    execFile(command, [...args], { timeout: 120_000, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      const { code } = (error ?? {}) as { code?: number | string };
      const status = error === null ? 0 : typeof code === "number" ? code : code === "ENOENT" ? 127 : 1;
      resolve({ status, stdout, stderr: stderr || (error === null ? "" : error.message) });
    });
  });

/** A task of an array that the scheduler still has. */
export interface QueuedTask {
  job: string;
  /** Its number in the array. */
  task?: number | undefined;
  /** PENDING, RUNNING, COMPLETING, SUSPENDED … */
  state: string;
  /** Why it waits: "Resources", "DependencyNeverSatisfied". */
  reason: string;
  /** How long it has run, by the scheduler's clock. */
  seconds?: number | undefined;
}

/** The scheduler does not answer just now, which is told from a job that has ended. */
export class SilentScheduler extends StoreError {}

const said = ({ stderr, stdout }: { stderr: string; stdout: string }): string =>
  (stderr.trim() || stdout.trim()).split("\n").slice(-2).join(" ").slice(0, 500);

/** Whether a failure says that the controller cannot be reached just now, and not that what was asked is wrong. */
const isSilent = (text: string): boolean =>
  /unable to contact|connect(ion)? (failure|refused|timed)|timed out|socket|zero bytes|controller.*(not respond|down)|backup controller/i.test(
    text,
  );

/** Slurm, by its commands. */
export class Slurm {
  constructor(private readonly run: RunCommand = runCommand) {}

  /**
   * Submits a script.
   * @param args more of sbatch's options
   * @returns the job's number
   * @throws StoreError with what sbatch says; SilentScheduler while it cannot be reached
   */
  async submit(script: string, args: readonly string[] = []): Promise<string> {
    const answer = await this.run("sbatch", ["--parsable", ...args, script]);
    if (answer.status === 127)
      throw new StoreError(
        "sbatch: there is no Slurm here. --dry-run prints the script, to be submitted where there is.",
      );
    const [id] = answer.stdout.trim().split("\n").at(-1)?.split(";") ?? [];
    if (answer.status === 0 && /^\d+$/.test(id ?? "")) return id as string;
    const text = said(answer);
    if (isSilent(text)) throw new SilentScheduler(text);
    const hint = /array/i.test(text) ? " --max-tasks makes the array smaller." : "";
    throw new StoreError(`sbatch refused the job: ${text || `exit code ${answer.status}`}.${hint}`);
  }

  /** The largest number that an array's task may have. */
  async largestTask(): Promise<number> {
    const { stdout } = await this.run("scontrol", ["show", "config"]);
    const [, size] = /^MaxArraySize\s*=\s*(\d+)/m.exec(stdout) ?? [];
    return size === undefined ? 1000 : Math.max(1, Number(size) - 1);
  }

  /**
   * The tasks of jobs that wait or run.
   * @throws SilentScheduler while the scheduler does not answer
   */
  async queue(jobs: readonly string[]): Promise<QueuedTask[]> {
    const answer = await this.run("squeue", ["-h", "-r", "-u", userInfo().username, "-o", "%F|%K|%T|%M|%r"]);
    if (answer.status !== 0) throw new SilentScheduler(said(answer));
    return answer.stdout.split("\n").flatMap((line) => {
      const [job, task = "", state = "", time = "", reason = ""] = line.trim().split("|");
      const number = /^\d+$/.test(task) ? Number(task) : undefined;
      return jobs.includes(job) ? [{ job, task: number, state, reason, seconds: secondsOf(time) }] : [];
    });
  }

  /** How the tasks of a job ended, as far as the scheduler remembers: how many of each state. */
  async endings(job: string): Promise<Record<string, number>> {
    const states: Record<string, number> = {};
    const count = (state: string): void => {
      states[state] = (states[state] ?? 0) + 1;
    };
    const account = await this.run("sacct", ["-n", "-P", "-X", "-j", job, "-o", "State"]);
    if (account.status === 0 && account.stdout.trim() !== "") {
      for (const line of account.stdout.trim().split("\n")) count(line.split(" ")[0]);
      return states;
    }
    // Without accounting the controller remembers for some minutes.
    const { stdout } = await this.run("scontrol", ["show", "job", job]);
    for (const [, state] of stdout.matchAll(/\bJobState=(\w+)/g)) count(state);
    return states;
  }

  /**
   * Ends jobs ("12"), or tasks of an array ("12_3").
   * @throws StoreError where the scheduler refuses; SilentScheduler while it does not answer
   */
  async cancel(jobs: readonly string[]): Promise<void> {
    const answer = await this.run("scancel", jobs);
    if (answer.status === 127) throw new StoreError("scancel: there is no Slurm here; cancel where it is.");
    if (answer.status === 0 || /invalid job id|already completing|already completed/i.test(answer.stderr)) return;
    if (isSilent(said(answer))) throw new SilentScheduler(said(answer));
    throw new StoreError(`scancel: ${said(answer)}.`);
  }
}

/** The time that a task has run, as squeue shows it ("1-02:03:04", "12:34"), in seconds; undefined where it shows none. */
export function secondsOf(text: string): number | undefined {
  const [, days = "0", hours = "0", minutes, seconds] = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text) ?? [];
  return minutes === undefined
    ? undefined
    : ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}
