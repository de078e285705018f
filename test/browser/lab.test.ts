/// <reference lib="dom" />
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectRoot } from "../../src/lab/index.js";
import { pythonForTests } from "../support/python.js";
import { LabInBrowser, type NotebookPage, outputs, plotType, withPlots } from "./jupyterlab.js";

const python = await pythonForTests();
const folder = join(projectRoot, "notebooks");

describe.skipIf(!python)("JupyterLab as npm start opens it", () => {
  let lab: LabInBrowser;
  beforeAll(async () => {
    lab = await LabInBrowser.start(python!, [join(import.meta.dirname, "fixtures"), folder]);
  });
  afterAll(() => lab?.stop());

  describe("a notebook in use", () => {
    let notebook: NotebookPage;
    beforeAll(async () => {
      notebook = await lab.open("trial.ipynb");
    });
    afterAll(() => notebook && lab.close(notebook));

    test("runs by the menu: highlighted as TypeScript, with plots and tables and without errors", async () => {
      await notebook.runAll();
      const stored = await notebook.saved();
      expect(outputs(stored).filter((output) => output.output_type === "error")).toEqual([]);
      expect(await notebook.drawnPlots()).toBe(2);
      await expect.poll(() => notebook.page.locator(".jp-RenderedHTML table tbody tr").count()).toBe(3);
      const keyword = notebook.cells.nth(0).locator(".cm-content span", { hasText: /^const$/ });
      expect(await keyword.count()).toBe(1);
    });

    test("says below each plot what to see in it", async () => {
      const stored = withPlots(await notebook.saved());
      const captions = await notebook.page.locator(".iommu-lab-plot > .iommu-lab-caption").allTextContents();
      expect(captions).toHaveLength(stored.length);
      for (const [i, output] of stored.entries()) {
        expect(captions[i].length).toBeGreaterThan(5);
        const [, number, words] = /^Figure (\d+)\. *(.*)$/s.exec(captions[i]) ?? [];
        expect(number, captions[i]).toBe(String(i + 1));
        expect([output.data?.["text/plain"]].flat().join("").endsWith(words)).toBe(true);
      }
    });

    test("draws plots in the theme's colours, as wide as the output area, with units to hover over", async () => {
      const plot = notebook.page.locator(".iommu-lab-plot").first();
      const titleColour = () => plot.locator(".gtitle").evaluate((node) => getComputedStyle(node).fill);
      const light = await titleColour();
      await notebook.page.emulateMedia({ colorScheme: "dark" });
      await expect.poll(titleColour).not.toBe(light);
      await notebook.page.emulateMedia({ colorScheme: "light" });
      await expect.poll(titleColour).toBe(light);

      const width = () => plot.evaluate((node) => [node.clientWidth, node.querySelector("svg")?.clientWidth]);
      const [before] = await width();
      await notebook.page.setViewportSize({ width: 900, height: 900 });
      await expect.poll(async () => (await width())[1]).toBeLessThan(before ?? 0);
      const [area, drawing] = await width();
      expect(drawing).toBe(area);
      await notebook.page.setViewportSize({ width: 1280, height: 900 });

      await plot.scrollIntoViewIfNeeded();
      await plot.locator(".scatterlayer .point").first().hover({ force: true });
      await expect.poll(() => plot.locator(".hoverlayer").textContent()).toMatch(/throughput: .* Gb\/s/);
    });

    test("sorts a table by a click on a header: up, down, and as it was", async () => {
      const table = notebook.page.locator(".jp-RenderedHTML table").first();
      const names = () => table.locator("tbody tr td:first-child").allTextContents();
      const header = table.locator("thead th").nth(1);
      const before = await names();
      await header.click();
      expect(await names()).toEqual(["nine", "ten", "twohundred"]);
      expect(await header.getAttribute("aria-sort")).toBe("ascending");
      await header.click();
      expect(await names()).toEqual(["twohundred", "ten", "nine"]);
      await header.click();
      expect(await names()).toEqual(before);
    });

    test("frees a plot when its cell runs again", async () => {
      const cell = notebook.cells.nth(1);
      await cell.locator(".cm-content").click();
      for (let i = 0; i < 5; i++) {
        await notebook.page.keyboard.press("Control+Enter");
        await notebook.settled();
      }
      await cell.locator("svg.main-svg").first().waitFor();
      expect(await notebook.page.locator(".js-plotly-plot").count()).toBe(
        await notebook.page.locator(".iommu-lab-plot").count(),
      );
      expect(await notebook.page.locator("style[id^='plotly.js-style']").count()).toBeLessThanOrEqual(1);
    });

    test("keeps what stands below a plot in its place while its cell runs again", async () => {
      const cell = notebook.cells.nth(1);
      await cell.locator("svg.main-svg").first().waitFor();
      const area = cell.locator(".jp-OutputArea").first();
      await area.evaluate((node) => {
        const seen = { before: node.getBoundingClientRect().height, least: Number.POSITIVE_INFINITY, frames: 0 };
        Object.assign(window, { seen });
        const look = () => {
          seen.least = Math.min(seen.least, node.getBoundingClientRect().height);
          seen.frames++;
          requestAnimationFrame(look);
        };
        look();
      });
      for (let i = 0; i < 3; i++) {
        await cell.locator(".cm-content").click();
        await notebook.page.keyboard.press("Control+Enter");
        await notebook.settled();
        await cell.locator("svg.main-svg").first().waitFor();
        // Beyond the moment at which the area's height is its own again.
        await notebook.page.waitForTimeout(1000);
      }
      const seen = await notebook.page.evaluate(
        () => (window as unknown as { seen: { before: number; least: number; frames: number } }).seen,
      );
      expect(seen.frames).toBeGreaterThan(10);
      expect(seen.before).toBeGreaterThan(300);
      expect(seen.least).toBeGreaterThan(seen.before - 3);
      expect(await area.evaluate((node) => node.classList.contains("iommu-lab-kept"))).toBe(false);
    });

    test("completes a name with Tab", async () => {
      const cell = await notebook.write("squaresOfThr");
      await notebook.page.keyboard.press("Tab");
      await notebook.page.locator(".jp-Completer-item", { hasText: "squaresOfThree" }).waitFor({ timeout: 30_000 });
      await notebook.page.keyboard.press("Enter");
      await expect.poll(() => cell.locator(".cm-content").textContent()).toBe("squaresOfThree");
    });

    test("shows a function's signature and comment with Shift-Tab", async () => {
      await notebook.write("lineFigure(");
      await notebook.page.keyboard.press("Shift+Tab");
      const tooltip = notebook.page.locator(".jp-Tooltip");
      await tooltip.waitFor({ timeout: 30_000 });
      expect(await tooltip.textContent()).toMatch(/lineFigure\(spec: LineSpec\): Figure/);
      expect(await tooltip.textContent()).toContain("Lines over a numeric axis");
      await notebook.page.keyboard.press("Escape");
    });

    test("interrupts an endless loop by the menu and keeps its variables", async () => {
      const cell = await notebook.write("while (true) {}");
      await notebook.page.keyboard.press("Control+Enter");
      await cell.locator(".jp-InputPrompt", { hasText: "[*]:" }).waitFor();
      await notebook.menu("Kernel", "Interrupt Kernel");
      await notebook.settled(30_000);
      expect(await cell.locator(".jp-OutputArea").textContent()).toMatch(/interrupt/i);
      const after = await notebook.write("squaresOfThree.length + 39");
      await notebook.page.keyboard.press("Control+Enter");
      await expect
        .poll(() => after.locator(".jp-OutputArea-output").textContent(), { timeout: 30_000 })
        .toContain("42");
    });

    test("restarts by the menu, and knows nothing of what was before", async () => {
      await notebook.menu("Kernel", "Restart Kernel…");
      await notebook.page.locator(".jp-Dialog .jp-mod-accept").click();
      await notebook.page.waitForTimeout(500);
      await notebook.idle();
      const cell = await notebook.write("typeof (globalThis as any).squaresOfThree + String(1 + 1)");
      await notebook.page.keyboard.press("Control+Enter");
      await expect
        .poll(() => cell.locator(".jp-OutputArea-output").textContent(), { timeout: 60_000 })
        .toContain("undefined2");
    });
  });

  describe("live controls", () => {
    let notebook: NotebookPage;
    beforeAll(async () => {
      notebook = await lab.open("controls.ipynb");
      await notebook.runAll();
    });
    afterAll(() => notebook && lab.close(notebook));

    const plot = () => notebook.page.locator(".iommu-lab-plot:visible > .js-plotly-plot").first();
    /** The figure on the page: its title and how many points its line has. */
    const figure = () =>
      plot().evaluate((node) => {
        const { data, layout } = node as unknown as { data: { x: number[] }[]; layout: { title: { text: string } } };
        return `${layout.title.text.replace(/<[^>]*>/g, "")}: ${data[0].x.length} points`;
      });
    const handle = () => notebook.page.locator(".widget-slider .noUi-handle").first();
    const shown = () => notebook.cells.nth(1).locator(".jp-OutputArea-output:visible");

    test("are there, with labels and units, above the figure", async () => {
      await notebook.drawnPlots();
      expect(await notebook.page.locator(".widget-label:visible").allTextContents()).toEqual(
        expect.arrayContaining(["cores (cores)", "lock"]),
      );
      expect(await notebook.page.locator(".widget-checkbox:visible").textContent()).toContain("log");
      expect(await figure()).toBe("Up to 4 cores: 4 points");
    });

    test("move by the keyboard, and the figure follows in its place", async () => {
      const node = await plot().elementHandle();
      await handle().focus();
      await notebook.page.keyboard.press("ArrowRight");
      await expect.poll(figure).toBe("Up to 5 cores: 5 points");
      for (let i = 0; i < 5; i++) await notebook.page.keyboard.press("ArrowRight");
      await expect.poll(figure).toBe("Up to 10 cores: 10 points");
      // Drawn into the same node, so that nothing flickers and a zoom stays.
      expect(await plot().evaluate((now, before) => now === before, node)).toBe(true);
      await notebook.page.locator(".widget-dropdown select").focus();
      await notebook.page.keyboard.press("ArrowDown");
      expect(await notebook.page.locator(".widget-dropdown select").inputValue()).toBe("queued");
      await expect
        .poll(() => plot().evaluate((node) => (node as unknown as { data: { name: string }[] }).data[0].name))
        .toBe("queued");
      expect(await notebook.page.locator(".widget-html:visible").textContent()).toMatch(/Drawn in \d/);
      await notebook.screenshot("controls");
      await notebook.page.setViewportSize({ width: 1280, height: 900 });
    });

    test("show an error of the drawing in the figure's place, and the figure again", async () => {
      await handle().focus();
      for (let i = 0; i < 3; i++) await notebook.page.keyboard.press("ArrowRight");
      await expect.poll(() => shown().last().textContent()).toContain("13 brings bad luck");
      await notebook.page.keyboard.press("ArrowRight");
      await expect.poll(figure).toBe("Up to 14 cores: 14 points");
    });

    test("outlive a reload of the page: they stand as they stood, and the figure follows", async () => {
      await notebook.saved();
      await notebook.page.reload();
      await notebook.idle();
      await handle().waitFor();
      await notebook.drawnPlots();
      expect(await notebook.page.locator(".widget-readout").first().textContent()).toBe("14");
      await handle().focus();
      await notebook.page.keyboard.press("ArrowRight");
      await expect.poll(figure).toBe("Up to 15 cores: 15 points");
      expect(await shown().count()).toBe(2);
    });

    test("say in plain words, when their kernel has ended, how to have them again", async () => {
      await notebook.menu("Kernel", "Shut Down Kernel");
      await notebook.page.reload();
      const text = notebook.page.locator(".iommu-lab-orphan");
      await text.waitFor();
      expect(await text.textContent()).toContain("Run the cell to have them again.");
      await notebook.drawnPlots();
      expect(await figure()).toMatch(/^Up to 14 cores/);
    });
  });

  test("an untrusted copy still draws its plots and sorts its tables", async () => {
    const notebook = await lab.open("untrusted.ipynb");
    await notebook.page
      .locator(".jp-StatusBar-Widget [title*='not trusted' i], [data-icon='ui-components:not-trusted']")
      .first()
      .waitFor();
    expect(await notebook.drawnPlots()).toBe(1);
    expect(await notebook.page.locator("[data-ran-a-script]").count()).toBe(0);
    const header = notebook.page.locator("table.iommu-lab-table thead th").first();
    await header.click();
    expect(await header.getAttribute("aria-sort")).toBe("ascending");
    await lab.close(notebook);
  });

  describe("the first notebook, as a reader finds it", () => {
    let notebook: NotebookPage;
    beforeAll(async () => {
      notebook = await lab.open("00-start-here.ipynb");
    });
    afterAll(() => notebook && lab.close(notebook));
    const page = () => notebook.page;

    test("is not changed by being opened", async () => {
      expect(await page().locator(".jp-mod-current.jp-mod-dirty").count()).toBe(0);
    });

    test("has no more than 75 characters of prose a line", async () => {
      const characters = await page()
        .locator(".jp-MarkdownCell p")
        .evaluateAll((paragraphs) => {
          const ruler = document.createElement("canvas").getContext("2d")!;
          return paragraphs.map((paragraph) => {
            const { fontSize, fontFamily } = getComputedStyle(paragraph);
            ruler.font = `${fontSize} ${fontFamily}`;
            const text = paragraph.textContent ?? "";
            return paragraph.clientWidth / (ruler.measureText(text).width / text.length);
          });
        });
      // Some two letters more where a line happens to be of narrow ones.
      for (const count of characters) expect(count).toBeLessThan(90);
      expect(characters.filter((count) => count > 60).length).toBeGreaterThan(5);
    });

    test("says nothing of a folded result, which the keyboard reveals", async () => {
      const places = page().locator(".jp-OutputPlaceholder");
      const before = await places.count();
      expect(before).toBeGreaterThan(1);
      for (const place of await places.all()) expect((await place.innerText()).trim()).toBe("");
      await places.first().locator("[role=button]").press("Enter");
      await expect.poll(() => places.count()).toBe(before - 1);
      await notebook.page.locator(".iommu-lab-plot").first().waitFor();
    });

    test("numbers its figures as the site does, whatever is folded, and shows each caption once", async () => {
      await notebook.drawnPlots();
      const captions = await page().locator(".iommu-lab-caption").allTextContents();
      const stored = withPlots(JSON.parse(readFileSync(join(folder, "00-start-here.ipynb"), "utf8")));
      const numbers = captions.map((caption) => Number(/^Figure (\d+)\. /.exec(caption)?.[1]));
      expect(numbers.length).toBeGreaterThan(1);
      expect(numbers.length).toBeLessThanOrEqual(stored.length);
      for (const [i, number] of numbers.entries()) {
        const words = [stored[number - 1].data?.["text/plain"]].flat().join("");
        expect(captions[i].slice(`Figure ${number}. `.length).slice(0, 30)).toBe(
          (stored[number - 1].data?.[plotType] as { caption?: string }).caption?.slice(0, 30) ??
            words.slice(words.indexOf(". ") + 2).slice(0, 30),
        );
      }
      expect(await page().locator(".iommu-lab-stored-caption:visible").count()).toBe(0);
    });

    test("says which of its cells runs, and then no more", async () => {
      const note = page().locator(".iommu-lab-running");
      expect(await note.textContent()).toBe("");
      const run = notebook.runAll();
      await expect.poll(() => note.textContent(), { timeout: 30_000 }).toMatch(/^Cell \d+ of \d+ runs · \d+ s$/);
      await run;
      await expect.poll(() => note.textContent()).toBe("");
      expect(await page().locator("progress:visible").count()).toBe(0);
    });
  });

  test("nothing asked for anything outside this machine, and the lab's own code threw no error in the page", () =>
    lab.expectNothingWrong());
});
