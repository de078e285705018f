import { barFigure, type Figure, lineFigure, lookOf, looks, type Series } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct } from "../frame/rows.js";
import { aboutAThird } from "../ignorance/margins.js";
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

/** Measured as points with the spread of their windows, predicted as dashed lines, in the colour of the way of mapping. */
function curves(rows: readonly SiliconRow[], { measured, predicted }: Curve): Series[] {
  const shown = rows.filter(({ draw, lock }) => draw === 0 && lock !== "ticket");
  const several = distinct(shown, "machine").length > 1;
  const groups = distinct(shown, "machine").flatMap((machine) =>
    distinct(shown, "variant").map((variant) => ({ machine, variant })),
  );
  return groups.flatMap(({ machine, variant }, place): Series[] => {
    const mine = shown.filter((row) => row.machine === machine && row.variant === variant);
    const name = several ? `${machine}, ${variant}` : variant;
    const drawn = !several && Object.hasOwn(looks.way, variant) ? { look: lookOf("way", variant) } : { place };
    const series = (rest: readonly SiliconRow[], of: Curve["measured"]) => ({
      x: rest.map(({ cores }) => cores),
      y: rest.map((row) => of(row)[0]),
      low: rest.map((row) => of(row)[1]),
      high: rest.map((row) => of(row)[2]),
      ...drawn,
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
      { name: `${name}, predicted`, listed: false, dash: true, mode: "lines", ...series(mine, predicted) },
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
  return `Points: measured, with the least and the most of their windows; dashed: predicted from its latencies and what is assumed, with 95 % over seeds. Queued locks, ${all[0]?.workNs ?? 0} ns of work.${gap}`;
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

/** From this share of the throughput without mapping on, there is a loss of which a share can be given back. */
const leastLoss = 0.1;

/** A rate with the least and the most that it may be. */
interface Rate {
  mid: number;
  low: number;
  high: number;
}

/**
 * What a way of mapping gives back of what deferred mapping loses, in %, for each number of cores and for one load; queued locks. Its ends are
 * those of the rates that it comes from, each in the direction that moves it most.
 */
function recovered(rows: readonly SiliconRow[], variant: string, of: (row: SiliconRow) => Rate) {
  const none: Rate = { mid: missing, low: missing, high: missing };
  const rate = (name: string, cores: number): Rate => {
    const found = rows.find(
      (row) => row.draw === 0 && row.lock !== "ticket" && row.variant === name && row.cores === cores,
    );
    return found ? of(found) : none;
  };
  return distinct(rows, "cores").flatMap((cores): ({ cores: number } & Rate)[] => {
    const [off, deferred, cured] = [rate("off", cores), rate("deferred", cores), rate(variant, cores)];
    const share = (with_: number, without: number, whole: number) => (100 * (with_ - without)) / (whole - without);
    const mid = share(cured.mid, deferred.mid, off.mid);
    if (!(off.mid - deferred.mid > leastLoss * off.mid && known(mid))) return [];
    const low = share(cured.low, deferred.high, off.high);
    return [{ cores, mid, low, high: share(cured.high, deferred.low, off.low) }];
  });
}

/** Whether values lie so far apart that the small ones need a logarithmic axis to be seen. */
const farApart = (values: readonly number[]): boolean => {
  const above = values.filter((value) => value > 0);
  return above.length > 1 && Math.max(...above) > 40 * Math.min(...above);
};

/** A tick at each number of cores that was run, and at no fraction of one. */
const ticks = (figure: Figure, rows: readonly SiliconRow[]): Figure => {
  Object.assign(figure.layout["xaxis"] as object, { tickmode: "array", tickvals: distinct(rows, "cores") });
  return figure;
};

/** Says which machine is shown, where it is one of many cores: a chapter has these figures of several machines. */
const titleOf = (title: string, rows: readonly SiliconRow[]): string => {
  const [machine, ...others] = distinct(rows, "machine");
  const cores = Math.max(...rows.map((row) => row.cores));
  return others.length === 0 && cores > 2 ? `${title}: ${cores} cores (${machine})` : title;
};

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<SiliconRow, Settings>>> = {
  throughput: (rows): Figure =>
    ticks(
      lineFigure({
        title: titleOf("What a real machine does, and what the model says", rows),
        caption: words(heavier(rows)),
        x: { title: "cores", unit: "" },
        y: {
          title: "transactions",
          unit: "million/s",
          log: farApart(heavier(rows).flatMap(({ measured, predicted }) => [measured, predicted])),
        },
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
        title: titleOf("Time that goes into waiting for locks", rows),
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
  recovered: (rows, _, { facts }): Figure => {
    const third = aboutAThird(facts);
    const all = rows.filter(({ draw }) => draw === 0);
    const loads = distinct(all, "workNs");
    const groups = loads.flatMap((workNs) =>
      (["merged-deferred", "magazines-deferred"] as const).map((variant) => ({ workNs, variant })),
    );
    const series = groups.flatMap(({ workNs, variant }): Series[] => {
      const mine = all.filter((row) => row.workNs === workNs);
      const name = `${variant}, ${workNs.toLocaleString("en")} ns of work`;
      // A way of mapping keeps its colour; the loads are told apart by full and empty marks, and by dashes.
      const { colour, symbol = "circle" } = lookOf("way", variant);
      const heavy = workNs === Math.min(...loads);
      const look = heavy ? { colour, symbol } : { colour, symbol: `${symbol}-open` };
      const points = (of: (row: SiliconRow) => Rate) => {
        const found = recovered(mine, variant, of);
        return {
          x: found.map(({ cores }) => cores),
          y: found.map(({ mid }) => mid),
          low: found.map(({ low }) => low),
          high: found.map(({ high }) => high),
        };
      };
      const measured = points((row) => ({ mid: row.measured, low: row.measuredLow, high: row.measuredHigh }));
      const predicted = points((row) => ({ mid: row.predicted, low: row.predictedLow, high: row.predictedHigh }));
      return [
        { name: `${name}, measured`, mode: "markers", look, ...measured },
        {
          name: `${name}, predicted`,
          listed: false,
          mode: "lines",
          look: { colour, dash: heavy ? "dash" : "dot" },
          ...predicted,
        },
      ];
    });
    return ticks(
      lineFigure({
        title: titleOf("What merging and magazines give back on a real machine", rows),
        caption: `Of the throughput that deferred mapping loses, in %; left out are cores on which it loses less than ${100 * leastLoss} %. Points: measured, with the ends that their windows allow; broken lines: predicted, with 95 % over seeds (dashes for the full marks, dots for the empty ones); the grey band is "about a third" (${third.low} to ${third.high} %). Queued locks.`,
        x: { title: "cores", unit: "" },
        y: { title: "given back", unit: "% of the loss" },
        series,
        layout: {
          shapes: [
            {
              type: "rect",
              xref: "paper",
              x0: 0,
              x1: 1,
              y0: third.low,
              y1: third.high,
              fillcolor: "rgba(127,127,127,0.25)",
              line: { width: 0 },
              layer: "below",
            },
          ],
        },
      }),
      all,
    );
  },
  ratios: (rows): Figure => {
    const shown = heavier(rows).filter(({ draw, ratio }) => draw === 0 && known(ratio));
    const groups = (["queued", "ticket"] as const).flatMap((lock) =>
      distinct(shown, "variant")
        .filter((variant) => variant !== "off" || lock === "queued")
        .map((variant) => ({ lock, variant })),
    );
    return ticks(
      lineFigure({
        title: titleOf("How far the model is from the machine", rows),
        caption: `Predicted over measured transactions, ${shown[0]?.workNs ?? 0} ns of work: 1 is what was measured. Solid: queued locks, which are judged; dotted: ticket locks, which are not.`,
        x: { title: "cores", unit: "" },
        y: { title: "predicted over measured", unit: "×", log: true },
        series: groups.flatMap(({ lock, variant }, place): Series[] => {
          const mine = shown.filter(
            (row) => row.variant === variant && row.lock === (variant === "off" ? "none" : lock),
          );
          const look = Object.hasOwn(looks.way, variant) ? lookOf("way", variant) : undefined;
          const { colour = "", symbol = "circle" } = look ?? {};
          const drawn = look
            ? { look: lock === "ticket" ? { colour, symbol, dash: "dot" as const } : { colour, symbol } }
            : { place };
          return mine.length === 0
            ? []
            : [
                {
                  name: variant === "off" ? variant : `${variant}, ${lock}`,
                  x: mine.map(({ cores }) => cores),
                  y: mine.map(({ ratio }) => ratio),
                  ...drawn,
                },
              ];
        }),
      }),
      shown,
    );
  },
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
      title: titleOf("What a map and an unmap cost on one core", rows),
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
