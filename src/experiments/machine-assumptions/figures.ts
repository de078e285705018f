import { lockKinds } from "../../machine/index.js";
import { barFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { NumberColumn } from "../frame/rows.js";
import type { Settings } from "./config.js";
import type { AssumptionRow } from "./rows.js";

export const asItIs = "the host as it is";

/** Percentage points within which a change of the host is called none. */
const noChange = 2;

/** "cleanSnoopCycles" as "clean snoop cycles". */
const inWords = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<AssumptionRow, Settings>>> = {
  kept: (rows) => {
    const locks = ["ticket", "queued"] as const;
    const nameOf = (row: AssumptionRow) =>
      row.assumption === "" ? asItIs : `${inWords(row.assumption)}: ${row.end} end (${row.value})`;
    const at = (name: string, lock: string) => rows.find((row) => row.lock === lock && nameOf(row) === name);
    const kept = (name: string, lock: string, column: NumberColumn<AssumptionRow>) =>
      at(name, lock)?.[column] ?? Number.NaN;
    const names = [...new Set(rows.map(nameOf))];
    const moves = (name: string) =>
      locks.some((lock) => Math.abs(kept(name, lock, "keptPercent") - kept(asItIs, lock, "keptPercent")) > noChange);
    // What moves nothing is said once, in the caption.
    const shown = names.filter((name) => name === asItIs || moves(name));
    const still = names.length - shown.length;
    const at0 = locks.map((lock) => `${lock} ${kept(asItIs, lock, "keptPercent").toFixed(0)} %`).join(", ");
    return barFigure({
      title: "How much of one socket's throughput two sockets keep",
      caption: `Below 100 %, more cores get less through the lock. As the host is: ${at0}. Each other pair of bars moves one assumption to an end of its range. ${still === 1 ? "One more end" : `${still} more ends`} of ranges change neither lock by more than ${noChange} percentage points, and are left out. Strokes are 95 % intervals.`,
      categories: shown,
      lying: true,
      x: { title: "", unit: "" },
      y: { title: "throughput of all cores", unit: "% of one socket's" },
      series: locks.map((lock) => ({
        name: `${lock} lock`,
        values: shown.map((name) => kept(name, lock, "keptPercent")),
        low: shown.map((name) => kept(name, lock, "keptLow")),
        high: shown.map((name) => kept(name, lock, "keptHigh")),
        place: lockKinds.indexOf(lock),
      })),
    });
  },
};
