/**
 * Tables to plotly figures, in one house style.
 *
 * A figure is plain data (traces and layout of plotly.js) with a caption that says what to see and a text for readers who cannot see
 * it. The same object is shown in a notebook (`Symbol.for("Jupyter.display")`), drawn to a picture, and put on a page.
 * Every axis carries its unit; every estimate its interval, as bars or as a band.
 *
 * A figure's colours come from a template that suits light and dark pages alike; `themed` swaps it where the page is known, as the
 * renderer in JupyterLab does by itself.
 */

export type { Axis } from "./axis.js";
export { type BarSpec, barFigure } from "./bars.js";
export { type DotSeries, type DotSpec, dotFigure } from "./dots.js";
export { type Figure, figure, type MimeBundle, themed } from "./figure.js";
export { type Fittable, fitted, type Measure } from "./fit.js";
export { type HeatmapSpec, heatmapFigure } from "./heatmap.js";
export { type LineSpec, lineFigure, type Series } from "./lines.js";
export { type Look, type LookKind, lookOf, looks, measuredLook, palette } from "./palette.js";
export { houseTemplate, type Theme, wrap } from "./style.js";
export { type Drawable, figureSvg } from "./svg.js";
