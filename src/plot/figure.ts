import { fitted } from "./fit.js";
import { columnWidth, frame, houseTemplate, paperColour, type Theme } from "./style.js";

/** A mime bundle as Jupyter shows it: content by media type. */
export type MimeBundle = Record<string, unknown>;

/** A plotly figure of the house style. */
export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
  /** What to see in it, one or two sentences. */
  caption: string;
  /** The same for a reader who cannot see it. */
  alt: string;
  [key: symbol]: () => MimeBundle;
}

/**
 * Plotly's settings for a figure on a page of ours. Its toolbar has what moves the view and what keeps a picture; nothing of it sends a
 * figure anywhere.
 */
const config = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toggleSpikelines"],
};

const legendNames = (data: readonly Record<string, unknown>[]): string[] =>
  data
    .filter((trace) => trace["showlegend"] !== false && typeof trace["name"] === "string")
    .map((trace) => String(trace["name"]));

/**
 * A figure of the house style from plotly traces and layout.
 * @param spec traces, layout beyond the house style, the caption and (where it should differ) the alternative text
 */
export function figure(spec: {
  title: string;
  data: Record<string, unknown>[];
  layout?: Record<string, unknown>;
  caption: string;
  alt?: string;
}): Figure {
  const { margin, ...own } = spec.layout ?? {};
  const base = frame(spec.title, legendNames(spec.data));
  // A height that a caller sets is that of the figure without its title and legend, and so is its margin.
  const { layout } = fitted(
    {
      data: spec.data,
      layout: {
        template: houseTemplate(),
        ...base,
        ...own,
        margin: { ...(base["margin"] as object), ...(margin as object | undefined) },
      },
    },
    columnWidth,
  );
  const alt = spec.alt ?? `${spec.title}${/[.?!]$/.test(spec.title) ? "" : "."} ${spec.caption}`;
  return {
    data: spec.data,
    layout,
    caption: spec.caption,
    alt,
    [Symbol.for("Jupyter.display")]: () => ({
      // A text of its own for those who cannot see the figure leaves no place for the caption but beside the figure.
      "application/vnd.plotly.v1+json": {
        data: spec.data,
        layout,
        config,
        ...(spec.alt === undefined ? {} : { caption: spec.caption }),
      },
      "text/plain": `Figure: ${alt}`,
    }),
  };
}

/**
 * What plotly.js takes to draw a figure on a light or a dark page: the same figure with the colours of that theme.
 * @param figure a figure of the house style, or the content of its `application/vnd.plotly.v1+json`
 * @param theme the page's theme
 * @param options.width the width that it is drawn at, in CSS pixels, where that is not a notebook's column
 * @param options.opaque fill the background with the theme's paper, for a picture that stands alone
 */
export function themed(
  figure: { data: Record<string, unknown>[]; layout?: Record<string, unknown> },
  theme: Theme,
  options: { opaque?: boolean; width?: number } = {},
): { data: Record<string, unknown>[]; layout: Record<string, unknown>; config: Record<string, unknown> } {
  const { data, layout = {} } = figure;
  const fit = options.width === undefined ? { data, layout } : fitted({ data, layout }, options.width);
  const { wide } = (fit.layout["meta"] ?? {}) as { wide?: unknown };
  return {
    data: fit.data,
    layout: {
      ...fit.layout,
      ...(typeof wide === "number" ? { width: wide } : {}),
      template: houseTemplate(theme),
      ...(options.opaque ? { paper_bgcolor: paperColour(theme) } : {}),
    },
    config,
  };
}
