import { barFigure, lineFigure, lookOf } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { hostTitle } from "../frame/host-title.js";
import { distinct, where } from "../frame/rows.js";
import type { Settings } from "./config.js";
import type { StorageRow } from "./rows.js";

const ofReports = (rows: readonly StorageRow[]): StorageRow[] => rows.filter(({ report }) => report !== undefined);

/** Loads whose names are no words. */
const loadWords: Readonly<Record<string, string>> = { nvme: "NVMe drives", sas: "SAS drives" };

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<StorageRow, Settings>>> = {
  sizes: (rows, _, { facts }) => {
    const [load] = distinct(rows, "load");
    const cores = Math.max(...distinct(where(rows, { load }), "cores"));
    const mine = where(rows, { load, cores });
    return lineFigure({
      title: "Data that requests of each size carry",
      caption: `${loadWords[load] ?? load} on ${cores} cores of ${hostTitle(facts, mine[0].host)}. A request of more than 128 KiB finds nothing in a cache of addresses: each takes the tree's lock.`,
      x: { title: "size of a request", unit: "KiB", log: true },
      y: { title: "carried", unit: "Gb/s", log: true },
      series: distinct(mine, "title").map((title) => {
        const own = where(mine, { title });
        return {
          name: title,
          x: own.map(({ sizeKiB }) => sizeKiB),
          y: own.map(({ gbps }) => gbps),
          look: lookOf("way", own[0].policy),
        };
      }),
    });
  },
  busy: (rows) => {
    const labelOf = ({ load, linkGbps, sizeKiB }: StorageRow): string => `${load}, ${sizeKiB} KiB, ${linkGbps} Gb/s`;
    const labels = [...new Set(rows.map(labelOf))];
    return barFigure({
      title: "Cores that a load keeps busy",
      caption:
        "Where a card's rate is reached, fewer is better. Where all cores are busy it is not reached: the table has what is carried.",
      categories: labels,
      x: { title: "load", unit: "" },
      y: { title: "busy cores", unit: "cores" },
      lying: true,
      series: distinct(rows, "title").map((title) => ({
        name: title,
        values: labels.map((label) => {
          const found = rows.find((row) => row.title === title && labelOf(row) === label);
          return found?.busyCores ?? 0;
        }),
        look: lookOf("way", where(rows, { title })[0].policy),
      })),
    });
  },
  reports: (rows) => {
    const mine = ofReports(rows);
    if (mine.length === 0) throw new Error('This figure needs rows of reports: set "report".');
    const names = [...new Set(mine.map(({ report }) => report as string))];
    return barFigure({
      title: "Storage, with the fault and with the cure",
      caption: "Requests a second as a share of the cure's. Each is one rule, one size or one release apart.",
      categories: names,
      x: { title: "report", unit: "" },
      y: { title: "of the cure's rate", unit: "%" },
      lying: true,
      series: (["fault", "cure"] as const).map((role) => ({
        name: role,
        values: names.map((report) => {
          const of = (side: string): number =>
            mine.find((row) => row.report === report && row.role === side)?.rate ?? 0;
          return (100 * of(role)) / of("cure");
        }),
      })),
    });
  },
};
