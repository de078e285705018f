import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct, where } from "../frame/rows.js";
import type { WarmupConfig } from "./config.js";
import type { WarmupRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<WarmupRow, WarmupConfig>>> = {
  curve: (rows) =>
    lineFigure({
      title: "From the first transaction on",
      caption:
        "Throughput of successive slices of one run. Fresh rings: as the driver filled them at boot. Aged: every receive buffer was replaced before the start, outside simulated time. Quick runs start aged (the merged tree three times) and measure from transaction 500 on; full ones start fresh and measure from 25,000 on (the merged tree: 60,000).",
      x: { title: "transactions since the start", unit: "" },
      y: { title: "throughput", unit: "thousand transactions/s" },
      series: distinct(rows, "title").map((title) => {
        const mine = where(rows, { title });
        return {
          name: title,
          x: mine.map((r) => r.transaction),
          y: mine.map((r) => r.throughput / 1000),
        };
      }),
    }),
};
