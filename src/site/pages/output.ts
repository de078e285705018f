/** What a cell has shown, as HTML. */
import { AnsiUp } from "ansi_up";
import { isCaption, isFinished } from "../dress.js";
import { type CellOutput, type CodeCell, joined } from "../notebook.js";
import type { PageContext } from "./context.js";
import { bundleOf, isFigure, pictureOf, plotOf, type StoredPlot, sizeIn, textsOf } from "./figures.js";
import { cleaned, eachElement, Markup, markup, none, type Root, textIn, written } from "./html.js";
import { renderMarkdown } from "./markdown.js";
import type { FigureNumber } from "./model.js";
import { wrapTables } from "./tables.js";

/** Longer text is cut on the page; the notebook that can be downloaded has it all. */
const longestText = 40_000;
/** Longer HTML is left out: a page may weigh no more. */
const longestHtml = 2_000_000;
/** Characters of a line that the page is as wide as; a text with a longer one is broken into lines. */
const widestLine = 88;
const widgetType = "application/vnd.jupyter.widget-view+json";

/** An output as HTML, and what it says, for the search. */
export interface DrawnOutput {
  html: Markup;
  text: string;
}

const nothing: DrawnOutput = { html: none, text: "" };

/** Draws one output of a cell. */
export function drawOutput(context: PageContext, cell: CodeCell, output: CellOutput, index: number): DrawnOutput {
  if (output.output_type === "stream") {
    const label = output.name === "stderr" ? "Messages" : "Printed text";
    return {
      html: preformatted(joined(output.text), `stream ${output.name === "stderr" ? "stderr" : "stdout"}`, label),
      text: "",
    };
  }
  if (output.output_type === "error") return drawError(output as never);
  const figure = context.page.figures.find((known) => known.cell === cell.id && known.output === index);
  if (isFigure(output) && figure) return drawFigure(context, output, figure);
  const bundle = bundleOf(output);
  const content = (type: string): string | undefined => {
    const value = bundle[type];
    return typeof value === "string" || Array.isArray(value) ? joined(value as string) : undefined;
  };
  const plain = content("text/plain") ?? "";
  // A widget lives in JupyterLab only: what it controls is shown by the figure beside it.
  if (widgetType in bundle) return nothing;
  const html = content("text/html");
  // The bar of a run that is done says nothing any more, and a figure's caption stands below it already.
  if (isFinished(output) || isCaption(output)) return nothing;
  if (html !== undefined) return drawHtml(html, context);
  const text = content("text/markdown") ?? asFormula(content("text/latex"));
  if (text !== undefined) {
    const { tree } = renderMarkdown(text, context);
    return { html: markup`<div class="output text">${written(tree)}</div>`, text: textIn(tree) };
  }
  if ("application/json" in bundle)
    return { html: preformatted(JSON.stringify(bundle["application/json"], null, 2), "value", "JSON"), text: "" };
  if (plain !== "") return { html: preformatted(plain, "value", "Result"), text: "" };
  const types = Object.keys(bundle);
  if (types.length === 0) return nothing;
  return {
    html: markup`<p class="output unknown">An output of the type ${types.join(", ")}, which only JupyterLab can show.</p>`,
    text: "",
  };
}

function asFormula(latex: string | undefined): string | undefined {
  if (latex === undefined) return undefined;
  const tex = latex.trim();
  return tex.startsWith("$") ? tex : `$$${tex}$$`;
}

function drawHtml(html: string, context: PageContext): DrawnOutput {
  if (html.length > longestHtml) {
    context.fault(`an output of ${html.length} characters of HTML is left out; expected at most ${longestHtml}.`);
    return { html: markup`<p class="note">This output is too long for a page; the notebook has it.</p>`, text: "" };
  }
  const tree: Root = cleaned(html);
  // What an output links to or shows is the page's business as much as what a text does.
  eachElement(tree, (node) => {
    if (node.tagName === "a" && node.properties["href"] !== undefined) context.link(node, textIn(node));
    else if (node.tagName === "img") context.image(node);
    return undefined;
  });
  wrapTables(tree, "Table of results");
  return { html: markup`<div class="output html">${written(tree)}</div>`, text: "" };
}

/** Text as it was printed, with a terminal's colours. */
function preformatted(text: string, kind: string, label: string): Markup {
  const shown = text.length > longestText ? text.slice(0, longestText) : text;
  const colours = new AnsiUp();
  colours.use_classes = true;
  // The library escapes the text itself; what it adds are spans with classes of its own.
  const html = new Markup(colours.ansi_to_html(shown.replace(/\n$/, "")));
  const rest = text.length - shown.length;
  const note =
    rest > 0
      ? markup`<p class="note">${rest.toLocaleString("en-US")} more characters are in the notebook; it can be downloaded below.</p>`
      : none;
  // Sentences and long lists are read whole; what is set in columns keeps them.
  const wraps = shown.split("\n").some((line) => line.length > widestLine) ? " wraps" : "";
  return markup`<div class="output"><pre class="${kind}${wraps}" tabindex="0" role="group" aria-label="${label}">${html}</pre>${note}</div>`;
}

