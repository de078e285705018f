import { type Axis, axisLayout, hoverFormat, hoverValue } from "./axis.js";
import { type Figure, figure } from "./figure.js";
import { errorBars, hoverInterval, sameLength } from "./interval.js";
import { palette, wrap } from "./style.js";

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

const labelWidth = 16;

/**
 * Bars over categories, side by side or stacked.
 * @throws Error when a series has not one value for each category
 */
export function barFigure(spec: BarSpec): Figure {
  const labels = spec.categories.map((category) => wrap(category, labelWidth));
  const wrapped = labels.some((label, i) => label !== spec.categories[i]);
  return figure({
    title: spec.title,
    caption: spec.caption,
    ...(spec.alt === undefined ? {} : { alt: spec.alt }),
    data: spec.series.map((series, i) => {
      const { name, values, low, high } = series;
      sameLength("barFigure", name, { categories: spec.categories, values, low, high });
      return {
        type: "bar",
        name,
        x: [...spec.categories],
        y: [...values],
        marker: { color: palette[i % palette.length] },
        ...errorBars(values, low, high, "#8a8a8a"),
        ...hoverInterval(low, high, `%{x}<br>${hoverValue(spec.y, `%{y:${hoverFormat}}`)}`, name),
      };
    }),
    layout: {
      barmode: spec.stacked ? "stack" : "group",
      bargap: 0.25,
      xaxis: {
        ...axisLayout(spec.x),
        type: "category",
        ...(wrapped ? { tickmode: "array", tickvals: [...spec.categories], ticktext: labels } : {}),
      },
      yaxis: axisLayout(
        spec.y,
        spec.series.flatMap((series) => [...series.values]),
      ),
      ...spec.layout,
    },
  });
}
