import { type Axis, axisLayout, hoverFormat, hoverValue } from "./axis.js";
import { type Figure, figure } from "./figure.js";
import { errorBars, hoverInterval, sameLength } from "./interval.js";
import { type Look, palette } from "./palette.js";
import { wrap } from "./style.js";

/** What a bar chart shows: a value for each category and series. */
export interface BarSpec {
  title: string;
  caption: string;
  alt?: string;
  categories: readonly string[];
  /** The categories' axis. */
  x: Axis;
  /** The values' axis. */
  y: Axis;
  series: readonly BarSeries[];
  /** Stack the series of a category instead of standing them side by side. */
  stacked?: boolean;
  /** Lying bars, the first category on top: for many categories, or long names. */
  lying?: boolean;
  layout?: Record<string, unknown>;
}

/** The bars of one colour. */
export interface BarSeries {
  name: string;
  values: readonly number[];
  /** Ends of the interval at each value; stacked bars show its lower half, and all of it under the pointer. */
  low?: readonly number[];
  high?: readonly number[];
  /** Its look in every figure, of a thing that has one ({@link lookOf}). */
  look?: Look;
  /** Its place in the palette, where that is not its place in the list: so that a thing keeps its colour from figure to figure. */
  place?: number;
  /** Hatched (a dot: empty): the second of two series of one colour. */
  hatched?: boolean;
}

const labelWidth = 16;
const lyingLabelWidth = 36;
/** Heights in a lying figure, in pixels: a bar, the gap between two categories, and a line of a label. */
const lying = { bar: 13, gap: 12, line: 17 };

/** The height that the rows of lying bars and their labels need. */
function lyingHeight({ stacked, series }: BarSpec, labels: readonly string[]): number {
  const lines = Math.max(1, ...labels.map((label) => label.split("<br>").length));
  return labels.length * Math.max(lying.bar * (stacked ? 1 : series.length) + lying.gap, lying.line * lines + 4);
}

/** Markers of the dots, in the order of the series that share a colour or have none of their own. */
const dotSymbols = ["circle", "square", "diamond", "triangle-up", "cross", "x"] as const;

/**
 * Bars over categories, side by side or stacked. On a logarithmic axis a bar would have no base that means anything: there the values are
 * dots, in the places where the bars would be.
 * @throws Error when a series has not one value for each category
 */
export function barFigure(spec: BarSpec): Figure {
  const labels = spec.categories.map((category) => wrap(category, spec.lying ? lyingLabelWidth : labelWidth));
  const wrapped = labels.some((label, i) => label !== spec.categories[i]);
  const value = spec.lying ? "x" : "y";
  const category = spec.lying ? "y" : "x";
  const data = spec.series.map((series, i) => {
    const { name, values, low, high } = series;
    sameLength("barFigure", name, { categories: spec.categories, values, low, high });
    const { error_y, ...rest } = {
      ...errorBars(
        values,
        low,
        // The next share of a stack would cover the upper half, and beyond the last one there is nothing to be.
        spec.stacked ? values : high,
        spec.y.log ? (series.look?.colour ?? palette[(series.place ?? i) % palette.length]) : "#8a8a8a",
      ),
      ...hoverInterval(low, high, `%{${category}}<br>${hoverValue(spec.y, `%{${value}:${hoverFormat}}`)}`, name),
    };
    const color = series.look?.colour ?? palette[(series.place ?? i) % palette.length];
    const symbol = `${dotSymbols[(series.place ?? i) % dotSymbols.length]}${series.hatched ? "-open" : ""}`;
    return {
      ...(spec.y.log ? { type: "scatter", mode: "markers", offsetgroup: `${i}` } : { type: "bar" }),
      name,
      ...(spec.lying ? { orientation: "h" } : {}),
      [category]: [...spec.categories],
      [value]: spec.y.log ? values.map((v) => (v > 0 ? v : null)) : [...values],
      marker: spec.y.log
        ? { color, symbol, size: 9, ...(series.hatched ? { line: { width: 2 } } : {}) }
        : { color, ...(series.hatched ? { pattern: { shape: "/", fillmode: "replace", size: 6 } } : {}) },
      ...(error_y ? { [`error_${value}`]: error_y } : {}),
      ...rest,
    };
  });
  const categoryAxis = {
    ...axisLayout(spec.x),
    type: "category",
    ...(spec.lying ? { autorange: "reversed", showgrid: false } : {}),
    ...(wrapped ? { tickmode: "array", tickvals: [...spec.categories], ticktext: labels } : {}),
  };
  const valueAxis = {
    ...axisLayout(
      spec.y,
      spec.series.flatMap((series) => [...series.values]),
    ),
    // Labels at 1, 2 and 5 stand too close beside each other.
    ...(spec.lying && spec.y.log ? { dtick: 1 } : {}),
  };
  return figure({
    title: spec.title,
    caption: spec.caption,
    ...(spec.alt === undefined ? {} : { alt: spec.alt }),
    data,
    layout: {
      ...(spec.y.log
        ? { scattermode: "group", scattergap: 0.25 }
        : { barmode: spec.stacked ? "stack" : "group", bargap: 0.25 }),
      ...(spec.lying ? { height: 64 + lyingHeight(spec, labels) } : {}),
      xaxis: spec.lying ? valueAxis : categoryAxis,
      yaxis: spec.lying ? categoryAxis : valueAxis,
      ...spec.layout,
    },
  });
}
