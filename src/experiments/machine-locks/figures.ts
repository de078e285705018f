import { lockKinds } from "../../machine/index.js";
import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import { type LockRow, ofKind } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<LockRow, Settings>>> = {
  throughput: (rows, { sectionCycles, thinkCycles, placement }) =>
    lineFigure({
      title: "What gets through one lock",
      caption: `Sections of ${sectionCycles} cycles, ${thinkCycles} cycles apart, cores placed ${placement}; bars are 95 % intervals. The dashed line is the published model of the ticket lock.`,
      x: { title: "cores that take the lock", unit: "" },
      y: { title: "sections", unit: "million/s" },
      series: [
        ...lockKinds.map((kind) => ({
          name: kind,
          x: ofKind(rows, kind).map((r) => r.cores),
          y: ofKind(rows, kind).map((r) => r.throughput / 1e6),
          low: ofKind(rows, kind).map((r) => r.throughputLow / 1e6),
          high: ofKind(rows, kind).map((r) => r.throughputHigh / 1e6),
        })),
        {
          name: "ticket, published model",
          x: ofKind(rows, "ticket").map((r) => r.cores),
          y: ofKind(rows, "ticket").map((r) => r.ticketModel / 1e6),
          dash: true,
          mode: "lines" as const,
        },
      ],
    }),
  "hand-off": (rows) =>
    lineFigure({
      title: "From one owner to the next",
      caption:
        "The time in which nobody works although somebody waits: from a section's last cycle to the next one's first.",
      x: { title: "cores that take the lock", unit: "" },
      y: { title: "hand-off", unit: "cycles", log: true },
      series: lockKinds.map((kind) => {
        const of = ofKind(rows, kind).filter((r) => r.handOffCycles > 0);
        return { name: kind, x: of.map((r) => r.cores), y: of.map((r) => r.handOffCycles) };
      }),
    }),
};
