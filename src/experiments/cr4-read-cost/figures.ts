import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { valuesOf } from "../frame/rows.js";
import type { Settings } from "./config.js";
import { oneRate, type ReadCostRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<ReadCostRow, Settings>>> = {
  cost: (rows) => {
    const points = oneRate(rows).filter((row) => row.linesBetweenExits > 0);
    const x = valuesOf(points, "linesBetweenExits").map((lines) => lines / 16);
    return lineFigure({
      title: "Reading CR4, or its copy in memory",
      caption:
        "The copy is cheap while it stays in L1 or L2. When guest and host touch more than fits there between two entries, it costs what a CR4 read costs, or more. Interval: 95 % over five batches; the model has no noise, so it is a point where every read is alike.",
      x: { title: "memory touched between two VM entries", unit: "KiB", log: true },
      y: { title: "cost of the read", unit: "cycles" },
      series: [
        {
          name: "copy in memory (simulated)",
          x,
          y: valuesOf(points, "shadowCycles"),
          low: valuesOf(points, "shadowCyclesLow"),
          high: valuesOf(points, "shadowCyclesHigh"),
        },
        {
          name: "CR4, Sandy Bridge (published)",
          x,
          y: valuesOf(points, "cr4CyclesSandyBridge"),
          mode: "lines",
          dash: true,
        },
        { name: "CR4, Haswell (published)", x, y: valuesOf(points, "cr4CyclesHaswell"), mode: "lines", dash: true },
      ],
    });
  },
  saving: (rows) => {
    const rates = [...new Set(valuesOf(rows, "exitsPerSecond"))];
    return lineFigure({
      title: "What the copy saves, as a share of one CPU",
      caption: "Above zero the copy saves time over a CR4 read of 36 cycles, below it costs time.",
      x: { title: "memory touched between two VM entries", unit: "KiB", log: true },
      y: { title: "time saved", unit: "% of one CPU" },
      series: rates.map((rate) => {
        const points = rows.filter((row) => row.exitsPerSecond === rate && row.linesBetweenExits > 0);
        return {
          name: `${rate.toLocaleString("en")} exits/s`,
          x: valuesOf(points, "linesBetweenExits").map((lines) => lines / 16),
          y: valuesOf(points, "savedShare").map((share) => 100 * share),
        };
      }),
    });
  },
};
