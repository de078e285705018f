import { barFigure, type Figure, lineFigure, type Series } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct } from "../frame/rows.js";
import type { Settings } from "./config.js";
import type { SiliconRow } from "./rows.js";

const known = (value: number): boolean => !Number.isNaN(value);

/** The heavier load of a run: there locks matter most. */
export const heavier = (rows: readonly SiliconRow[]): SiliconRow[] => {
  const least = rows.reduce((work, { workNs }) => Math.min(work, workNs), Number.POSITIVE_INFINITY);
  return rows.filter(({ workNs }) => workNs === least);
};

/** What a curve shows: the measured columns and the predicted ones. */
interface Curve {
  measured(row: SiliconRow): readonly [number, number, number];
  predicted(row: SiliconRow): readonly [number, number, number];
}

/** Measured as points with the spread of their windows, predicted as dashed lines, in one colour a variant. */
function curves(rows: readonly SiliconRow[], { measured, predicted }: Curve): Series[] {
  const shown = rows.filter(({ draw, lock }) => draw === 0 && lock !== "ticket");
  const several = distinct(shown, "machine").length > 1;
  const groups = distinct(shown, "machine").flatMap((machine) =>
    distinct(shown, "variant").map((variant) => ({ machine, variant })),
  );
  return groups.flatMap(({ machine, variant }, place): Series[] => {
    const mine = shown.filter((row) => row.machine === machine && row.variant === variant);
    const name = several ? `${machine}, ${variant}` : variant;
    const series = (rest: readonly SiliconRow[], of: Curve["measured"]) => ({
      x: rest.map(({ cores }) => cores),
      y: rest.map((row) => of(row)[0]),
      low: rest.map((row) => of(row)[1]),
      high: rest.map((row) => of(row)[2]),
      place,
    });
    return [
      {
        name: `${name}, measured`,
        mode: "markers",
        ...series(
          mine.filter((row) => known(measured(row)[0])),
          measured,
        ),
      },
      { name: `${name}, predicted`, dash: true, mode: "lines", ...series(mine, predicted) },
    ];
  });
}

const words = (rows: readonly SiliconRow[]): string => {
  const all = rows.filter(({ draw }) => draw === 0);
  const without = all.filter(({ measured }) => !known(measured)).length;
  const gap =
    without > 0
      ? ` ${without} of ${all.length} runs have no measurement: others had the cores nearly all the time.`
      : "";
  return `Points: measured, with the least and the most of their windows; dashed: predicted from latencies alone, with 95 % over seeds. Queued locks, ${all[0]?.workNs ?? 0} ns of work.${gap}`;
};

/** What a transaction takes longer on one core because it maps and unmaps a page, in ns: measured, and predicted. */
function costs(rows: readonly SiliconRow[], machine: string, variant: string): { measured: number; predicted: number } {
  const alone = rows.filter(
    (row) => row.draw === 0 && row.cores === 1 && row.machine === machine && row.lock !== "ticket",
  );
  const of = (name: string): SiliconRow | undefined => alone.find((row) => row.variant === name);
  const off = of("off");
  const on = of(variant);
  if (!off || !on) return { measured: missing, predicted: missing };
  return { measured: 1e9 / on.measured - 1e9 / off.measured, predicted: 1e9 / on.predicted - 1e9 / off.predicted };
}

const missing = Number.NaN;

/** A tick at each number of cores that was run, and at no fraction of one. */
const ticks = (figure: Figure, rows: readonly SiliconRow[]): Figure => {
  Object.assign(figure.layout["xaxis"] as object, { tickmode: "array", tickvals: distinct(rows, "cores") });
  return figure;
};

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<SiliconRow, Settings>>> = {
  throughput: (rows): Figure =>
    ticks(
      lineFigure({
        title: "What a real machine does, and what the model says",
        caption: words(heavier(rows)),
        x: { title: "cores", unit: "" },
        y: { title: "transactions", unit: "million/s" },
        series: curves(heavier(rows), {
          measured: (row) => [row.measured / 1e6, row.measuredLow / 1e6, row.measuredHigh / 1e6],
          predicted: (row) => [row.predicted / 1e6, row.predictedLow / 1e6, row.predictedHigh / 1e6],
        }),
      }),
      heavier(rows),
    ),
  spinning: (rows): Figure =>
    ticks(
      lineFigure({
        title: "Time that goes into waiting for locks",
        caption: words(heavier(rows)),
        x: { title: "cores", unit: "" },
        y: { title: "spinning", unit: "% of the cores' time" },
        series: curves(heavier(rows), {
          measured: (row) => [row.measuredSpinning, row.measuredSpinningLow, row.measuredSpinningHigh],
          predicted: (row) => [row.spinning, row.spinningLow, row.spinningHigh],
        }),
      }),
      heavier(rows),
    ),
  cost: (rows): Figure => {
    const shown = heavier(rows);
    const machines = distinct(shown, "machine");
    const found = machines.flatMap((machine) =>
      distinct(shown, "variant")
        .filter((variant) => variant !== "off")
        .map((variant) => ({
          name: machines.length > 1 ? `${machine}, ${variant}` : variant,
          ...costs(shown, machine, variant),
        })),
    );
    const compared = found.filter(({ measured }) => known(measured));
    const gap =
      compared.length < found.length ? ` ${found.length - compared.length} of ${found.length} were not measured.` : "";
    const shownBars = compared.length > 0 ? compared : found;
    return barFigure({
      title: "What a map and an unmap cost on one core",
      caption: `How much longer a transaction takes than one that maps nothing. Nobody is there to wait for, so this is the cost of the code itself and, where it is strict, of the wait for an invalidation.${gap}`,
      categories: shownBars.map(({ name }) => name),
      x: { title: "way of mapping", unit: "" },
      y: { title: "longer than without mapping", unit: "ns" },
      series: [
        ...(compared.length > 0 ? [{ name: "measured", values: compared.map(({ measured }) => measured) }] : []),
        { name: "predicted", values: shownBars.map(({ predicted }) => predicted), hatched: true, place: 1 },
      ],
    });
  },
};
