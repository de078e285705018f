import type { Command } from "commander";
import { decodeTrace, describeTrace, encodeTrace, importTrace, type TraceDescription } from "../recordings/index.js";
import { UserError } from "./errors.js";
import { readText, writeWhole } from "./files.js";

/** `iommu-lab trace convert`: a recording of one's own to the laboratory's trace format. */
export function traceCommand(program: Command): void {
  const trace = program.command("trace").description("recorded DMA-mapping requests");
  trace
    .command("convert")
    .argument(
      "<recording>",
      "text of cat trace, trace-cmd report or perf script, or comma-separated values; plain or .gz; - for stdin",
    )
    .description("turn a recording of DMA map and unmap requests into a trace file")
    .requiredOption("-o, --out <file>", "where to write the trace (NAME.trace.json)")
    .option(
      "--clock-mhz <mhz>",
      "frequency of the recording's clock, where its timestamps are counter values (x86-tsc)",
      Number,
    )
    .option("--name <name>", "the trace's short name (default: from the file)")
    .option("--about <file>", "a JSON file (or another trace file) with about, devices and phases for the header")
    .action((recording: string, options: { out: string; clockMhz?: number; name?: string; about?: string }) => {
      const { clockMhz } = options;
      if (clockMhz !== undefined && !(clockMhz > 0)) {
        throw new UserError("--clock-mhz: expected a frequency in MHz above 0, 2445.43 say.");
      }
      const file = recording === "-" ? "standard input" : recording;
      const { trace: imported, warnings } = importTrace(readText(recording), {
        file,
        ...(clockMhz === undefined ? {} : { clockMhz }),
        ...(options.name === undefined ? {} : { about: { name: options.name } }),
      });
      const described = options.about ? describeTrace(imported, readDescription(options.about)) : imported;
      const text = encodeTrace(described);
      decodeTrace(text, options.out);
      writeWhole(options.out, text);
      for (const warning of warnings) process.stderr.write(`${file}: ${warning}\n`);
      process.stdout.write(
        `${options.out}: ${described.length} operations (${described.maps} maps), ${described.devices.length} devices, ${text.length} bytes.\n`,
      );
    });
}

function readDescription(file: string): TraceDescription {
  try {
    const { about, devices, phases } = JSON.parse(readText(file)) as TraceDescription;
    return { ...(about ? { about } : {}), ...(devices ? { devices } : {}), ...(phases ? { phases } : {}) };
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${file}: expected JSON (${error.message}).`);
    throw error;
  }
}
