import type { Command } from "commander";
import { traceInfo } from "../../recorder/index.js";
import { formatInfo, traceNames } from "../../recordings/index.js";
import { printable } from "../errors.js";
import { type RecordingFlags, reading, recordingArgument, recordingOptions } from "./options.js";

/** `iommu-lab trace info`: what a recording holds. */
export function infoCommand(trace: Command): void {
  recordingOptions(
    trace
      .command("info")
      .argument("<recording>", `${recordingArgument}; or a recording of the laboratory: ${traceNames().join(", ")}`)
      .description(
        "say what a recording holds: rates, devices, sizes, lifetimes, CPUs, reuse, and what was lost or guessed",
      )
      .option("--json", "as JSON, with every number"),
  ).action(async (recording: string, flags: RecordingFlags & { json?: boolean }) => {
    const info = await reading(flags, (options) => traceInfo(recording, options));
    process.stdout.write(flags.json ? `${JSON.stringify(info, null, 1)}\n` : printable(formatInfo(info)));
  });
}
