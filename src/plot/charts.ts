import { type Axis, axisLayout, axisTitle, type Figure, figure, palette } from "./figure.js";

/** One line of a chart, optionally with an interval at each point. */
export interface Series {
  name: string;
  x: readonly number[];
  y: readonly number[];
  /** Lower and upper end of the interval at each point, in the unit of y. */
  low?: readonly number[];
  high?: readonly number[];
  /** Points only, a line only, or both (the default). */
  mode?: "lines" | "markers" | "lines+markers";
  /** Dashed: for a prediction beside a measurement, or a reference line. */
  dash?: boolean;
}

/** What a line chart shows. */
export interface LineSpec {
  title: string;
  caption: string;
  alt?: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  layout?: Record<string, unknown>;
}

const errorBars = (value: readonly number[], low?: readonly number[], high?: readonly number[]) =>
  low && high
    ? {
        type: "data",
        symmetric: false,
        array: high.map((h, i) => h - value[i]),
        arrayminus: low.map((l, i) => value[i] - l),
        thickness: 1.2,
        width: 3,
      }
    : undefined;

/** Lines over a numeric axis, with error bars where a series has an interval. */
export function lineFigure(spec: LineSpec): Figure {
  return figure({
    ...spec,
    data: spec.series.map((series, i) => {
      const colour = palette[i % palette.length];
      const bars = errorBars(series.y, series.low, series.high);
      return {
        type: "scatter",
        mode: series.mode ?? "lines+markers",
        name: series.name,
        x: [...series.x],
        y: [...series.y],
        line: { color: colour, width: 2, ...(series.dash ? { dash: "dash" } : {}) },
        marker: { color: colour, size: 6, symbol: i % 8 },
        ...(bars ? { error_y: { ...bars, color: colour } } : {}),
        hovertemplate: `${axisTitle(spec.x)}: %{x}<br>${axisTitle(spec.y)}: %{y:.4~g}<extra>${series.name}</extra>`,
      };
    }),
    layout: { xaxis: axisLayout(spec.x), yaxis: axisLayout(spec.y), ...spec.layout },
  });
}

/** What a bar chart shows: a value for each category and series. */
export interface BarSpec {
  title: string;
  caption: string;
  alt?: string;
  categories: readonly string[];
  x: Axis;
  y: Axis;
  series: readonly { name: string; values: readonly number[]; low?: readonly number[]; high?: readonly number[] }[];
  /** Stack the series of a category instead of standing them side by side. */
  stacked?: boolean;
  layout?: Record<string, unknown>;
}

/** Bars over categories, side by side or stacked. */
export function barFigure(spec: BarSpec): Figure {
  return figure({
    ...spec,
    data: spec.series.map((series, i) => {
      const bars = errorBars(series.values, series.low, series.high);
      return {
        type: "bar",
        name: series.name,
        x: [...spec.categories],
        y: [...series.values],
        marker: { color: palette[i % palette.length] },
        ...(bars ? { error_y: bars } : {}),
        hovertemplate: `%{x}<br>${axisTitle(spec.y)}: %{y:.4~g}<extra>${series.name}</extra>`,
      };
    }),
    layout: {
      barmode: spec.stacked ? "stack" : "group",
      xaxis: { ...axisLayout(spec.x), type: "category" },
      yaxis: axisLayout(spec.y),
      ...spec.layout,
    },
  });
}

/** What a heat map shows: one value for each pair of categories or positions. */
export interface HeatmapSpec {
  title: string;
  caption: string;
  alt?: string;
  x: Axis;
  y: Axis;
  z: Axis;
  xValues: readonly (number | string)[];
  yValues: readonly (number | string)[];
  /** Rows follow yValues, columns xValues; null where there is no value. */
  zValues: readonly (readonly (number | null)[])[];
  /** Text in each cell. */
  text?: readonly (readonly string[])[];
  layout?: Record<string, unknown>;
}

/** A heat map with a colour bar that carries the unit. */
export function heatmapFigure(spec: HeatmapSpec): Figure {
  return figure({
    ...spec,
    data: [
      {
        type: "heatmap",
        x: [...spec.xValues],
        y: [...spec.yValues],
        z: spec.zValues.map((row) => [...row]),
        colorscale: "Viridis",
        colorbar: { title: { text: axisTitle(spec.z), side: "right" } },
        ...(spec.text ? { text: spec.text.map((row) => [...row]), texttemplate: "%{text}" } : {}),
        hovertemplate: `${axisTitle(spec.x)}: %{x}<br>${axisTitle(spec.y)}: %{y}<br>${axisTitle(spec.z)}: %{z:.4~g}<extra></extra>`,
      },
    ],
    layout: { xaxis: axisLayout(spec.x), yaxis: axisLayout(spec.y), ...spec.layout },
  });
}
