/// <reference lib="dom" />
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectRoot } from "../../src/lab/index.js";
import { pythonForTests } from "../support/python.js";
import { LabInBrowser, type Notebook, outputs, withPlots } from "./jupyterlab.js";

const python = await pythonForTests();
const folder = join(projectRoot, "notebooks");
const notebooks = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));

const codeCells = (notebook: Notebook) =>
  notebook.cells.filter((cell) => cell.cell_type === "code" && cell.source.length > 0);
const withTables = (notebook: Notebook) =>
  outputs(notebook).filter((output) => String(output.data?.["text/html"] ?? "").includes("data-iommu-lab-table"));

describe.skipIf(!python)("every chapter in JupyterLab", () => {
  let lab: LabInBrowser;
  beforeAll(async () => {
    lab = await LabInBrowser.start(python!, [folder]);
  });
  afterAll(() => lab?.stop());

  test.each(notebooks)("%s runs to its end without an error, with its plots and tables drawn", async (name) => {
    const notebook = await lab.open(name);
    try {
      const asStored = readFileSync(join(folder, name), "utf8");
      await notebook.saved();
      // Asked until it is so: a moment after it was saved the file may be in the middle of being written once more.
      const unchanged = () => readFileSync(notebook.file, "utf8") === asStored;
      await expect.poll(unchanged, { message: "opening and saving changes nothing", timeout: 10_000 }).toBe(true);
      await notebook.runAll();
      const stored = await notebook.saved();
      expect(outputs(stored).filter((output) => output.output_type === "error")).toEqual([]);
      expect(codeCells(stored).filter((cell) => cell.execution_count == null)).toEqual([]);
      expect(withPlots(stored).length + withTables(stored).length).toBeGreaterThan(0);
      expect(await notebook.drawnPlots()).toBe(withPlots(stored).length);
      expect(await notebook.page.locator("table.iommu-lab-table").count()).toBe(withTables(stored).length);
      // `SCREENSHOTS=1 npm test browser` leaves a picture of every notebook in results/screenshots.
      if (process.env["SCREENSHOTS"]) {
        await notebook.screenshot(`${name.replace(/\.ipynb$/, "")}-light`);
        await notebook.page.emulateMedia({ colorScheme: "dark" });
        await notebook.page.locator("body[data-jp-theme-light='false']").waitFor({ state: "attached" });
        await notebook.screenshot(`${name.replace(/\.ipynb$/, "")}-dark`);
      }
    } finally {
      await lab.close(notebook);
    }
  });

  test("nothing asked for anything outside this machine, and the lab's own code threw no error in the page", () =>
    lab.expectNothingWrong());
});
