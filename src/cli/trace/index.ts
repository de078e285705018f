import type { Command } from "commander";
import { convertCommand } from "./convert.js";
import { infoCommand } from "./info.js";
import { recordCommand } from "./record.js";
import { reportCommand } from "./report.js";

/** `iommu-lab trace`: recorded DMA-mapping requests. */
export function traceCommand(program: Command): void {
  const trace = program
    .command("trace")
    .description("recorded DMA-mapping requests: make them, convert them, look at them, be told what they do");
  recordCommand(trace);
  convertCommand(trace);
  infoCommand(trace);
  reportCommand(trace);
}
