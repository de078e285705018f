import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kernel } from "../../src/jupyter/index.js";
import { run, startKernel } from "../jupyter/support.js";
import { pointsOfRun } from "../support/shared.js";
import { chapters, codeCells, root, text } from "./course.js";

/** A cell that offers to be changed, with the replacements that are tried. */
const offers = chapters().flatMap((notebook) =>
  codeCells(notebook).flatMap((cell) => {
    const { tries } = (cell.metadata["iommu-lab"] ?? {}) as { tries?: [string, string][] };
    return tries || text(cell).startsWith("// Change this") ? [{ path: notebook.path, cell, tries: tries ?? [] }] : [];
  }),
);

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel({ cwd: `${root}/notebooks`, env: { IOMMU_LAB_POINTS: pointsOfRun } });
});
afterAll(() => kernel.shutdown());

/** What a cell shows, run alone; a cell to change brings all that it needs. */
async function shown(source: string): Promise<string> {
  const { status, traceback, messages, stdout } = await run(kernel, source);
  expect(status, traceback).toBe("ok");
  const displays = messages.filter(({ type }) => type === "execute_result" || type === "display_data");
  return stdout + displays.map(({ content }) => JSON.stringify(content["data"])).join("");
}

test("every notebook but the ledger offers a cell to change, and says what is accepted", () => {
  const paths = chapters().map(({ path }) => path);
  // Notebook 06 lists verdicts: there is nothing in it to turn.
  for (const path of paths.filter((one) => !one.includes("/06-")))
    expect(
      offers.map((offer) => offer.path),
      path,
    ).toContain(path);
  for (const { path, cell, tries } of offers) {
    expect(text(cell), `${path}: ${cell.id}`).toMatch(/^\/\/ Change this: .{10,}/);
    expect(tries.length, `${path}: ${cell.id}`).toBeGreaterThan(0);
  }
});

/** Cells with live controls: a reader opens the notebook, runs only this one, and moves a slider. */
const live = chapters().flatMap((notebook) =>
  codeCells(notebook)
    .filter((cell) => text(cell).includes("lab.controls("))
    .map((cell) => ({ path: notebook.path, source: text(cell), id: cell.id })),
);

test("every cell with live controls names all that it uses, so that it stands alone on a fresh kernel", async () => {
  expect(live.length).toBeGreaterThan(3);
  const fresh = await startKernel({ cwd: `${root}/notebooks` });
  try {
    for (const { path, source, id } of live) {
      // Checked, not drawn: what is drawn is tested where the figure is.
      const { status, traceback } = await run(
        fresh,
        `if (false) {\n${withoutImports(source)}\n}\n${importsOf(source)}`,
      );
      expect(status, `${path}: ${id}: ${traceback}`).toBe("ok");
    }
  } finally {
    await fresh.shutdown();
  }
});

const importsOf = (source: string): string =>
  source
    .split("\n")
    .filter((line) => line.startsWith("import "))
    .join("\n");
const withoutImports = (source: string): string =>
  source
    .split("\n")
    .filter((line) => !line.startsWith("import "))
    .join("\n");

for (const { path, cell, tries } of offers) {
  test(`${path}: the cell ${cell.id} can be changed as it says, and shows something else then`, async () => {
    // The comment names the same values as the code.
    const code = text(cell).slice(text(cell).indexOf("\n") + 1);
    const before = await shown(code);
    for (const [old, now] of tries) {
      expect(code.split(old), `"${old}" stands once in the code`).toHaveLength(2);
      expect(await shown(code.replace(old, now)), `${old} → ${now}`).not.toBe(before);
    }
  });
}
