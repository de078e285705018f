/** A mime bundle as Jupyter shows it: content by media type. */
export type MimeBundle = Record<string, unknown>;

/** An axis: what it measures, in which unit, and how it is scaled. */
export interface Axis {
  /** What is measured, in words: "throughput". */
  title: string;
  /** The unit, as it stands behind the title in brackets; an empty string for a pure number or a category. */
  unit: string;
  /** Logarithmic scale. */
  log?: boolean;
  /** Lowest and highest value shown, in the axis's unit. */
  range?: [number, number];
}

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

/** The colours of the series, distinguishable with colour-blind eyes (Okabe and Ito 2008), on light and on dark. */
export const palette: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#d55e00",
  "#56b4e9",
  "#9a8c00",
  "#7f7f7f",
];

/** The title of an axis with its unit in brackets. */
export function axisTitle(axis: Axis): string {
  return axis.unit === "" ? axis.title : `${axis.title} (${axis.unit})`;
}

/** Plotly's layout for an axis of the house style. */
export function axisLayout(axis: Axis): Record<string, unknown> {
  const layout: Record<string, unknown> = {
    title: { text: axisTitle(axis) },
    automargin: true,
    zeroline: false,
    gridcolor: "rgba(128,128,128,0.25)",
    linecolor: "rgba(128,128,128,0.6)",
    ticks: "outside",
  };
  if (axis.log) layout["type"] = "log";
  if (axis.range) layout["range"] = axis.range;
  return layout;
}

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
  const layout: Record<string, unknown> = {
    title: { text: spec.title },
    colorway: palette,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: "#7f7f7f" },
    margin: { t: 48, r: 16, b: 56, l: 64 },
    height: 420,
    hovermode: "closest",
    ...spec.layout,
  };
  const alt = spec.alt ?? `${spec.title}. ${spec.caption}`;
  return {
    data: spec.data,
    layout,
    caption: spec.caption,
    alt,
    [Symbol.for("Jupyter.display")]: () => ({
      "application/vnd.plotly.v1+json": { data: spec.data, layout, config: { responsive: true, displaylogo: false } },
      "text/plain": `Figure: ${alt}`,
    }),
  };
}
