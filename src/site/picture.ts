import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { themed } from "../plot/index.js";
import { launchChromium } from "./chromium.js";

/** A plotly figure: the content of `application/vnd.plotly.v1+json`. */
export interface PlotlyFigure {
  data: Record<string, unknown>[];
  layout?: Record<string, unknown>;
}

/** A picture of a figure. */
export interface Picture {
  /** The PNG file. */
  png: Uint8Array;
  /** Size on the page, in CSS pixels; the PNG has `scale` as many each way. */
  width: number;
  height: number;
}

/** How a picture is made. */
export interface PictureOptions {
  /** Width in CSS pixels: 720, that of a notebook's column. */
  width?: number;
  /** Pixels of the PNG for each CSS pixel: 1.25, so that a picture takes some 20 to 90 kB. */
  scale?: number;
}

/** Draws figures with the project's own plotly.js, as a page does, in a browser that is started once and kept. */
export interface Drawing {
  /**
   * Draws one figure on white paper.
   * @throws Error when it cannot be drawn, with the reason.
   */
  draw(figure: PlotlyFigure): Promise<Picture>;
  /** Ends the browser. */
  close(): Promise<void>;
}

/** The figure as a page of white paper shows it. A figure that does not wear the house style keeps its own. */
function onWhite(figure: PlotlyFigure): Record<string, unknown> {
  const layout = figure.layout ?? {};
  const house = "template" in layout;
  const drawn = house ? themed(figure, "light", { opaque: true }) : { data: figure.data, layout };
  // A picture shows all steps at once: there is nothing to slide.
  const { sliders, ...still } = drawn.layout as Record<string, unknown>;
  return { ...drawn, house, layout: still, config: { staticPlot: true, displayModeBar: false, responsive: false } };
}

/** A figure is data: it may bring pictures inside itself, and load nothing, not from this machine's files either. */
const drawingPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:";

/**
 * Starts a browser and loads plotly.js into a page without a network.
 * @throws ChromiumError when no browser can be started.
 */
export async function startDrawing(options: PictureOptions = {}): Promise<Drawing> {
  const { width = 720, scale = 1.25 } = options;
  const browser: Browser = await launchChromium();
  let page: Page;
  try {
    const context = await browser.newContext({
      viewport: { width, height: 600 },
      deviceScaleFactor: scale,
      offline: true,
    });
    page = await context.newPage();
    await page.setContent(
      `<!doctype html><meta http-equiv="content-security-policy" content="${drawingPolicy}"><body style="margin:0;background:#fff"></body>`,
    );
    const plotly = createRequire(import.meta.url).resolve("plotly.js-dist-min");
    await page.addScriptTag({ content: readFileSync(plotly, "utf8") });
    // The text of src/plot/fit.ts, which imports nothing: texts are measured in the page's font, as everywhere else.
    const fit = readFileSync(new URL("../../dist/plot/fit.js", import.meta.url), "utf8").replace(/^export /gm, "");
    await page.addScriptTag({ content: `globalThis.fitToWidth = (() => {\n${fit}\nreturn fitted;\n})();` });
  } catch (error) {
    await browser.close();
    throw error;
  }
  return {
    async draw(figure) {
      // plotly draws an empty figure of what is none.
      if (!Array.isArray(figure?.data))
        throw new Error("the figure cannot be drawn: data: expected a list of plotly traces");
      const failure = await page.evaluate(drawInPage, { figure: onWhite(figure), width });
      if (failure !== null) throw new Error(`the figure cannot be drawn: ${failure}`);
      const element = page.locator("#figure");
      const png = await settled(() => element.screenshot({ type: "png", animations: "disabled" }));
      const box = await element.boundingBox();
      return { png, width: Math.round(box!.width), height: Math.round(box!.height) };
    },
    close: () => browser.close(),
  };
}

/**
 * A picture that two shots in a row agree on: on a busy machine a shot can come before the last of the figure is painted.
 * @param shoot takes a shot; at most eight are taken, and the last one is what it is
 */
async function settled(shoot: () => Promise<Buffer>): Promise<Uint8Array> {
  let shot = await shoot();
  for (let i = 0; i < 7; i++) {
    const again = await shoot();
    if (again.equals(shot)) break;
    shot = again;
  }
  return shot;
}

/** Runs in the page: draws the figure into #figure, and says what went wrong, or null. */
async function drawInPage({
  figure,
  width,
}: {
  figure: Record<string, unknown>;
  width: number;
}): Promise<string | null> {
  interface Element {
    id: string;
    style: { width: string };
    remove(): void;
  }
  interface Canvas extends Element {
    getContext(kind: "2d"): { font: string; measureText(text: string): { width: number } };
  }
  type Drawn = { data: unknown; layout: { meta?: { wide?: unknown } } };
  const scope = globalThis as unknown as {
    document: {
      getElementById(id: string): Element | null;
      createElement(tag: "canvas"): Canvas;
      createElement(tag: string): Element;
      body: { append(e: Element): void };
      fonts: { ready: Promise<unknown> };
    };
    requestAnimationFrame(callback: () => void): number;
    fitToWidth(figure: unknown, width: number, measure: (text: string, size: number) => number): Drawn;
    moduleName?: { newPlot(node: Element, data: unknown, layout: unknown, config: unknown): Promise<unknown> };
    Plotly?: { newPlot(node: Element, data: unknown, layout: unknown, config: unknown): Promise<unknown> };
  };
  scope.document.getElementById("figure")?.remove();
  const node = scope.document.createElement("div");
  node.id = "figure";
  node.style.width = `${width}px`;
  scope.document.body.append(node);
  try {
    const given = figure as unknown as Drawn & { house: boolean };
    const ruler = scope.document.createElement("canvas").getContext("2d");
    const measured = (text: string, size: number): number => {
      ruler.font = `${size}px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif`;
      return ruler.measureText(text).width;
    };
    const { data, layout } = given.house ? scope.fitToWidth(given, width, measured) : given;
    const wide = layout.meta?.wide;
    const sized = typeof wide === "number" ? { ...layout, width: wide } : layout;
    await (scope.Plotly ?? scope.moduleName)!.newPlot(node, data, sized, figure["config"]);
    await scope.document.fonts.ready;
    for (let frame = 0; frame < 2; frame++)
      await new Promise<void>((done) => scope.requestAnimationFrame(() => done()));
    return null;
  } catch (error) {
    return String((error as Error)?.message ?? error);
  }
}
