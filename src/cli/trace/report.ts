import { createRequire } from "node:module";
import type { Command } from "commander";
import { formatReport, recordingReport } from "../../experiments/index.js";
import { basisOf, Facts } from "../../facts/index.js";
import { writeWhole } from "../../files/index.js";
import { loadTrace, mostSteps, traceInfo } from "../../recorder/index.js";
import { traceNames } from "../../recordings/index.js";
import { reportPage } from "../../site/index.js";
import { Progress } from "../progress.js";
import { type RecordingFlags, reading, recordingArgument, recordingOptions } from "./options.js";

const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };

interface ReportFlags extends RecordingFlags {
  device?: string;
  out?: string;
}

/** `iommu-lab trace report`: what a recorded workload does to allocators, locks and IOTLB. */
export function reportCommand(trace: Command): void {
  recordingOptions(
    trace
      .command("report")
      .argument("<recording>", `${recordingArgument}; or a recording of the laboratory: ${traceNames().join(", ")}`)
      .description("say what a recorded workload does to each allocator, lock and IOTLB, and what it would gain")
      .option("--device <id>", "whose requests are replayed (default: the device with most of them)")
      .option("-o, --out <file>", "write the report as a page, report.html say, with its figures"),
  ).action(async (recording: string, flags: ReportFlags) => {
    const report = await reading(flags, async (options) => {
      // A recording of any size is looked at whole; what is replayed is a part of it where it is too long for memory.
      const info = recording === "-" ? undefined : await traceInfo(recording, options);
      const trace = await loadTrace(recording, { ...options, ...middle(info?.account.events ?? 0) });
      const progress = new Progress(process.stderr, "steps");
      try {
        return await recordingReport(
          trace,
          {
            ...(info === undefined ? {} : { info }),
            ...(flags.device === undefined ? {} : { device: flags.device }),
            ...(options.signal === undefined ? {} : { signal: options.signal }),
            onProgress: progress.tell,
          },
          basisOf(Facts.published()),
        );
      } finally {
        progress.end();
      }
    });
    if (flags.out === undefined) process.stdout.write(formatReport(report));
    else {
      writeWhole(flags.out, reportPage(report, version));
      process.stdout.write(`${flags.out}: the report on ${report.info.name}, ${report.device.id}.\n`);
    }
  });
}

/** The middle part of a recording that is too long: its beginning is most often the boot. */
function middle(events: number): { skip?: number } {
  return events > mostSteps ? { skip: Math.floor((events - mostSteps) / 2) } : {};
}
