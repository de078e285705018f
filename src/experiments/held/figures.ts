import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import type { HeldRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<HeldRow, Settings>>> = {
  ratio: (rows) =>
    lineFigure({
      title: "Simulated against published",
      caption:
        "Each point is a prediction, as a multiple of what was published; its wide bar is the margin that was written down before, its narrow one the 95 % interval over seeds. Points whose narrow bar lies outside of the wide one are misses; where it crosses an end, chance decides.",
      x: { title: "prediction", unit: "" },
      layout: {
        xaxis: {
          tickvals: rows.map((_, i) => i + 1),
          ticktext: rows.map(({ prediction }) => prediction),
          tickangle: -40,
        },
      },
      y: { title: "of the published value", unit: "%" },
      series: [
        {
          name: "margin",
          x: rows.map((_, i) => i + 1),
          y: rows.map(() => 100),
          low: rows.map(({ low, published }) => (100 * low) / published),
          high: rows.map(({ high, published }) => (100 * high) / published),
          mode: "markers",
        },
        {
          name: "simulated",
          x: rows.map((_, i) => i + 1),
          y: rows.map(({ simulated, published }) => (100 * simulated) / published),
          low: rows.map(({ simulatedLow, published }) => (100 * simulatedLow) / published),
          high: rows.map(({ simulatedHigh, published }) => (100 * simulatedHigh) / published),
          mode: "markers",
        },
      ],
    }),
};
