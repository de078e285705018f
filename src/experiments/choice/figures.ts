import type { Basis } from "../../facts/index.js";
import { barFigure, type Figure, heatmapFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { hostTitle } from "../frame/host-title.js";
import { distinct, where } from "../frame/rows.js";
import { choices } from "./cells.js";
import type { Settings } from "./config.js";
import type { CapacityRow } from "./rows.js";
import { wayNamed } from "./ways.js";

/** The host of the rows in words. */
const hostOf = ([first]: readonly CapacityRow[], { facts }: Basis): string =>
  first ? hostTitle(facts, first.host) : "a host";

/** What each way carries, by the number of cores. */
function capacity(rows: readonly CapacityRow[], { rate }: Settings, basis: Basis): Figure {
  const mine = where(rows, { assumption: "as assumed" });
  const names = distinct(mine, "way");
  const cores = distinct(mine, "cores");
  return barFigure({
    title: "What each way of mapping carries",
    caption: `${hostOf(rows, basis)}: 4 KiB packets at full load, in Gb/s. Rates asked for: ${rate.join(", ")} Gb/s. Bars beyond a rate leave cores for other work. Bounce, a pool that stays mapped, is not in Linux.`,
    categories: names,
    x: { title: "way of mapping", unit: "" },
    y: { title: "carried", unit: "Gb/s" },
    lying: true,
    series: cores.map((n) => ({
      name: `${n} cores`,
      values: names.map((way) => mine.find((row) => row.way === way && row.cores === n)?.capacity ?? 0),
    })),
  });
}

/** "4, 16 and 64". */
const told = (values: readonly number[]): string =>
  values.length < 2 ? values.join() : `${values.slice(0, -1).join(", ")} and ${values.at(-1)}`;

/** The table as a picture: for each case the share of its rate that the best way carries. */
function table(rows: readonly CapacityRow[], config: Settings, basis: Basis): Figure {
  const cells = choices(rows, config.rate, { everyWay: config.everyWay });
  const label = ({ reuse, trust }: { reuse: string; trust: string }): string => `${trust}, ${reuse}`;
  // The first row on top.
  const y = [...new Set(cells.map(label))].reverse();
  const shortOf = (cell: { choose: string } | undefined): string => (cell ? wayNamed(cell.choose).short : "");
  const x = [...new Set(cells.map(({ cores, rate }) => `${cores} cores, ${rate} Gb/s`))];
  const at = (row: string, column: string) =>
    cells.find((cell) => label(cell) === row && `${cell.cores} cores, ${cell.rate} Gb/s` === column);
  return heatmapFigure({
    title: `What to choose, on ${told(distinct(rows, "cores"))} cores of ${hostOf(rows, basis)}`,
    caption:
      "Rows: how far the device is trusted, and which buffers come back to it. The text is the way to choose (pass: pass-through; pool: page_pool; two-step: strict, with requests of eight pages in one range); the colour, how much of the rate it carries.",
    x: { title: "cores and rate", unit: "" },
    y: { title: "trust, reuse", unit: "" },
    z: { title: "of the rate", unit: "%", range: [0, 100] },
    xValues: x,
    yValues: y,
    zValues: y.map((row) =>
      x.map((column) => {
        const cell = at(row, column);
        return cell ? (100 * cell.carries) / cell.rate : null;
      }),
    ),
    text: y.map((row) => x.map((column) => shortOf(at(row, column)))),
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<CapacityRow, Settings>>> = { capacity, table };
