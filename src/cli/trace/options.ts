import { type Command, InvalidArgumentError } from "commander";
import type { FileReadOptions } from "../../recorder/index.js";
import { interruptible } from "../interrupt.js";
import { Progress } from "../progress.js";

/** What the argument RECORDING accepts. */
export const recordingArgument =
  "text of cat trace, trace_pipe, trace-cmd report, perf script or our bpftrace script, comma-separated values, or a trace file; plain, gzip, xz or zstd; - for standard input";

/** The options that every command with a recording has. */
export interface RecordingFlags {
  clockMhz?: number;
  mostUnreadable?: number;
}

/** Adds them. */
export function recordingOptions(command: Command): Command {
  return command
    .option(
      "--clock-mhz <mhz>",
      "frequency of the recording's clock, where its timestamps are counter values (x86-tsc; 1000 for nanoseconds)",
      positive,
    )
    .option(
      "--most-unreadable <percent>",
      "refuse a recording where more of its events cannot be read (default: 1)",
      percent,
    );
}

/** Runs `read` with progress on stderr and interruption: Ctrl-C stops it with exit code 130. Each file that is read has a progress of its own. */
export function reading<T>(flags: RecordingFlags, read: (options: FileReadOptions) => Promise<T>): Promise<T> {
  let progress = new Progress(process.stderr, "MB");
  let before = 0;
  const tell = (done: number, total: number): void => {
    if (done < before) {
      progress.end();
      progress = new Progress(process.stderr, "MB");
    }
    before = done;
    progress.tell(Math.round(done / 1e6), Math.round(total / 1e6), "");
  };
  return interruptible("Interrupted; nothing was written.", (signal) =>
    read({
      ...(flags.clockMhz === undefined ? {} : { clockMhz: flags.clockMhz }),
      ...(flags.mostUnreadable === undefined ? {} : { mostUnreadable: flags.mostUnreadable / 100 }),
      signal,
      progress: tell,
    }),
  ).finally(() => progress.end());
}

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError("Expected a frequency in MHz above 0, 2445.43 say.");
  return Number(text);
}

function percent(text: string): number {
  const value = text === "" ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError("Expected a percentage from 0 to 100.");
  return value;
}
