import { barFigure, lookOf } from "../../plot/index.js";
import type { FigureMaker, Interval } from "../frame/experiment.js";
import { distinct, estimate, where } from "../frame/rows.js";
import type { MapAnatomyConfig } from "./config.js";
import type { MapAnatomyRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<MapAnatomyRow, MapAnatomyConfig>>> = {
  unmap: (rows) => callFigure(rows, "dma_unmap"),
  map: (rows) => callFigure(rows, "dma_map"),
};

/** Cycles of a line in each run, with its interval; a line that a run never reached counts as none there. */
function lineEstimate(rows: readonly MapAnatomyRow[], name: string): Interval {
  const runs = distinct(rows, "replication").map((replication) => ({
    cycles: where(rows, { replication, function: name }).reduce((sum, row) => sum + row.cycles, 0),
  }));
  const { low, ...rest } = estimate(runs, "cycles");
  return { ...rest, low: Math.max(0, low) };
}

function callFigure(rows: readonly MapAnatomyRow[], call: MapAnatomyRow["call"]) {
  const mine = where(rows, { call });
  const lines = distinct(mine, "function");
  const groups = distinct(mine, "title").flatMap((title) => distinct(mine, "cores").map((cores) => ({ title, cores })));
  const fewest = Math.min(...groups.map(({ cores }) => cores));
  const many = distinct(mine, "title").length > 1;
  const runs = distinct(mine, "replication").length;
  const named = ({ title, cores }: (typeof groups)[number]) =>
    `${many ? `${title}, ` : ""}${cores} core${cores === 1 ? "" : "s"}`;
  const together = groups.map((group) => {
    const sum = (of: readonly MapAnatomyRow[]) =>
      Math.round(of.reduce((total, row) => total + row.cycles, 0) / runs).toLocaleString("en");
    const all = where(mine, group);
    const spinning = where(all, { part: "spinning" });
    const rest = all.filter((row) => row.part !== "spinning");
    return `${named(group)} ${sum(rest)}${spinning.some((row) => row.cycles > 0) ? ` and ${sum(spinning)} of spinning` : ""}`;
  });
  return barFigure({
    title: `One ${call}, line by line`,
    caption: `Mean cycles a call on a logarithmic axis; no dot where none were spent. Lines that begin with “spin” are waiting for another core. Together: ${together.join("; ")}.${runs > 1 ? " Intervals: 95 %, over independent runs." : ""}`,
    categories: lines,
    lying: true,
    x: { title: "function of Linux v4.3", unit: "" },
    y: { title: "time", unit: "cycles a call", log: true },
    series: groups.map((group) => {
      const estimates = lines.map((name) => lineEstimate(where(mine, group), name));
      return {
        name: named(group),
        look: lookOf("way", where(mine, group)[0].variant),
        hatched: groups.length > 1 && group.cores === fewest,
        values: estimates.map(({ mean }) => mean),
        ...(runs > 1 ? { low: estimates.map(({ low }) => low), high: estimates.map(({ high }) => high) } : {}),
      };
    }),
  });
}
