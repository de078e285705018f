import { machineConfig } from "../../machine/index.js";
import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import type { LatencyRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<LatencyRow, Settings>>> = {
  staircase: (rows, { host }, { facts }) => {
    const c = machineConfig(facts, host);
    const of = (memory: string) => rows.filter((r) => r.memory === memory);
    const line = (memory: string) => ({
      name: `${memory} memory`,
      x: of(memory).map((r) => r.sizeKiB),
      y: of(memory).map((r) => r.ns),
    });
    const staircase = lineFigure({
      title: "A load's latency over the memory in use",
      caption: `Each step is a cache that has become too small: ${c.l1KiB} KiB of L1, ${c.l2KiB} KiB of L2, ${c.l3KiB / 1024} MiB of L3, then memory.`,
      x: { title: "memory that the chase runs through", unit: "KiB", log: true },
      y: { title: "latency of a load", unit: "ns", log: true },
      series: ["local", "remote"].filter((memory) => of(memory).length > 0).map(line),
    });
    // Labels at 1, 2 and 5 of each power of ten: two decades have no room for nine.
    Object.assign(staircase.layout["yaxis"] as object, { dtick: "D2" });
    return staircase;
  },
};
