/** Every number that was published and that no parameter knows, beside what the model says: misses as large as hits. */
import type { ColumnTable } from "arquero";
import {
  type Comparison,
  caseDesigns,
  endsOf,
  experiments,
  headline,
  type Interval,
  margins,
  marginText,
  type Row,
  tableOf,
} from "../experiments/index.js";
import type { Facts } from "../facts/index.js";
import { type Figure, figure, palette } from "../plot/index.js";
import type { LedgerEntry } from "./ledger.js";

/** A predicted number with its margin. */
export interface PredictedNumber {
  /** "PE2", or a host's rows of a table. */
  id: string;
  what: string;
  unit: string;
  published: { low: number; high: number };
  margin: { low: number; high: number };
  simulated: Interval;
  /** The 95 % prior-predictive interval, where the number was drawn. */
  predictive?: { low: number; high: number };
  verdict: LedgerEntry["verdict"];
  /** There are only so many cases, and these are all: its interval is their least and most, and no seed is in it. */
  cases: boolean;
  /** The simulated value, at the defaults of the laboratory, lies within the margin; of cases, each of them. */
  within: boolean;
}

/** The predicted numbers of a ledger that have a margin and a simulated value, in its order. */
export function predictedNumbers(entries: readonly LedgerEntry[]): PredictedNumber[] {
  return entries.flatMap(({ id, kind, published, simulated, prior, verdict }): PredictedNumber[] => {
    if (kind !== "predicted number" || !published || !simulated || !prior) return [];
    const { low, high, unit } = prior.margin;
    const cases = caseDesigns.includes(prior.design);
    const ends = cases ? [simulated.low, simulated.high] : [simulated.mean];
    return [
      {
        id,
        what: published.unit,
        unit: unit || published.unit,
        published,
        margin: { low, high },
        simulated,
        predictive: prior.predictive,
        verdict,
        cases,
        within: ends.every((value) => value >= low && value <= high),
      },
    ];
  });
}

/** "predicted numbers: 3 of 9 within margin". */
export function predictedCount(numbers: readonly PredictedNumber[]): string {
  return `predicted numbers: ${numbers.filter(({ within }) => within).length} of ${numbers.length} within margin`;
}

const short = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 3 });
const publishedText = ({ low, high }: { low: number; high: number }): string =>
  low === high ? short(low) : `${short(low)} to ${short(high)}`;

/** Every margin that was written down, with its kind of claim, its reason and its date, in the order of the ledger. */
export function marginTable(facts: Facts): ColumnTable {
  const written = margins(facts);
  const rows = experiments().flatMap((experiment) =>
    experiment.claims([], experiment.parse(undefined, facts), facts).flatMap(({ id, kind, published }): Row[] => {
      const record = written[`${experiment.name}: ${id}`];
      if (record === undefined) return [];
      const { unit, reason, date, design } = record;
      return [{ claim: id, kind, margin: marginText(endsOf(record, published), unit), reason, date, design }];
    }),
  );
  const column = (description: string) => ({ unit: "", description });
  const known = new Set<unknown>();
  return tableOf(
    rows.filter(({ claim }) => !known.has(claim) && known.add(claim)),
    {
      claim: column("record or sentence"),
      kind: column("what kind of statement it is"),
      margin: column("where the quantity must lie"),
      reason: column("why there"),
      date: column("when it was written"),
      design: column("over what it is judged"),
    },
  );
}

/** The predicted numbers as a table, margins first. */
export function predictedTable(numbers: readonly PredictedNumber[]): ColumnTable {
  const column = (description: string, unit = "") => ({ unit, description });
  return tableOf(
    numbers.map(
      ({ id, unit, published, margin, simulated, predictive, verdict, within, cases }): Row => ({
        number: id,
        margin: marginText(margin, unit),
        published: publishedText(published),
        simulated: cases
          ? `${short(simulated.low)} to ${short(simulated.high)} in ${simulated.n} cases`
          : headline(simulated, predictive),
        within: within ? "yes" : "no",
        verdict,
      }),
    ),
    {
      number: column("record or sentence"),
      margin: column("where it must lie, written down before"),
      published: column("what was published"),
      simulated: column("what the model says at its defaults, with both uncertainties"),
      within: column("the simulated value lies within the margin"),
      verdict: column("by the share of the draws within the margin"),
    },
  );
}

/** What a number is measured by: its distance from the published value, or from the nearer end of a published range. */
const reference = ({ published, simulated }: PredictedNumber): number =>
  simulated.mean < published.low ? published.low : simulated.mean > published.high ? published.high : simulated.mean;

/** Ticks of an axis of factors. */
const factors: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

/**
 * Simulated over published, a line a number, the farthest miss first: the margin as a band, the prior-predictive interval as a thin line,
 * the seeds as a thick one. 1 is the published value or the nearer end of its range.
 */
