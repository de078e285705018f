import { createRequire } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { deviceOf, formatReport, type RecordingReport, recordingReport } from "../../experiments/index.js";
import { writeWhole } from "../../files/index.js";
import { loadTrace, traceInfo } from "../../recorder/index.js";
import { traceNames } from "../../recordings/index.js";
import { reportNotebook, reportPage } from "../../site/index.js";
import { printable, UserError } from "../errors.js";
import { checkPlaces } from "../files.js";
import { Progress } from "../progress.js";
import { type RecordingFlags, reading, recordingArgument, recordingOptions } from "./options.js";

const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };

/** Steps of a recording that are replayed: with the allocators beside it that takes some 500 MB, with a simulated host some 600 MB. */
const mostReplayed = 3_000_000;

interface ReportFlags extends RecordingFlags {
  device?: string;
  out?: string;
  ipynb?: string;
  stretches?: number;
}

/** `iommu-lab trace report`: what a recorded workload does to allocators, locks and IOTLB, and what it would gain. */
export function reportCommand(trace: Command): void {
  recordingOptions(
    trace
      .command("report")
      .argument("<recording>", `${recordingArgument}; or a recording of the laboratory: ${traceNames().join(", ")}`)
      .description("say what a recorded workload does to each allocator, lock and IOTLB, and what it would gain")
      .option("--device <id>", "whose requests are replayed (default: the device with most of them)")
      .option("-o, --out <file>", "write the report as a page, report.html say, with its figures")
      .option("--ipynb <file>", "write the notebook that makes the same report, to go on from")
      .option("--stretches <n>", "stretches that are simulated on a host, 0 for none (default: 4)", stretches),
  ).action(async (recording: string, flags: ReportFlags) => {
    if (recording === "-" && flags.ipynb !== undefined)
      throw new UserError(
        "--ipynb: a notebook reads the recording again, which standard input does not give twice; name a file.",
      );
    checkPlaces({ reads: [recording], writes: { "--out": flags.out, "--ipynb": flags.ipynb } });
    const { report, skip, device } = await made(recording, flags);
    if (flags.out !== undefined) {
      writeWhole(flags.out, reportPage(report, version));
      process.stdout.write(`${flags.out}: the report on ${report.info.name}, ${report.device.id}.\n`);
    }
    if (flags.ipynb !== undefined) {
      const named = traceNames().includes(recording);
      const path = named ? recording : relative(dirname(resolve(flags.ipynb)), resolve(recording));
      writeWhole(flags.ipynb, reportNotebook(report, { recording: path, skip, limit: mostReplayed, device }));
      process.stdout.write(`${flags.ipynb}: the notebook that makes it.\n`);
    }
    if (flags.out === undefined && flags.ipynb === undefined) process.stdout.write(printable(formatReport(report)));
  });
}

async function made(
  recording: string,
  flags: ReportFlags,
): Promise<{ report: RecordingReport; skip: number; device: string }> {
  return reading(flags, async (options) => {
    // A recording of any size is looked at whole; what is replayed is a part of it where it is too long for memory.
    const info = recording === "-" ? undefined : await traceInfo(recording, options);
    const skip = skipped(info?.account.events ?? 0);
    const trace = await loadTrace(recording, { ...options, limit: mostReplayed, ...(skip > 0 ? { skip } : {}) });
    const progress = new Progress(process.stderr, "steps");
    try {
      const report = await recordingReport(trace, {
        ...(info === undefined ? {} : { info }),
        ...(flags.device === undefined ? {} : { device: flags.device }),
        ...(flags.stretches === undefined ? {} : { stretches: flags.stretches }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onProgress: progress.tell,
      });
      return { report, skip, device: trace.devices[deviceOf(trace, flags.device)].id };
    } finally {
      progress.end();
    }
  });
}

/** Steps to leave out of a recording that is too long: its middle is kept, since its beginning is most often the boot. */
function skipped(events: number): number {
  return events > mostReplayed ? Math.floor((events - mostReplayed) / 2) : 0;
}

function stretches(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 20) return value;
  throw new InvalidArgumentError("Expected a whole number from 0 to 20.");
}
