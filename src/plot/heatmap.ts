import { type Axis, axisLayout, axisTitle, hoverFormat, hoverValue, log10 } from "./axis.js";
import { type ColourScale, colourAt, inkOn, viridis } from "./contrast.js";
import { type Figure, figure } from "./figure.js";

/** What a heat map shows: one value for each pair of categories or positions. */
export interface HeatmapSpec {
  title: string;
  caption: string;
  alt?: string;
  x: Axis;
  y: Axis;
  /** Where it has a range, the colours go from one end of it to the other; otherwise from the smallest to the largest value. */
  z: Axis;
  xValues: readonly (number | string)[];
  yValues: readonly (number | string)[];
  /** Rows follow yValues, columns xValues; null where there is no value. */
  zValues: readonly (readonly (number | null)[])[];
  /** Text in each cell that has a value, in black or white, whichever can be read on the cell's colour. */
  text?: readonly (readonly string[])[];
  /** Shorter texts, for a figure as narrow as a phone's screen. */
  narrowText?: readonly (readonly string[])[];
  /** What the pointer says over each cell, instead of the value: what the cell means. */
  hover?: readonly (readonly string[])[];
  /** Which values are good: yellow is good in every map of the house. High ones, where nothing is said. */
  better?: "high" | "low";
  /** Values marked on the colour bar by a word. */
  marks?: readonly { value: number; text: string }[];
  /** For values that are verdicts and not amounts: 0 is good, 1 is bad, and the text in the cells replaces the colour bar. */
  verdicts?: boolean;
  layout?: Record<string, unknown>;
}

const numbers = (values: readonly (number | string)[]) => values.filter((value) => typeof value === "number");

const mostTicks = 12;
/** The letters in the cells, in pixels. */
const cellFont = 12;

const clear = "rgba(0,0,0,0)";
const rangeOf = ([zmin, zmax]: [number, number]) => ({ zmin, zmax });

/** From good to bad, told apart by colour-blind eyes and in grey; light enough for dark text in the cells. */
const verdictScale: ColourScale = [
  [0, "#b9dcf2"],
  [0.5, "#f5d68a"],
  [1, "#f0a06a"],
];

/** 12000 as "12,000". */
const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, value >= 1000 ? "," : "");

/** The colour bar's ticks for logarithms: a whole label at each power of ten, and at 2 and 5 where there are few. */
function powerTicks(logs: readonly number[]): Record<string, unknown> {
  if (logs.length === 0) return {};
  const low = Math.floor(Math.min(...logs));
  const high = Math.ceil(Math.max(...logs));
  const steps = high - low <= 2 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const ticks = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
  return {
    tickvals: ticks.map(log10),
    ticktext: ticks.map(grouped),
  };
}

/** The colour bar's ticks where a value has a word of its own: every fifth of the range that stands clear of it, and the mark. */
function markedTicks({ title, z, marks = [] }: HeatmapSpec): Record<string, unknown> {
  if (!z.range || z.log)
    throw new Error(
      `heatmapFigure "${title}": marks need a range of z and a linear scale, to know where the ticks are.`,
    );
  const [low, high] = z.range;
  const even = Array.from({ length: 6 }, (_, i) => low + (i * (high - low)) / 5);
  const clear = even.filter((value) => marks.every((mark) => Math.abs(mark.value - value) > (high - low) / 12));
  const ticks = [...clear.map((value) => ({ value, text: String(value) })), ...marks].sort((a, b) => a.value - b.value);
  return { tickvals: ticks.map(({ value }) => value), ticktext: ticks.map(({ text }) => text) };
}

