import { barFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { roles, type Settings } from "./config.js";
import type { ReportRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<ReportRow, Settings>>> = {
  visits: (rows) =>
    barFigure({
      title: "A search's length, with the fault and with the cure",
      caption:
        "Nodes that a request's search steps on, on average, in the allocator alone: what it costs in time hangs on the host. The cures are one rule or one size each.",
      categories: [...new Set(rows.map(({ report }) => report))],
      x: { title: "report", unit: "" },
      y: { title: "search for each request", unit: "nodes" },
      lying: true,
      series: roles.map((role) => ({
        name: role,
        values: rows.filter((row) => row.role === role).map(({ visits }) => visits),
      })),
    }),
};
