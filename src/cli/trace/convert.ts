import type { Command } from "commander";
import { JsonError, parseJson } from "../../files/index.js";
import { convertRecording } from "../../recorder/index.js";
import { describedBy, type TraceDescription, warningsOf } from "../../recordings/index.js";
import { UserError } from "../errors.js";
import { checkPlaces, readText } from "../files.js";
import { type RecordingFlags, reading, recordingArgument, recordingOptions } from "./options.js";

interface ConvertFlags extends RecordingFlags {
  out: string;
  name?: string;
  about?: string;
}

/** `iommu-lab trace convert`: a recording of one's own, or a trace file of an older version, to the laboratory's trace format. */
export function convertCommand(trace: Command): void {
  recordingOptions(
    trace
      .command("convert")
      .argument("<recording>", recordingArgument)
      .description("turn a recording of DMA map and unmap requests into a trace file")
      .requiredOption("-o, --out <file>", "where to write the trace (NAME.trace.json)")
      .option("--name <name>", "the trace's short name (default: from the file)")
      .option(
        "--about <file>",
        "a JSON file (or a trace file of version 1) with about, devices and phases for the header",
      ),
  ).action(async (recording: string, flags: ConvertFlags) => {
    checkPlaces({ reads: [recording, flags.about], writes: { "--out": flags.out } });
    const description = flags.about === undefined ? {} : readDescription(flags.about);
    const about = flags.name === undefined ? {} : { name: flags.name };
    const { maps, steps, bytes, end } = await reading(flags, (options) =>
      convertRecording(recording, flags.out, { ...options, about, description }),
    );
    const name = recording === "-" ? "standard input" : recording;
    for (const warning of warningsOf(end.account, end.devices.length)) process.stderr.write(`${name}: ${warning}\n`);
    const requests = maps - end.account.joined - end.account.openJoined;
    process.stdout.write(
      `${flags.out}: ${whole(steps)} operations (${count(maps, "map")} of ${count(requests, "request")}), ${count(end.devices.length, "device")}, ${whole(bytes)} bytes.\n`,
    );
  });
}

const whole = (n: number): string => n.toLocaleString("en");
const count = (n: number, what: string): string => `${whole(n)} ${what}${n === 1 ? "" : "s"}`;

function readDescription(file: string): TraceDescription {
  let value: unknown;
  try {
    value = parseJson(readText(file));
  } catch (error) {
    if (error instanceof JsonError) throw new UserError(`${file}: expected JSON (${error.message}).`);
    throw error;
  }
  return describedBy(value, file);
}
