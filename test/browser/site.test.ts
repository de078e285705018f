/// <reference lib="dom" />
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltSite, buildSite, launchChromium, type SiteServer, serveSite } from "../../src/site/index.js";
import { smallProject } from "../site/project.js";

/** The site of the stored notebooks, served on this machine and looked at as a reader does. SCREENSHOTS=1 keeps a picture of every page. */

const folder = mkdtempSync(join(tmpdir(), "site-"));
const out = join(folder, "site");
const pictures = process.env["SCREENSHOTS"] ? join("results", "screenshots", "site") : undefined;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let built: BuiltSite;
let server: SiteServer;
let browser: Browser;
beforeAll(async () => {
  built = await buildSite({ root: ".", out });
  server = await serveSite(out);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A tab that writes down whatever goes wrong in it. */
interface Watched {
  context: BrowserContext;
  page: Page;
  /** Requests elsewhere, requests that fail, errors and warnings on the console. */
  wrong: string[];
  requests: string[];
}

async function open(path: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const watched: Watched = { context, page, wrong: [], requests: [] };
  watch(watched);
  await page.goto(path.includes("://") ? path : `${server.url}${path}`, { waitUntil: "load" });
  return watched;
}

function watch({ page, wrong, requests }: Watched): void {
  page.on("request", (request) => {
    const url = request.url();
    requests.push(url);
    if (!url.startsWith(server.url) && !url.startsWith("data:") && !url.startsWith("file:"))
      wrong.push(`a request elsewhere: ${url}`);
  });
  page.on("requestfailed", (request) => {
    // What was still on its way when the test went to the next page is no fault of the page.
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") wrong.push(`failed: ${request.url()} (${why})`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
}

/** What axe finds that is serious or critical, a line each. */
async function serious(page: Page, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  return page.evaluate(async (only) => {
    const run = (globalThis as unknown as { axe: { run(node: unknown, options: unknown): Promise<AxeResults> } }).axe;
    interface AxeResults {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
    }
    const { violations } = await run.run(document, {
      resultTypes: ["violations"],
      ...(only ? { runOnly: { type: "rule", values: only } } : {}),
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary}`));
  }, rules);
}

const wide = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);

/** Plots that no closed answer hides. */
const inSight = ".canvas[data-plot]:not(details:not([open]) *)";

/** Scrolls to the first plot in sight, if there is one, and waits until it is drawn. Where answers hide them all, the first is opened. */
async function firstPlot(page: Page): Promise<void> {
  const plots = page.locator(".canvas[data-plot]");
  if ((await plots.count()) === 0) return;
  if ((await page.locator(inSight).count()) === 0)
    await plots.first().evaluate((node) => {
      for (let fold = node.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null)
        fold.open = true;
    });
  await page.locator(inSight).first().scrollIntoViewIfNeeded();
  await page.waitForSelector(".canvas.drawn", { state: "attached" });
}

async function keep(page: Page, url: string, look: string): Promise<void> {
  if (pictures === undefined) return;
  // Every plot is drawn when it comes near the window.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (look !== "print") {
    for (let y = 0; y < height; y += 700) {
      await page.evaluate((top) => scrollTo({ top }), y);
      await page.waitForTimeout(60);
    }
    await page.waitForFunction(() => !document.querySelector(".canvas[data-plot]:not(.drawn)"));
    await page.evaluate(() => scrollTo({ top: 0 }));
  }
  mkdirSync(pictures, { recursive: true });
  const name = url.replace(/\.html$/, "").replaceAll("/", "-");
  await page.screenshot({ path: join(pictures, `${name}-${look}.png`), fullPage: true });
}

describe("every page", () => {
  test("loads from this machine only, has no serious accessibility finding in light and dark, fits a phone, and prints", async () => {
    expect(built.faults).toEqual([]);
    const watched = await open("index.html", { colorScheme: "light" });
    const { page, wrong } = watched;
    const found: string[] = [];
    for (const url of built.pages) {
      const note = (what: string) => found.push(`${url}: ${what}`);
      await page.setViewportSize({ width: 1400, height: 900 });
      await page.emulateMedia({ media: "screen", colorScheme: "light" });
      await page.goto(`${server.url}${url}`, { waitUntil: "load" });
      await firstPlot(page);
      for (const finding of await serious(page)) note(`light: ${finding}`);
      await keep(page, url, "light");
      await page.emulateMedia({ colorScheme: "dark" });
      for (const finding of await serious(page, ["color-contrast", "link-in-text-block"])) note(`dark: ${finding}`);
      await keep(page, url, "dark");
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 390, height: 844 });
      // A plot follows the page's width a moment later.
      for (let turn = 0; turn < 20 && (await wide(page)) > 390; turn++) await page.waitForTimeout(100);
      if ((await wide(page)) > 390) note(`it is ${await wide(page)} pixels wide on a phone of 390`);
      await keep(page, url, "phone");
      await page.setViewportSize({ width: 800, height: 1100 });
      await page.emulateMedia({ media: "print" });
      const onPaper = await page.evaluate(() =>
        Array.from(document.querySelectorAll("nav, header, footer, .live, button"))
          .filter((node) => getComputedStyle(node).display !== "none" && (node as HTMLElement).offsetHeight > 0)
          .map((node) => node.outerHTML.slice(0, 80)),
      );
      for (const node of onPaper) note(`printed: ${node}`);
      await keep(page, url, "print");
      for (const what of wrong.splice(0)) note(what);
    }
    expect(found).toEqual([]);
    await watched.context.close();
  });

  test("the largest page's first picture comes before the plots' library, and stands where the plot will", async () => {
    const { context, page, requests } = await open("02-lock-contention.html");
    const at = (part: string) => requests.findIndex((url) => url.includes(part));
    expect(at("figures/")).toBeGreaterThan(0);
    await firstPlot(page);
    expect(at("assets/plotly.js")).toBeGreaterThan(at("figures/"));
    const { shown, shift } = await page.evaluate(async () => {
      const picture = document.querySelector<HTMLImageElement>(".canvas.drawn img")!;
      const [entry] = performance.getEntriesByName(picture.src) as PerformanceResourceTiming[];
      const shift = await new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const one of list.getEntries()) sum += (one as unknown as { value: number }).value;
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), 300);
      });
      return { shown: entry.responseEnd, shift };
    });
    console.log(`site: the first picture of the largest page was there after ${Math.round(shown)} ms`);
    expect(shift).toBeLessThan(0.02);
    await context.close();
  });
});

describe("plots", () => {
  test("take their pictures' places near the window, answer the mouse, follow the width and the theme", async () => {
    const { context, page, wrong } = await open("02-lock-contention.html", { colorScheme: "light" });
    const canvases = page.locator(inSight);
    await firstPlot(page);
    expect(await page.locator(".canvas.drawn").count()).toBeLessThan(await canvases.count());
    const first = canvases.first();
    await first.scrollIntoViewIfNeeded();
    const box = (await first.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.75);
    await page.waitForSelector(".canvas .hovertext", { state: "attached" });
    const ink = () => first.locator("text.ytitle").evaluate((node) => getComputedStyle(node).fill);
    const light = await ink();
    await page.click("#toggle-theme");
    await expect.poll(ink).not.toBe(light);
    await page.setViewportSize({ width: 390, height: 844 });
    await expect
      .poll(() =>
        first
          .locator("svg.main-svg")
          .first()
          .evaluate((node) => node.clientWidth),
      )
      .toBeLessThan(391);
    await page.reload();
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    expect(wrong).toEqual([]);
    await context.close();
  });

  test("work when the pages are opened from a folder, as does the search", async () => {
    const { context, page, wrong } = await open(pathToFileURL(join(out, "02-lock-contention.html")).href);
    await firstPlot(page);
    await page.keyboard.press("/");
    await page.keyboard.type("magazine");
    await page.waitForSelector("#search-results li");
    expect(wrong).toEqual([]);
    await context.close();
  });
});

describe("by keyboard", () => {
  test("the first stop skips to the content", async () => {
    const { context, page } = await open("00-start-here.html");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    await context.close();
  });

  test("a slash opens the search, arrows choose, Enter goes there, Escape closes", async () => {
    const { context, page, wrong } = await open("00-start-here.html");
    await page.keyboard.press("/");
    await page.keyboard.type("pool");
    await page.waitForSelector("#search-results a[aria-selected='true']");
    await page.keyboard.press("ArrowDown");
    expect(await page.getAttribute("#search-field", "aria-activedescendant")).toBe("hit-1");
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog.search").evaluate((node) => (node as HTMLDialogElement).open)).toBe(false);
    await page.keyboard.press("/");
    await page.keyboard.type("machine check");
    await page.waitForSelector("#search-results a[aria-selected='true']");
    const target = await page.getAttribute("#hit-0", "href");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/${target}`);
    expect(wrong).toEqual([]);
    await context.close();
  });

  test("code is hidden and shown, page by page and cell by cell, and the choice is remembered", async () => {
    const { context, page } = await open("01-the-machine.html");
    const visible = () => page.locator("details.source > pre:visible").count();
    const all = await visible();
    expect(all).toBeGreaterThan(3);
    await page.focus("#toggle-code");
    await page.keyboard.press("Enter");
    expect(await visible()).toBe(0);
    await page.locator("details.source > summary").first().focus();
    await page.keyboard.press("Enter");
    expect(await visible()).toBe(1);
    await page.goto(`${server.url}02-lock-contention.html`);
    expect(await visible()).toBe(0);
    await page.locator("#toggle-code").press("Space");
    expect(await visible()).toBeGreaterThan(3);
    await context.close();
  });

  test("a glossary word says what it means when it is reached", async () => {
    const { context, page } = await open("02-lock-contention.html");
    const word = page.locator("a.term").first();
    await word.focus();
    const bubble = page.locator("#bubble");
    expect(await bubble.isVisible()).toBe(true);
    expect((await bubble.textContent())!.length).toBeGreaterThan(40);
    await page.keyboard.press("Escape");
    expect(await bubble.isVisible()).toBe(false);
    await context.close();
  });
});

test("without scripts there are all texts, pictures, links and code", async () => {
  const { context, page, wrong } = await open("02-lock-contention.html", {
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  });
  const figures = page.locator("figure.plot img");
  const natural = await figures.evaluateAll((nodes) => nodes.map((node) => (node as HTMLImageElement).naturalWidth));
  expect(natural.length).toBeGreaterThan(10);
  expect(Math.min(...natural)).toBeGreaterThan(0);
  expect(await wide(page)).toBeLessThanOrEqual(390);
  expect(await page.locator("button:visible").count()).toBe(0);
  expect(await page.locator("details.source > pre:visible").count()).toBeGreaterThan(5);
  await page.locator("nav.neighbours a.next").click();
  expect(await page.title()).toContain("iommu-lab");
  expect(page.url()).toContain("03-merging-nodes.html");
  expect(wrong).toEqual([]);
  await context.close();
});

test("each page and all of them together are printed as PDF", async () => {
  const root = smallProject(join(folder, "project"));
  const target = join(folder, "printed");
  const printed = await buildSite({ root, out: target, pdf: true });
  expect(printed.faults).toEqual([]);
  for (const name of ["index", "01-small", "iommu-lab"]) {
    const bytes = readFileSync(join(target, "pdf", `${name}.pdf`)).toString("latin1");
    expect(bytes.slice(0, 5)).toBe("%PDF-");
    expect(bytes, "no address of this machine's server").not.toContain("127.0.0.1");
  }
});