export function predictionFigure(numbers: readonly PredictedNumber[]): Figure {
  const shown = numbers.filter((one) => reference(one) > 0);
  const off = (one: PredictedNumber): number => {
    const ratio = one.simulated.mean / reference(one);
    return ratio < 1 ? 1 / ratio : ratio;
  };
  const rows = [...shown].sort((a, b) => off(a) - off(b));
  const label = ({ id, what }: PredictedNumber): string => `${id} · ${what}`;
  const smallest = 0.02;
  const at = (one: PredictedNumber, value: number): number => Math.max(smallest, value / reference(one));
  const spans = (ends: (one: PredictedNumber) => { low: number; high: number } | undefined) =>
    rows.flatMap((one) => {
      const found = ends(one);
      return found
        ? [
            [at(one, found.low), label(one)],
            [at(one, found.high), label(one)],
            [null, label(one)],
          ]
        : [];
    });
  const line = (name: string, width: number, color: string, ends: Parameters<typeof spans>[0]) => {
    const points = spans(ends);
    return {
      type: "scatter",
      mode: "lines",
      name,
      x: points.map(([x]) => x),
      y: points.map(([, y]) => y),
      line: { color, width },
      hoverinfo: "skip",
    };
  };
  const finite = ({ low, high }: { low: number; high: number }) => ({
    low: Number.isFinite(low) ? low : 0,
    high: Number.isFinite(high) ? high : 100,
  });
  const marks = (within: boolean) => {
    const own = rows.filter((one) => one.within === within);
    return {
      type: "scatter",
      mode: "markers",
      name: within ? "simulated, within the margin" : "simulated, outside",
      x: own.map((one) => at(one, one.simulated.mean)),
      y: own.map(label),
      marker: { size: 11, color: within ? palette[2] : palette[4], symbol: within ? "circle" : "x" },
      hovertemplate: "%{y}: %{x:.3g} of the published value<extra></extra>",
    };
  };
  const dropped = numbers.length - shown.length;
  return figure({
    title: "Every number that no parameter knows",
    caption: `Simulated over published, on a scale of factors, the farthest off first; ${predictedCount(numbers)}. Broad: the margin, written down before; thin: what may honestly be assumed; thick: other seeds.${
      dropped > 0
        ? ` Left out: ${numbers
            .filter((one) => reference(one) <= 0)
            .map(({ id }) => id)
            .join(", ")}, which has no ratio to zero.`
        : ""
    }`,
    data: [
      line("margin", 14, "rgba(141,125,45,0.35)", ({ margin }) => finite(margin)),
      line("what nobody published", 2, palette[0], ({ predictive }) => predictive),
      line("seeds", 6, palette[7], ({ simulated }) => simulated),
      marks(true),
      marks(false),
    ],
    layout: {
      height: 110 + 34 * rows.length,
      xaxis: {
        title: { text: "simulated value / published value" },
        type: "log",
        automargin: true,
        tickvals: factors,
        ticktext: factors.map(String),
      },
      yaxis: { automargin: true, categoryorder: "array", categoryarray: rows.map(label) },
      shapes: [
        { type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: palette[7], width: 1, dash: "dot" } },
      ],
    },
  });
}

/** How a group of comparisons with a published table came out. */
export interface ComparedGroup {
  group: string;
  rows: number;
  within15: number;
  medianPercent: number;
  worstPercent: number;
}

/** Comparisons with published tables that no fit has seen, by a name that each belongs to; the worst first. */
export function comparedGroups(compared: readonly Comparison[], groupOf: (one: Comparison) => string): ComparedGroup[] {
  const groups = new Map<string, number[]>();
  for (const one of compared) {
    if (one.use !== "prediction") continue;
    const error = 100 * (one.simulated.mean / one.published - 1);
    groups.set(groupOf(one), [...(groups.get(groupOf(one)) ?? []), error]);
  }
  const size = (value: number): number => (value < 0 ? -value : value);
  return [...groups]
    .map(([group, errors]) => {
      const sorted = errors.map(size).sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return {
        group,
        rows: errors.length,
        within15: sorted.filter((error) => error <= 15).length,
        medianPercent: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
        worstPercent: errors.reduce((a, b) => (size(b) > size(a) ? b : a)),
      };
    })
    .sort((a, b) => size(b.worstPercent) - size(a.worstPercent));
}

/** Every predicted row of the published tables: its error in percent, a dot a row, a line a group. */
export function comparedFigure(compared: readonly Comparison[], groupOf: (one: Comparison) => string): Figure {
  const predictions = compared.filter(({ use }) => use === "prediction");
  const groups = comparedGroups(compared, groupOf).toReversed();
  const error = ({ simulated, published }: Comparison): number => 100 * (simulated.mean / published - 1);
  const within = predictions.filter((one) => error(one) >= -15 && error(one) <= 15).length;
  return figure({
    title: "Published tables, row by row",
    caption: `Error of every row that no fit has seen, in percent of the published value; the band is the margin of 15 %. ${within} of ${predictions.length} rows lie within it.`,
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "a row",
        x: predictions.map(error),
        y: predictions.map(groupOf),
        text: predictions.map(({ id }) => id),
        marker: { size: 7, color: palette[0], opacity: 0.55 },
        hovertemplate: "%{text}: %{x:.1f} %<extra></extra>",
      },
    ],
    layout: {
      height: 100 + 34 * groups.length,
      xaxis: { title: { text: "error (%)" }, automargin: true },
      yaxis: { automargin: true, categoryorder: "array", categoryarray: groups.map(({ group }) => group) },
      shapes: [
        {
          type: "rect",
          x0: -15,
          x1: 15,
          yref: "paper",
          y0: 0,
          y1: 1,
          fillcolor: "rgba(141,125,45,0.2)",
          line: { width: 0 },
        },
      ],
    },
  });
}
