import { type Axis, axisLayout, hoverFormat, hoverValue } from "./axis.js";
import { type Figure, figure } from "./figure.js";
import { errorBars, hoverInterval, sameLength } from "./interval.js";
import { type Look, palette } from "./palette.js";

/** One line of a chart, optionally with an interval at each point. */
export interface Series {
  name: string;
  x: readonly number[];
  y: readonly number[];
  /** Lower and upper end of the interval at each point, in the unit of y. */
  low?: readonly number[];
  high?: readonly number[];
  /** How intervals are drawn: error bars (the default up to 40 points) or a band. */
  interval?: "bars" | "band";
  /** Points only, a line only, or both (the default up to 60 points; a line only beyond). */
  mode?: "lines" | "markers" | "lines+markers";
  /** A third quantity, drawn as the marker's area, and said in the hover text; areas are relative to the largest of the figure. */
  size?: readonly number[];
  /** Diameter of all its markers in pixels, where one must be seen around or behind others: 7 where nothing is said. */
  diameter?: number;
  /** Dashed: for a prediction beside a measurement, or a reference line. */
  dash?: boolean;
  /** Left out of the legend where false: the same thing as another series, drawn in the same colour, of which the caption speaks. */
  listed?: boolean;
  /** Its look in every figure, of a thing that has one ({@link lookOf}). */
  look?: Look;
  /** Its place in the palette, where that is not its place in the list: so that a thing keeps its colour from figure to figure. */
  place?: number;
}

/** What a line chart shows. */
export interface LineSpec {
  title: string;
  caption: string;
  alt?: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** What the markers' areas mean, where series have sizes. */
  size?: Axis;
  layout?: Record<string, unknown>;
}

const mostErrorBars = 40;
const mostMarkers = 60;

/** Diameters of the smallest and of the largest marker where areas mean something, in pixels. */
const smallestMarker = 7;
const largestMarker = 34;

/** The markers of a series: all alike, or as large as what they stand for. */
function marker(
  { size, look, diameter = smallestMarker }: Series,
  colour: string,
  place: number,
  most: number,
): Record<string, unknown> {
  const symbol = look ? (look.symbol ?? "circle") : place % 8;
  if (!size) return { color: colour, size: diameter, symbol };
  const diameters = size.map((value) =>
    Math.max(smallestMarker, largestMarker * Math.sqrt(Math.max(0, value) / Math.max(most, 1e-300))),
  );
  return { color: colour, size: diameters, symbol, opacity: 0.75 };
}

/** A colour of the palette with an opacity. */
const faded = (colour: string, opacity: number) =>
  `rgba(${[1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16)).join(",")},${opacity})`;

/** The band of a series' intervals: an outline there and back, behind the line. */
function band({ x, low, high }: Series, group: string, colour: string): Record<string, unknown>[] {
  if (!low || !high) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      x: [...x, ...[...x].reverse()],
      y: [...high, ...[...low].reverse()],
      fill: "toself",
      fillcolor: faded(colour, 0.2),
      line: { width: 0 },
      hoverinfo: "skip",
      showlegend: false,
      legendgroup: group,
    },
  ];
}

/** How many values an axis cannot show, being logarithmic. */
const lostOn = ({ log, none }: Axis, values: readonly number[]): number =>
  log && none === undefined ? values.filter((value) => value <= 0).length : 0;

/** Values as an axis shows them: nothing at the foot of a logarithmic one that has a place for it. */
const shownOn = ({ log, none }: Axis, values: readonly number[]): number[] =>
  values.map((value) => (log && none !== undefined && value <= 0 ? none : value));

/** Lines whose values differ by less than this share at every point lie on one another. */
const same = 0.005;
/** More pairs than this are left to the picture. */
const mostPairs = 3;

/** Which lines hide others, as a sentence; markers alone hide nothing. */
function hidden(series: readonly Series[]): string {
  const lines = series.filter(({ mode, x }) => mode !== "markers" && x.length > 1);
  const pairs = lines.flatMap((under, i) =>
    lines
      .slice(i + 1)
      .filter((over) => over.x.join() === under.x.join())
      .filter((over) => over.y.every((y, k) => Math.abs(y - under.y[k]) <= same * Math.abs(y)))
      .map((over) => `${under.name} under ${over.name}`),
  );
  return pairs.length > 0 && pairs.length <= mostPairs ? ` Hidden: ${pairs.join("; ")}.` : "";
}

/**
 * Lines over a numeric axis; a series with an interval gets error bars or a band. A linear vertical axis begins at zero unless it
 * has a range of its own. The caption names lines that lie under others.
 * @throws Error when a series' lists differ in length
 */
export function lineFigure(spec: LineSpec): Figure {
  const bands: Record<string, unknown>[] = [];
  const largest = Math.max(0, ...spec.series.flatMap(({ size }) => size ?? []));
  const lines = spec.series.map((series, i) => {
    const { name, x, y, low, high } = series;
    sameLength("lineFigure", name, { x, y, low, high, size: series.size });
    const third = series.size && spec.size ? `<br>${hoverValue(spec.size, "%{text}")}` : "";
    const place = series.place ?? i;
    const colour = series.look?.colour ?? palette[place % palette.length];
    const dash = series.look?.dash ?? (series.dash ? "dash" : undefined);
    const group = `series ${i}`;
    const asBand = (series.interval ?? (x.length > mostErrorBars ? "band" : "bars")) === "band" && low && high;
    if (asBand) bands.push(...band(series, group, colour));
    return {
      type: "scatter",
      mode: series.mode ?? (x.length > mostMarkers ? "lines" : "lines+markers"),
      name,
      ...(series.listed === false ? { showlegend: false } : {}),
      x: shownOn(spec.x, x),
      y: shownOn(spec.y, y),
      ...(spec.y.none === undefined ? {} : { customdata: [...y] }),
      line: { color: colour, width: 2, ...(dash ? { dash } : {}) },
      marker: marker(series, colour, place, largest),
      ...(asBand ? { legendgroup: group } : errorBars(y, low, high, colour)),
      ...hoverInterval(
        low,
        high,
        `${hoverValue(spec.x, `%{x:${hoverFormat}}`)}<br>${hoverValue(spec.y, `%{${spec.y.none === undefined ? "y" : "customdata"}:${hoverFormat}}`)}${third}`,
        name,
      ),
      ...(series.size ? { text: series.size.map((value) => String(Math.round(value))) } : {}),
    };
  });
  const xs = spec.series.flatMap((series) => [...series.x]);
  const ys = spec.series.flatMap((series) => [...series.y]);
  const lost = lostOn(spec.x, xs) + lostOn(spec.y, ys);
  const lostNote = lost > 0 ? ` (${lost} values of zero or less cannot be shown on the logarithmic axis.)` : "";
  const note = `${hidden(spec.series)}${lostNote}`;
  const made = figure({
    title: spec.title,
    caption: `${spec.caption}${note}`,
    ...(spec.alt === undefined ? {} : { alt: `${spec.alt}${note}` }),
    data: [...bands, ...lines],
    layout: {
      xaxis: axisLayout(spec.x, xs),
      yaxis: axisLayout(spec.y, ys, true),
      ...spec.layout,
    },
  });
  // Where marks say how much by their area, those of the legend say which, and are all alike.
  if (largest > 0 && made.layout["legend"]) Object.assign(made.layout["legend"], { itemsizing: "constant" });
  return made;
}