function drawError(output: { ename: string; evalue: string; traceback: string[] }): DrawnOutput {
  const said = `${output.ename}: ${output.evalue}`;
  const trace = output.traceback.length > 0 ? output.traceback.join("\n") : said;
  return { html: preformatted(trace, "error", `Error: ${said.slice(0, 120)}`), text: "" };
}

/**
 * A figure: its picture at once, and beside it what a script needs to draw the plot in its place. The box has the plot's height from the
 * beginning, so that nothing moves.
 */
function drawFigure(context: PageContext, output: CellOutput, figure: FigureNumber): DrawnOutput {
  const { page } = context;
  const folder = `figures/${page.url.replace(/\.html$/, "")}`;
  const picture = pictureOf(output);
  const plot = plotOf(output);
  const { title, caption, alt } = textsOf(output);
  const name = `${folder}/${figure.anchor}`;
  let inner: Markup;
  if (picture) {
    const url = `${name}.${picture.extension}`;
    context.put(url, picture.bytes);
    const size = picture.width && picture.height ? markup` width="${picture.width}" height="${picture.height}"` : none;
    const order = figure.number === 1 ? markup`fetchpriority="high"` : markup`loading="lazy" decoding="async"`;
    if (alt === "")
      context.fault(`figure ${figure.number} (cell "${figure.cell}") has no text for readers who cannot see it.`);
    inner = markup`<img src="${context.url(url)}" alt="${alt}"${size} ${order}>`;
  } else {
    context.fault(
      `figure ${figure.number} (cell "${figure.cell}") has no static picture; execute the notebook with pictures.`,
    );
    inner = markup`<p class="note">${alt || title}</p>`;
  }
  let attributes = none;
  if (plot) {
    const script = plotScript(`${page.url.replace(/\.html$/, "")}/${figure.anchor}`, plot, (message) =>
      context.refuse(`figure ${figure.number} (cell "${figure.cell}") ${message}`),
    );
    context.put(`${name}.js`, script);
    const height = sizeIn(plot.layout["height"]) ?? picture?.height ?? 420;
    attributes = markup` data-plot="${context.url(`${name}.js`)}" data-name="${page.url.replace(/\.html$/, "")}/${figure.anchor}" style="--plot-height:${height}px"`;
  }
  const told = caption === "" ? title : caption;
  return {
    html: markup`<figure class="plot" id="${figure.anchor}"><div class="canvas"${attributes}>${inner}</div><figcaption><b>Figure ${figure.number}.</b> ${told}</figcaption></figure>`,
    text: `Figure ${figure.number}. ${title}. ${caption}`,
  };
}

/**
 * A plot as a script, since a page opened from a folder may not fetch files. The house's own template stays out: the page has it.
 * @param refuse told of what the plot would load from elsewhere
 */
function plotScript(name: string, plot: StoredPlot, refuse: (message: string) => void): string {
  const { template, ...layout } = plot.layout;
  const figure = onlyData({ data: plot.data, layout, house: template !== undefined }, refuse);
  return `iommuLab.plot(${JSON.stringify(name)}, ${JSON.stringify(figure)});\n`;
}

/** A copy of a plot without names that reach a prototype, and without pictures from elsewhere. */
function onlyData(value: unknown, refuse: (message: string) => void, name = ""): unknown {
  if (Array.isArray(value)) return value.map((inner) => onlyData(inner, refuse, name));
  if (value === null || typeof value !== "object") {
    if (typeof value !== "string" || !loadedBy.has(name) || ownPicture.test(value) || !address.test(value))
      return value;
    refuse(`would load "${value.slice(0, 80)}"; expected a picture inside the plot, as data:image/….`);
    return "";
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__proto__")
      .map(([key, inner]) => [key, onlyData(inner, refuse, key)]),
  );
}

/** Fields from which plotly loads something: pictures, tiles and styles of maps, shapes of countries. */
const loadedBy = new Set([
  "source",
  "style",
  "sourceattribution",
  "url",
  "tiles",
  "topojsonURL",
  "geojson",
  "plotlyServerURL",
]);
const address = /[:/\\]/;
const ownPicture = /^data:image\/(?:png|jpeg|gif|webp);base64,/i;
