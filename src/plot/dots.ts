import { type Axis, axisLayout, hoverFormat, hoverValue } from "./axis.js";
import { type Figure, figure } from "./figure.js";
import { sameLength } from "./interval.js";
import { type Look, palette } from "./palette.js";

/** What a chart of dots shows: a row for each thing, its values along one axis. */
export interface DotSpec {
  title: string;
  caption: string;
  alt?: string;
  /** The rows, the first on top. */
  labels: readonly string[];
  /** The values' axis. */
  x: Axis;
  /** Where the axis has its ticks, instead of where they fall by themselves. */
  ticks?: readonly number[];
  series: readonly DotSeries[];
  /** A value that is marked by a broken line from top to bottom, and its name. */
  mark?: { name: string; value: number };
  /** Draw the series of a row on one line instead of a little apart. */
  together?: boolean;
  /** Height of a row, in pixels. */
  rowHeight?: number;
}

/** The dots of one colour. */
export interface DotSeries {
  name: string;
  /** A value for each row; null where the row has none of this series. */
  values: readonly (number | null)[];
  low?: readonly number[];
  high?: readonly number[];
  /** What its hover text says first in each row, where that is more than the row's label. */
  hover?: readonly string[];
  /** The intervals are broad and grey, behind everything: a range that others are held against. */
  range?: boolean;
  /** Its look in every figure, of a thing that has one ({@link lookOf}). */
  look?: Look;
}

const rangeColour = "rgba(127,127,127,0.4)";
const mostNarrow = 0.22;

/**
 * Dots with lying intervals, a row of the picture each: for many estimates of one quantity whose names must be read.
 * @throws Error when a series has not one value for each row
 */
export function dotFigure(spec: DotSpec): Figure {
  const { labels, x, series, mark, ticks } = spec;
  const height = (row: number): number => labels.length - row;
  const shift = (k: number): number =>
    spec.together || series.length === 1 ? 0 : mostNarrow * ((series.length - 1) / 2 - k);
  const shown = (value: number | null): number | null =>
    value !== null && x.log && value <= 0 ? (x.none ?? null) : value;
  const data = series.map((one, k) => {
    const { name, values, low, high, range } = one;
    sameLength("dotFigure", name, { labels, values, low, high, hover: one.hover });
    const color = range ? rangeColour : (one.look?.colour ?? palette[k % palette.length]);
    const ends = low && high ? { low, high } : undefined;
    const interval = ends ? `<br>interval: %{customdata[2]:${hoverFormat}} to %{customdata[3]:${hoverFormat}}` : "";
    return {
      type: "scatter",
      mode: "markers",
      name,
      x: values.map(shown),
      y: labels.map((_, row) => height(row) + shift(k)),
      marker: { color, size: range ? 6 : 8, symbol: one.look?.symbol ?? (range ? "square" : k % 8) },
      ...(ends
        ? {
            error_x: {
              type: "data",
              symmetric: false,
              array: ends.high.map((end, row) => end - (shown(values[row]) ?? end)),
              arrayminus: ends.low.map((end, row) => (shown(values[row]) ?? end) - end),
              thickness: range ? 8 : 2,
              width: 0,
              color,
            },
          }
        : {}),
      customdata: labels.map((label, row) => [
        one.hover?.[row] ?? label,
        values[row],
        ...(ends ? [ends.low[row], ends.high[row]] : []),
      ]),
      hovertemplate: `%{customdata[0]}<br>${hoverValue(x, `%{customdata[1]:${hoverFormat}}`)}${interval}<extra>${name}</extra>`,
    };
  });
  const line = mark && {
    type: "scatter",
    mode: "lines",
    name: mark.name,
    x: [mark.value, mark.value],
    y: [0.5, labels.length + 0.5],
    line: { color: palette[7], width: 2, dash: "dash" },
    hoverinfo: "skip",
  };
  const values = series.flatMap((one) => one.values.filter((value): value is number => value !== null));
  const lost = x.log && x.none === undefined ? values.filter((value) => value <= 0).length : 0;
  const note =
    lost > 0 ? ` (${lost} value${lost === 1 ? "" : "s"} of zero or less cannot be shown on the logarithmic axis.)` : "";
  return figure({
    title: spec.title,
    caption: `${spec.caption}${note}`,
    ...(spec.alt === undefined ? {} : { alt: `${spec.alt}${note}` }),
    data: [
      ...data.filter((_, k) => series[k].range),
      ...data.filter((_, k) => !series[k].range),
      ...(line ? [line] : []),
    ],
    layout: {
      height: 100 + (spec.rowHeight ?? 24) * labels.length * (spec.together ? 1 : Math.max(1, series.length * 0.75)),
      xaxis: {
        ...axisLayout(x, values, true),
        ...(ticks
          ? {
              tickmode: "array",
              tickvals: [...(x.none === undefined ? [] : [x.none]), ...ticks],
              ticktext: [...(x.none === undefined ? [] : ["none"]), ...ticks.map(String)],
              minor: {},
            }
          : {}),
      },
      yaxis: {
        tickvals: labels.map((_, row) => height(row)),
        ticktext: [...labels],
        range: [0.3, labels.length + 0.7],
        automargin: true,
      },
    },
  });
}
