import type { Command } from "commander";
import { UserError } from "./errors.js";

/** `--jobs`: worker threads at work at a time, the same for every command that has it. */
export function withJobs(
  command: Command,
  about = "worker threads (default: one a core); the result is the same",
): Command {
  return command.option("--jobs <n>", about, (text: string) => {
    const jobs = Number(text);
    if (!(Number.isSafeInteger(jobs) && jobs >= 1 && jobs <= 256))
      throw new UserError(`--jobs: a whole number from 1 to 256; got ${text}.`);
    return jobs;
  });
}

/** `--fresh`: computes what was computed before, the same for every command that has it. */
export function withFresh(command: Command): Command {
  return command.option("--fresh", "compute every point anew, also those that were computed before");
}

/** The part of an options object that says how many jobs, where it was asked for. */
export const jobsOf = ({ jobs }: { jobs?: number }): { jobs?: number } => (jobs === undefined ? {} : { jobs });
