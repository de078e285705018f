import { type Look, lineFigure, lookOf } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct, where } from "../frame/rows.js";
import type { WarmupConfig } from "./config.js";
import type { WarmupRow } from "./rows.js";

/** How the starts of one way of mapping are told apart, which share its colour. */
const startLooks: readonly Omit<Look, "colour">[] = [
  { symbol: "circle-open", dash: "dot" },
  { symbol: "circle" },
  { symbol: "diamond", dash: "dash" },
];

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
        const [{ variant, agedTurns }] = mine;
        const start = distinct(rows, "agedTurns").indexOf(agedTurns);
        return {
          name: title,
          look: { ...startLooks[start % startLooks.length], colour: lookOf("way", variant).colour },
          x: mine.map((r) => r.transaction),
          y: mine.map((r) => r.throughput / 1000),
        };
      }),
    }),
};
