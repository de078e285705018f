import { frame, houseTemplate, paperColour, type Theme } from "./style.js";

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
  /** Width of the legend in characters, where something beside it needs room. */
  legendWidth?: number;
}): Figure {
  const layout: Record<string, unknown> = {
    template: houseTemplate(),
    ...frame(spec.title, legendNames(spec.data), spec.legendWidth),
    ...spec.layout,
  };
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
 * @param options.opaque fill the background with the theme's paper, for a picture that stands alone
 */
export function themed(
  figure: { data: Record<string, unknown>[]; layout?: Record<string, unknown> },
  theme: Theme,
  options: { opaque?: boolean } = {},
): { data: Record<string, unknown>[]; layout: Record<string, unknown>; config: Record<string, unknown> } {
  return {
    data: figure.data,
    layout: {
      ...figure.layout,
      template: houseTemplate(theme),
      ...(options.opaque ? { paper_bgcolor: paperColour(theme) } : {}),
    },
    config,
  };
}
