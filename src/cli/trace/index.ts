import type { Command } from "commander";
import { convertCommand } from "./convert.js";
import { infoCommand } from "./info.js";

/** `iommu-lab trace`: recorded DMA-mapping requests. */
export function traceCommand(program: Command): void {
  const trace = program.command("trace").description("recorded DMA-mapping requests: convert them, look at them");
  convertCommand(trace);
  infoCommand(trace);
}