/** The lowest and the highest value of the colours, as plotly.js takes them: values that are all the same lie in the middle. */
function colourRange({ z, verdicts }: HeatmapSpec, shown: readonly (readonly (number | null)[])[]): [number, number] {
  if (verdicts) return [0, 1];
  if (z.range) return z.log ? [log10(z.range[0]), log10(z.range[1])] : z.range;
  const known = shown.flat().filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** A text of the same lines and lengths that shows nothing: plotly.js chooses the letters' size by both. */
const blank = (text: string): string =>
  text
    .split("<br>")
    .map((line) => "\u00a0".repeat(line.length))
    .join("<br>");

/**
 * The texts of the cells, by ink. A trace of plotly.js has one ink for all its cells, so there is a list of texts for each ink that is
 * needed, in which the cells of the other are blank.
 */
function textsByInk(
  spec: HeatmapSpec,
  shown: readonly (readonly (number | null)[])[],
  text: HeatmapSpec["text"],
): [ink: string, text: string[][]][] {
  const { xValues, yValues } = spec;
  if (!text) return [];
  const [low, high] = colourRange(spec, shown);
  const scale = spec.verdicts ? verdictScale : viridis;
  const inks = shown.map((row, i) =>
    row.map((value, j) => {
      if (text[i][j] === "") return "";
      if (value === null)
        throw new Error(
          `heatmapFigure "${spec.title}": the cell ${xValues[j]}, ${yValues[i]} has the text "${text[i][j]}" and no value; only a cell with a value has a colour to write on.`,
        );
      const position = (value - low) / (high - low);
      return inkOn(colourAt(scale, spec.better === "low" && !spec.verdicts ? 1 - position : position));
    }),
  );
  const needed = [...new Set(inks.flat())].filter((ink) => ink !== "").sort();
  return needed.map((ink) => [
    ink,
    inks.map((row, i) => row.map((own, j) => (own === ink ? text[i][j] : blank(text[i][j])))),
  ]);
}

/**
 * A heat map with a colour bar that carries the unit; `z.log` colours by the logarithm.
 * @throws Error when the rows of zValues (or of the texts) do not match yValues and xValues, or a cell without a value has a text
 */
export function heatmapFigure(spec: HeatmapSpec): Figure {
  const { xValues, yValues, zValues } = spec;
  const wrong = zValues.findIndex((row) => row.length !== xValues.length);
  if (zValues.length !== yValues.length || wrong >= 0) {
    const got = wrong >= 0 ? `row ${wrong} has ${zValues[wrong].length} values` : `it has ${zValues.length} rows`;
    throw new Error(
      `heatmapFigure "${spec.title}": zValues needs ${yValues.length} rows of ${xValues.length} values, and ${got}.`,
    );
  }
  const alike = (rows: readonly (readonly unknown[])[] | undefined, what: string) => {
    if (rows && (rows.length !== yValues.length || rows.some((row) => row.length !== xValues.length)))
      throw new Error(
        `heatmapFigure "${spec.title}": ${what} needs ${yValues.length} rows of ${xValues.length}, as zValues has.`,
      );
  };
  alike(spec.text, "text");
  alike(spec.narrowText, "narrowText");
  alike(spec.hover, "hover");
  const shown = zValues.map((row) =>
    row.map((value) => (value === null || !spec.z.log ? value : value > 0 ? log10(value) : null)),
  );
  const { xaxis, yaxis, ...layout } = spec.layout ?? {};
  const axis = (of: Axis, values: readonly (number | string)[], own: unknown) => ({
    ...axisLayout(of, numbers(values)),
    ...(numbers(values).length < values.length ? { type: "category" } : {}),
    // Few columns: a tick at each, and none between two of them.
    ...(values.length <= mostTicks ? { tickmode: "array", tickvals: [...values] } : {}),
    showgrid: false,
    ...(own as object | undefined),
  });
  const texts = textsByInk(spec, shown, spec.text);
  const narrow = textsByInk(spec, shown, spec.narrowText);
  const written = (index: number) =>
    texts.length > index
      ? {
          text: texts[index][1],
          texttemplate: "%{text}",
          textfont: { color: texts[index][0], size: cellFont },
          // What a narrow page writes instead; plotly.js does nothing with it.
          ...(narrow.length > index ? { meta: { narrow: narrow[index][1] } } : {}),
        }
      : {};
  // A line of the page between the cells, where there are few.
  const gaps = spec.text ? { xgap: 2, ygap: 2 } : {};
  const cells = { type: "heatmap", x: [...xValues], y: [...yValues], z: shown };
  const coordinate = (letter: string, values: readonly (number | string)[]) =>
    numbers(values).length < values.length ? `%{${letter}}` : `%{${letter}:${hoverFormat}}`;
  const value = spec.z.log ? `%{customdata:${hoverFormat}}` : `%{z:${hoverFormat}}`;
  return figure({
    title: spec.title,
    caption: spec.caption,
    ...(spec.alt === undefined ? {} : { alt: spec.alt }),
    data: [
      {
        ...cells,
        ...gaps,
        ...(spec.verdicts
          ? { colorscale: verdictScale, zmin: 0, zmax: 1, showscale: false }
          : {
              colorscale: "Viridis",
              ...(spec.better === "low" ? { reversescale: true } : {}),
              ...(spec.z.range ? rangeOf(colourRange(spec, shown)) : {}),
            }),
        colorbar: {
          title: { text: axisTitle(spec.z), side: "right" },
          ...(spec.marks ? markedTicks(spec) : {}),
          ...(spec.z.log ? powerTicks(shown.flat().filter((log) => log !== null)) : {}),
        },
        hoverongaps: false,
        ...(spec.z.log ? { customdata: zValues.map((row) => [...row]) } : {}),
        ...written(0),
        ...(spec.hover ? { hovertext: spec.hover.map((row) => [...row]) } : {}),
        hovertemplate: [
          ...(spec.x.title === "" ? [] : [hoverValue(spec.x, coordinate("x", xValues))]),
          ...(spec.y.title === "" ? [] : [hoverValue(spec.y, coordinate("y", yValues))]),
          `${spec.hover ? "%{hovertext}" : hoverValue(spec.z, value)}<extra></extra>`,
        ].join("<br>"),
      },
      // The words in the other ink, over cells without a colour.
      ...(texts.length > 1
        ? [
            {
              ...cells,
              ...gaps,
              ...written(1),
              colorscale: [
                [0, clear],
                [1, clear],
              ],
              showscale: false,
              hoverinfo: "skip",
            },
          ]
        : []),
    ],
    layout: { xaxis: axis(spec.x, xValues, xaxis), yaxis: axis(spec.y, yValues, yaxis), ...layout },
  });
}
