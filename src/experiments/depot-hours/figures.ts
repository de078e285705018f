import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct, where } from "../frame/rows.js";
import type { Settings } from "./config.js";
import type { DepotHoursRow } from "./rows.js";

const seriesOf = (rows: readonly DepotHoursRow[], y: (row: DepotHoursRow) => number) =>
  distinct(rows, "mode").flatMap((mode) =>
    distinct(where(rows, { mode }), "release").map((release) => {
      const own = where(rows, { mode, release });
      return { name: `${mode} (${release})`, x: own.map(({ hours }) => hours), y: own.map(y) };
    }),
  );
const hours = { title: "time that the load has run", unit: "h", log: true };

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<DepotHoursRow, Settings>>> = {
  slow: (rows, { rate, cores }) =>
    lineFigure({
      title: "Requests that come to the tree, over hours of a load",
      caption: `${rate.toLocaleString("en")} requests a second of ${cores} cores, for the allocator alone. Each point is the time since the one before.`,
      x: hours,
      y: { title: "requests that take the tree's lock", unit: "%", log: true },
      series: seriesOf(rows, ({ treeLocks }) => treeLocks),
    }),
  depots: (rows, { rate, cores }) =>
    lineFigure({
      title: "Magazines in the depots, over hours of a load",
      caption: `${rate.toLocaleString("en")} requests a second of ${cores} cores. Mean of the time since the point before; a magazine is a KiB, with up to 127 ranges.`,
      x: hours,
      y: { title: "in the depots", unit: "magazines" },
      series: seriesOf(rows, ({ depots }) => depots),
    }),
};
