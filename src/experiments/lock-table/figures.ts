import { lineFigure, lookOf, looks } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct } from "../frame/rows.js";
import type { AnatomyConfig } from "../map-anatomy/config.js";
import type { LockTableRow } from "./rows.js";

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
      const counts = row[column].split(" ").map(Number);
      const total = counts.reduce((a, b) => a + b, 0);
      let left = total;
      const x: number[] = [];
      const y: number[] = [];
      let edge = 1;
      counts.forEach((count, b) => {
        if (b > 0) {
          // Below 32 cycles there is nothing to tell apart.
          if (b >= 6) {
            x.push(edge / (row.gigahertz * 1000));
            y.push((100 * left) / total);
          }
          edge *= 2;
        }
        left -= count;
      });
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
