import { type Axis, axisLayout, axisTitle, hoverFormat, hoverValue, log10 } from "./axis.js";
import { type Figure, figure } from "./figure.js";

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
  /** Light colours, so that the text in every cell is dark on light; without it the colours are those of Viridis. */
  light?: boolean;
  /** For values that are verdicts and not amounts: 0 is good, 1 is bad, and the text in the cells replaces the colour bar. */
  verdicts?: boolean;
  layout?: Record<string, unknown>;
}

const numbers = (values: readonly (number | string)[]) => values.filter((value) => typeof value === "number");

const mostTicks = 12;

/** From good to bad, told apart by colour-blind eyes and in grey; light enough for dark text in the cells. */
const verdictScale = [
  [0, "#b9dcf2"],
  [0.5, "#f5d68a"],
  [1, "#f0a06a"],
];

/** From little to much for cells with text: told apart in grey as well, and dark text has a contrast of 6:1 and more on each. */
const lightScale = [
  [0, "#fdf6d8"],
  [0.5, "#a3d5b7"],
  [1, "#5ba7cc"],
];
const darkText = { color: "#1a1a1a" };

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

/**
 * A heat map with a colour bar that carries the unit; `z.log` colours by the logarithm.
 * @throws Error when the rows of zValues do not match yValues and xValues
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
  const shown = zValues.map((row) =>
    row.map((value) => (value === null || !spec.z.log ? value : value > 0 ? log10(value) : null)),
  );
  const axis = (of: Axis, values: readonly (number | string)[]) => ({
    ...axisLayout(of, numbers(values)),
    ...(numbers(values).length < values.length ? { type: "category" } : {}),
    // Few columns: a tick at each, and none between two of them.
    ...(values.length <= mostTicks ? { tickmode: "array", tickvals: [...values] } : {}),
    showgrid: false,
  });
  const coordinate = (letter: string, values: readonly (number | string)[]) =>
    numbers(values).length < values.length ? `%{${letter}}` : `%{${letter}:${hoverFormat}}`;
  const value = spec.z.log ? `%{customdata:${hoverFormat}}` : `%{z:${hoverFormat}}`;
  return figure({
    title: spec.title,
    caption: spec.caption,
    ...(spec.alt === undefined ? {} : { alt: spec.alt }),
    data: [
      {
        type: "heatmap",
        x: [...xValues],
        y: [...yValues],
        z: shown,
        ...(spec.verdicts
          ? {
              colorscale: verdictScale,
              zmin: 0,
              zmax: 1,
              showscale: false,
              xgap: 2,
              ygap: 2,
              textfont: darkText,
            }
          : spec.light
            ? { colorscale: lightScale, textfont: darkText, xgap: 1, ygap: 1 }
            : { colorscale: "Viridis" }),
        colorbar: {
          title: { text: axisTitle(spec.z), side: "right" },
          ...(spec.z.log ? powerTicks(shown.flat().filter((log) => log !== null)) : {}),
        },
        hoverongaps: false,
        ...(spec.z.log ? { customdata: zValues.map((row) => [...row]) } : {}),
        ...(spec.text ? { text: spec.text.map((row) => [...row]), texttemplate: "%{text}" } : {}),
        hovertemplate: [
          hoverValue(spec.x, coordinate("x", xValues)),
          hoverValue(spec.y, coordinate("y", yValues)),
          `${hoverValue(spec.z, value)}<extra></extra>`,
        ].join("<br>"),
      },
    ],
    layout: { xaxis: axis(spec.x, xValues), yaxis: axis(spec.y, yValues), ...spec.layout },
  });
}
