import { kinds, verdicts } from "../experiments/index.js";
import { type Figure, figure, palette } from "../plot/index.js";
import { evidence, type LedgerEntry } from "./ledger.js";

const colours: Readonly<Record<(typeof verdicts)[number], string>> = {
  holds: palette[2],
  depends: palette[1],
  "does not hold": palette[4],
  "not decidable": palette[5],
  "not answered": palette[3],
  calibration: palette[7],
};
/** A mark of its own for each verdict, so that it does not hang on colour alone. */
const symbols: Readonly<Record<(typeof verdicts)[number], string>> = {
  holds: "circle",
  depends: "diamond",
  "does not hold": "x",
  "not decidable": "square",
  "not answered": "triangle-up",
  calibration: "circle-open",
};

const inWords: Readonly<Record<(typeof verdicts)[number], string>> = {
  holds: "hold",
  depends: "hold under conditions",
  "does not hold": "do not hold",
  "not decidable": "cannot be decided",
  "not answered": "are not answered",
  calibration: "are calibrations",
};

const shown = (entries: readonly LedgerEntry[]) =>
  verdicts.filter((verdict) => entries.some((entry) => entry.verdict === verdict));

/** How many claims of each kind have which verdict: a bar a kind. Calibrations are no part of it. */
export function verdictFigure(ledger: readonly LedgerEntry[]): Figure {
  const entries = evidence(ledger);
  const names = kinds.filter((kind) => entries.some((entry) => entry.kind === kind)).toReversed();
  const count = (verdict: string): number => entries.filter((entry) => entry.verdict === verdict).length;
  return figure({
    title: "Verdicts by kind of claim",
    caption: `Of ${entries.length} claims ${shown(entries)
      .map((verdict) => `${count(verdict)} ${inWords[verdict]}`)
      .join(", ")}. Calibrations are no evidence and are left out.`,
    data: shown(entries).map((verdict) => ({
      type: "bar",
      orientation: "h",
      name: verdict,
      y: names,
      x: names.map((name) => entries.filter((e) => e.kind === name && e.verdict === verdict).length),
      marker: { color: colours[verdict] },
      hovertemplate: `%{y}: %{x} ${verdict}<extra></extra>`,
    })),
    layout: {
      barmode: "stack",
      height: 80 + 40 * names.length,
      xaxis: { title: { text: "claims" }, dtick: 2, automargin: true },
      yaxis: { automargin: true },
    },
  });
}

/** What a simulated value is held against: one number, or the nearer end of a range. */
function reference({ published, simulated }: LedgerEntry): number | undefined {
  if (!published || !simulated) return undefined;
  const { low, high } = published;
  if (low <= 0) return undefined;
  return simulated.mean < low ? low : simulated.mean > high ? high : simulated.mean;
}

/** Ticks around 1, as close as ratios from `low` to `high` need them to be told apart. */
function ratioTicks(low: number, high: number): number[] {
  const close = [
    [0.99, 0.995, 1, 1.005, 1.01],
    [0.96, 0.98, 1, 1.02, 1.04],
    [0.9, 0.95, 1, 1.05, 1.1],
    [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3],
    [0.5, 0.7, 1, 1.4, 2],
  ];
  return close.find((ticks) => ticks[0] <= low && high <= (ticks.at(-1) as number)) ?? [0.05, 0.1, 0.2, 0.5, 1, 2, 5];
}

/** Simulated over published for every entry that has both, with its interval; calibrations are marked as such. */
export function marginFigure(entries: readonly LedgerEntry[]): Figure {
  const both = entries.filter((entry) => reference(entry) !== undefined);
  const left = entries.filter(({ published, simulated }) => published && simulated && published.low <= 0);
  // Calibrations last: they stand below the evidence.
  const rows = [
    ...both.filter(({ verdict }) => verdict === "calibration").toReversed(),
    ...both.filter(({ verdict }) => verdict !== "calibration").toReversed(),
  ];
  const label = ({ experiment, id }: LedgerEntry): string => `${id} · ${experiment}`;
  const ratio = (entry: LedgerEntry, end: "mean" | "low" | "high"): number =>
    (entry.simulated?.[end] ?? 0) / (reference(entry) ?? 1);
  const all = both.flatMap((entry) => [ratio(entry, "low"), ratio(entry, "mean"), ratio(entry, "high")]);
  const ticks = ratioTicks(Math.min(...all), Math.max(...all));
  const evidence = both.filter(({ verdict }) => verdict !== "calibration").length;
  return figure({
    title: "Simulated over published",
    caption: `1 is the published value, or the nearer end of a published range. Lines are the simulated value's interval. ${evidence > 0 ? `The ${evidence} filled marks are evidence; the` : "The"} ${both.length - evidence} open ones${evidence > 0 ? ", below them," : ""} are calibrations and lie at 1 because a parameter was set so.${left.length > 0 ? ` Without ${left.map(({ id }) => id).join(", ")}, whose published range begins at zero.` : ""}`,
    data: shown(both).map((verdict) => {
      const own = rows.filter((entry) => entry.verdict === verdict);
      return {
        type: "scatter",
        mode: "markers",
        name: verdict,
        y: own.map(label),
        x: own.map((entry) => ratio(entry, "mean")),
        error_x: {
          type: "data",
          symmetric: false,
          array: own.map((entry) => ratio(entry, "high") - ratio(entry, "mean")),
          arrayminus: own.map((entry) => ratio(entry, "mean") - ratio(entry, "low")),
          color: colours[verdict],
        },
        marker: { color: colours[verdict], symbol: symbols[verdict], size: 10, line: { width: 2 } },
        hovertemplate: `%{y}: %{x:.3g} of the published value<extra></extra>`,
      };
    }),
    layout: {
      height: 90 + 24 * rows.length,
      xaxis: {
        title: { text: "simulated value / published value" },
        type: "log",
        tickvals: ticks,
        ticktext: ticks.map(String),
        automargin: true,
      },
      yaxis: { automargin: true, categoryorder: "array", categoryarray: rows.map(label) },
      shapes: [
        { type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: palette[7], width: 1, dash: "dot" } },
      ],
    },
  });
}
