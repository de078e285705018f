/** The figures of a notebook: what counts as one, its number, its texts. */
import { type CellOutput, joined, type Notebook } from "../notebook.js";
import type { FigureNumber } from "./model.js";
import { cleanedSvg } from "./svg.js";

export const plotlyType = "application/vnd.plotly.v1+json";
const pictureTypes = ["image/png", "image/jpeg", "image/svg+xml"] as const;

type Bundle = Record<string, unknown>;

/** A plotly figure as an output stores it. */
export interface StoredPlot {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** The content of an output by media type; empty for streams and errors. */
export function bundleOf(output: CellOutput): Bundle {
  return "data" in output ? (output["data"] as Bundle) : {};
}

/** The plotly figure of an output, where it has one. */
export function plotOf(output: CellOutput): StoredPlot | undefined {
  const plot = bundleOf(output)[plotlyType] as Partial<StoredPlot> | undefined;
  if (plot === undefined || plot === null || !Array.isArray(plot.data)) return undefined;
  return { data: plot.data, layout: plot.layout ?? {} };
}

/** A picture of an output, where it has one. */
export interface StoredPicture {
  bytes: Uint8Array;
  extension: "png" | "jpg" | "svg";
  width?: number;
  height?: number;
}

/** The static picture of an output: base64 for PNG and JPEG, text for SVG. */
export function pictureOf(output: CellOutput): StoredPicture | undefined {
  const bundle = bundleOf(output);
  const type = pictureTypes.find((name) => typeof bundle[name] === "string" || Array.isArray(bundle[name]));
  if (type === undefined) return undefined;
  const content = joined(bundle[type] as string | string[]);
  const bytes = type === "image/svg+xml" ? cleanedSvg(content) : Buffer.from(content, "base64");
  if (bytes === undefined) return undefined;
  const metadata = "metadata" in output ? (output["metadata"] as Bundle) : {};
  const size = (metadata[type] ?? {}) as Bundle;
  const [width, height] = [sizeIn(size["width"]), sizeIn(size["height"])];
  const extension = type === "image/png" ? "png" : type === "image/jpeg" ? "jpg" : "svg";
  return { bytes: Buffer.from(bytes), extension, ...(width && height ? { width, height } : {}) };
}

/** A size in pixels, where a field of a notebook holds one. */
export function sizeIn(value: unknown): number | undefined {
  return typeof value === "number" && value >= 1 && value <= 10_000 ? value : undefined;
}

/** Whether an output is a figure: a plot or a picture. */
export function isFigure(output: CellOutput): boolean {
  return plotOf(output) !== undefined || pictureOf(output) !== undefined;
}

/** Numbers the figures of a notebook in order of appearance. A cell named `fig-NAME` gives its first figure that anchor. */
export function figuresOf(notebook: Notebook): FigureNumber[] {
  const figures: FigureNumber[] = [];
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    let inCell = 0;
    for (const [output, content] of cell.outputs.entries()) {
      if (!isFigure(content)) continue;
      const number = figures.length + 1;
      inCell++;
      const id = cell.id!;
      const named = id.startsWith("fig-") ? `${id}${inCell === 1 ? "" : `-${inCell}`}` : `figure-${number}`;
      figures.push({ number, cell: id, output, anchor: named });
    }
  }
  return figures;
}

/** Every output of a notebook that is a plot. */
export function plotsIn(notebook: Notebook): CellOutput[] {
  return notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .filter((output) => plotOf(output) !== undefined);
}

/** Gives the plots of a notebook that was executed without pictures those of the stored one, where the very same plot has one there. */
export function withPictures(notebook: Notebook, stored: Notebook): Notebook {
  const known = new Map(plotsIn(stored).map((output) => [JSON.stringify(bundleOf(output)[plotlyType]), output]));
  for (const output of plotsIn(notebook)) {
    const same = known.get(JSON.stringify(bundleOf(output)[plotlyType]));
    if (!same || pictureOf(output)) continue;
    Object.assign(bundleOf(output), { "image/png": bundleOf(same)["image/png"] });
    output["metadata"] = { ...(output["metadata"] as Bundle), ...(same["metadata"] as Bundle) };
  }
  return notebook;
}

/** What stands around a figure. */
export interface FigureTexts {
  title: string;
  /** What to see in it. */
  caption: string;
  /** For readers who cannot see it. */
  alt: string;
}

/**
 * Title and caption of a figure. A figure of the house says "Figure: TITLE. CAPTION" as its plain text; one that has a text of its own for
 * readers who cannot see it carries its caption beside its data.
 */
export function textsOf(output: CellOutput): FigureTexts {
  const title = titleOf(output);
  const plain = bundleOf(output)["text/plain"];
  const told = typeof plain === "string" || Array.isArray(plain) ? joined(plain as string).trim() : "";
  if (!told.startsWith("Figure: ")) return { title, caption: "", alt: title };
  const alt = told.slice("Figure: ".length);
  const caption = (bundleOf(output)[plotlyType] as { caption?: unknown } | undefined)?.caption;
  if (typeof caption === "string") return { title, caption, alt };
  if (title !== "" && alt.startsWith(title) && /^(?:[.?!]|\s|$)/.test(alt.slice(title.length)))
    return { title, caption: alt.slice(title.length).replace(/^\.?\s*/, ""), alt: title };
  return { title, caption: title === "" ? alt : "", alt };
}

function titleOf(output: CellOutput): string {
  const given = plotOf(output)?.layout["title"] as { text?: unknown } | string | undefined;
  const text = typeof given === "string" ? given : typeof given?.text === "string" ? given.text : "";
  return text
    .slice(0, 2000)
    .replace(/<br\s*\/?>/g, " ")
    .replace(/<[^>]*>/g, "");
}
