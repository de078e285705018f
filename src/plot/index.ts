/**
 * Tables to plotly figures, in one house style.
 *
 * A figure is plain data (traces and layout of plotly.js) with a caption that says what to see and a text for readers who cannot see
 * it. The same object is shown in a notebook (`Symbol.for("Jupyter.display")`), drawn to a picture, and put on a page.
 * Every axis carries its unit; every estimate its interval.
 */

export {
  type BarSpec,
  barFigure,
  type HeatmapSpec,
  heatmapFigure,
  type LineSpec,
  lineFigure,
  type Series,
} from "./charts.js";
export { type Axis, type Figure, figure, type MimeBundle } from "./figure.js";
