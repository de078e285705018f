/// <reference lib="dom" />
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  texts: (Box & { text: string })[];
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
        container: box(node),
        plot: one(".cartesianlayer .bg, .bglayer .bg, .plot") ?? box(node),
        title: one(".gtitle"),
        legend: one(".legend .scrollbox"),
        texts: Array.from(node.querySelectorAll("text"))
          .filter((text) => (text.textContent ?? "") !== "" && text.getBoundingClientRect().width > 0)
          .map((text) => ({ text: text.textContent ?? "", ...box(text) })),
      };
    },
    JSON.parse(JSON.stringify(figure)),
  );
}

const overlap = (a: Box, b: Box) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;

describe("the gallery in a browser", () => {
  test.each([
    ["light", 900, "#ffffff"],
    ["dark", 650, "#111111"],
  ] as const)("on a %s page %i pixels wide nothing is cut off, and nothing lies over the data or other text", async (theme, width, paper) => {
    const page = await pageWithPlotly(width, paper);
    for (const [name, make] of Object.entries(gallery)) {
      const { container, plot, title, legend, texts } = await draw(page, themed(make(), theme));
      for (const text of texts) {
        const where = `"${text.text}" of "${name}"`;
        expect(text.left, where).toBeGreaterThanOrEqual(container.left - 1);
        expect(text.right, where).toBeLessThanOrEqual(container.right + 1);
        expect(text.top, where).toBeGreaterThanOrEqual(container.top - 1);
        expect(text.bottom, where).toBeLessThanOrEqual(container.bottom + 1);
      }
      expect(title, name).not.toBeNull();
      if (legend && title) {
        expect(overlap(legend, plot), `legend over the data of "${name}"`).toBe(false);
        expect(overlap(legend, title), `legend over the title of "${name}"`).toBe(false);
      }
    }
    mkdirSync("results/gallery", { recursive: true });
    writeFileSync(`results/gallery/${theme}.png`, await page.screenshot({ fullPage: true }));
    await page.close();
  });
});
