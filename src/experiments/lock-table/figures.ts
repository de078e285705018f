import { lineFigure, lookOf, looks } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct } from "../frame/rows.js";
import type { AnatomyConfig } from "../map-anatomy/config.js";
import { fromCycles, type LockTableRow } from "./rows.js";

/** Below so many cycles there is nothing to tell apart. */
const shortest = 32;

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<LockTableRow, AnatomyConfig>>> = {
  waits: (rows) => distribution(rows, "waits", "How long an acquisition waits"),
  holds: (rows) => distribution(rows, "holds", "How long a lock is held"),
};

/** Cumulative distributions: the share of acquisitions that waited (or held) at least so long. */
function distribution(rows: readonly LockTableRow[], column: "waits" | "holds", title: string) {
  const shown = rows.filter((row) => row.acquisitions >= 100).slice(0, 8);
  const several = distinct(shown, "cores").length > 1 || distinct(shown, "variant").length > 1;
  const nameOf = (row: LockTableRow): string =>
    several ? `${row.lock} · ${row.variant} · ${row.cores} cores` : row.lock;
  const longest = shown.map((row) => {
    const microseconds = row[column === "waits" ? "waittime-max" : "holdtime-max"];
    return `${nameOf(row)} ${microseconds.toPrecision(3)} µs`;
  });
  return lineFigure({
    title,
    caption: `Share of acquisitions that ${column === "waits" ? "wait" : "hold"} at least so long, in steps of two; both axes are logarithmic, so that rare long ones show. Longest: ${longest.join(", ")}.`,
    x: { title: "time", unit: "µs", log: true },
    y: { title: "acquisitions at least so long", unit: "%", log: true },
    series: shown.map((row) => {
      const total = fromCycles.reduce<number>((sum, from) => sum + row[`${column}: ${from}`], 0);
      let left = total;
      const x: number[] = [];
      const y: number[] = [];
      for (const from of fromCycles) {
        if (from >= shortest) {
          x.push(from / (row.gigahertz * 1000));
          y.push((100 * left) / total);
        }
        left -= row[`${column}: ${from}`];
      }
      const last = y.findLastIndex((share) => share > 0) + 1;
      return {
        name: nameOf(row),
        ...(!several && Object.hasOwn(looks.lock, nameOf(row)) ? { look: lookOf("lock", nameOf(row)) } : {}),
        x: x.slice(0, last),
        y: y.slice(0, last),
      };
    }),
  });
}
