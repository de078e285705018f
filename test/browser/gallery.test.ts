/// <reference lib="dom" />
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineCheckTimeline, packetPath, walkPicture } from "../../src/experiments/index.js";
import { themed } from "../../src/plot/index.js";
import { launchChromium } from "../../src/site/index.js";
import { gallery } from "../plot/gallery.js";

/** The gallery drawn by plotly.js in a browser: pictures to look at in results/gallery, and the layout's promises measured. */

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}
interface Measured {
  container: Box;
  plot: Box;
  title: Box | null;
  legend: Box | null;
  texts: (Box & { text: string; size: number; fill: string; over: boolean; level: boolean; axis: string })[];
}

const plotly = createRequire(import.meta.url).resolve("plotly.js-dist-min");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

async function pageWithPlotly(width: number, background: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 600 } });
  await page.setContent(`<!doctype html><body style="margin:0;background:${background}"></body>`);
  await page.addScriptTag({ path: plotly });
  return page;
}

/** Draws a figure below what is on the page, and measures where its parts came to lie. */
function draw(page: Page, figure: unknown): Promise<Measured> {
  return page.evaluate(
    async (figure) => {
      const { data, layout, config } = figure as { data: unknown; layout: unknown; config: unknown };
      const node = document.createElement("div");
      document.body.append(node);
      const lib = (globalThis as unknown as { moduleName: { newPlot(...args: unknown[]): Promise<unknown> } })
        .moduleName;
      await lib.newPlot(node, data, layout, config);
      const box = (element: Element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return { left, right, top, bottom };
      };
      const one = (selector: string) => {
        const element = node.querySelector(selector);
        return element ? box(element) : null;
      };
      return {
        // A map whose words need more than a phone's width is wider than its box, which scrolls.
        container: box(node.querySelector(".svg-container") ?? node),
        plot: one(".cartesianlayer .bg, .bglayer .bg, .plot") ?? box(node),
        title: one(".gtitle"),
        legend: one(".legend .scrollbox"),
        texts: Array.from(node.querySelectorAll("text"))
          .filter((text) => (text.textContent ?? "").trim() !== "" && text.getBoundingClientRect().width > 0)
          .map((text) => ({
            text: text.textContent ?? "",
            size: Number.parseFloat(getComputedStyle(text).fontSize),
            fill: getComputedStyle(text).fill,
            // Words on a cell of a map, whose ink follows its colour.
            over: text.closest(".heatmaplayer, .hm") !== null,
            // Labels of one axis that lie as they are read; those at an angle have boxes that cross.
            level: !/rotate\((?!0[,)])/.test(text.getAttribute("transform") ?? ""),
            axis: text.closest(".xtick, .ytick")
              ? Array.from(
                  text.closest(
                    "g.xaxislayer-above, g.yaxislayer-above, g.xaxislayer-below, g.yaxislayer-below, .subplot",
                  )?.classList ?? [],
                ).join(" ") || "axis"
              : "",
            ...box(text),
          })),
      };
    },
    JSON.parse(JSON.stringify(figure)),
  );
}

const overlap = (a: Box, b: Box) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;

/** Every kind of figure: those of the house style, and those that the experiments draw themselves. */
const all = {
  ...gallery,
  "the path of a packet": () => packetPath("deferred"),
  "the walk in steps": walkPicture,
  "a timeline of one bit": () => machineCheckTimeline({ rule: "before" }, 0),
};

/** How much lighter one colour is than another, by the web's rule: 4.5 and more can be read. */
function contrast(a: string, b: string): number {
  const light = (colour: string) => {
    const hex = /^#(..)(..)(..)$/
      .exec(colour)
      ?.slice(1)
      .map((part) => Number.parseInt(part, 16));
    const parts = hex ?? (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
    const [red, green, blue] = parts.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const [one, other] = [light(a), light(b)];
  return Math.max(one, other) / Math.min(one, other);
}

/** Letters that a reader has to see, in pixels. */
const smallest = 10.5;

describe("the gallery in a browser", () => {
  test.each([
    ["wide", "light", 1440, "#ffffff"],
    ["wide in the dark", "dark", 1440, "#111111"],
    ["light", "light", 900, "#ffffff"],
    ["dark", "dark", 704, "#111111"],
    ["phone", "light", 358, "#ffffff"],
    ["phone in the dark", "dark", 358, "#111111"],
    ["print", "light", 640, "#ffffff"],
  ] as const)("%s (%s, %i pixels): nothing is cut off or lies over the data, and the data have half the width", async (look, theme, width, paper) => {
    const page = await pageWithPlotly(width, paper);
    const faults: string[] = [];
    for (const [name, make] of Object.entries(all)) {
      const figure = themed(make(), theme, { width });
      const { container, plot, title, legend, texts } = await draw(page, figure);
      for (const text of texts) {
        const where = `"${text.text}" of "${name}"`;
        expect(text.left, where).toBeGreaterThanOrEqual(container.left - 1);
        expect(text.right, where).toBeLessThanOrEqual(container.right + 1);
        expect(text.top, where).toBeGreaterThanOrEqual(container.top - 1);
        expect(text.bottom, where).toBeLessThanOrEqual(container.bottom + 1);
        expect(text.size, where).toBeGreaterThanOrEqual(smallest);
        if (!text.over && contrast(text.fill, paper) < 4.5) faults.push(`contrast of ${where}: ${text.fill}`);
      }
      for (const [i, one] of texts.entries())
        for (const other of texts.slice(i + 1)) {
          const alike = one.axis !== "" ? one.axis === other.axis && one.level && other.level : one.over && other.over;
          if (alike && overlap(one, other)) faults.push(`"${one.text}" over "${other.text}" of "${name}"`);
        }
      expect(title, name).not.toBeNull();
      const panels = Object.keys(figure.layout).filter((key) => /^xaxis\d*$/.test(key)).length;
      if (panels < 2) expect((plot.right - plot.left) / width, `width of the data of "${name}"`).toBeGreaterThan(0.5);
      expect(plot.bottom - plot.top, `height of the data of "${name}"`).toBeGreaterThan(60);
      if (legend && title) {
        expect(overlap(legend, plot), `legend over the data of "${name}"`).toBe(false);
        expect(overlap(legend, title), `legend over the title of "${name}"`).toBe(false);
      }
    }
    expect(faults).toEqual([]);
    mkdirSync("results/gallery", { recursive: true });
    writeFileSync(`results/gallery/${look.replaceAll(" ", "-")}.png`, await page.screenshot({ fullPage: true }));
    await page.close();
  });
});
