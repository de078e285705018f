import { afterAll, beforeAll, expect, test } from "vitest";
import type { Kernel } from "../../src/jupyter/index.js";
import { compareNotebooks, driftText, runNotebook } from "../../src/site/index.js";
import { run, startKernel } from "../jupyter/support.js";
import { pointsOfRun } from "../support/shared.js";
import { chapters, codeCells, exercises, root, solutions, text } from "./course.js";

const name = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

test("every notebook has exercises, every exercise a solution to the same question", () => {
  expect(exercises().map(({ path }) => name(path))).toEqual(chapters().map(({ path }) => name(path)));
  expect(solutions().map(({ path }) => name(path))).toEqual(chapters().map(({ path }) => name(path)));
  for (const [i, exercise] of exercises().entries()) {
    const questions = (cells: typeof exercise.notebook.cells) =>
      cells.filter(({ id }) => id?.startsWith("question-")).map(text);
    const asked = questions(exercise.notebook.cells);
    expect(asked.length, exercise.path).toBeGreaterThanOrEqual(2);
    expect(questions(solutions()[i].notebook.cells), exercise.path).toEqual(asked);
    expect(codeCells(exercise)).toHaveLength(asked.length);
  }
});

test("every solution ends with a check of its own answer", () => {
  for (const solution of solutions())
    for (const cell of codeCells(solution)) expect(text(cell), `${solution.path}: ${cell.id}`).toMatch(/\bassert\./);
});

test("a wrong answer fails its solution's check", async () => {
  const [first] = solutions();
  const wrong = structuredClone(first.notebook);
  const cell = wrong.cells.find(({ id }) => id === "solution-1")!;
  cell.source = text(cell).replace("1024 - 1", "1024");
  await expect(runNotebook(wrong, { name: first.path, folder: `${root}/notebooks/solutions` })).rejects.toThrow(/33/);
});

for (const { path, notebook } of solutions()) {
  test(`${path} runs, and gives what is stored`, async () => {
    const fresh = await runNotebook(notebook, {
      name: path,
      folder: `${root}/notebooks/solutions`,
      points: pointsOfRun,
    });
    expect(compareNotebooks(path, notebook, fresh.notebook).map(driftText)).toEqual([]);
  });
}

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel({ cwd: `${root}/notebooks/exercises`, env: { IOMMU_LAB_POINTS: pointsOfRun } });
});
afterAll(() => kernel.shutdown());

for (const exercise of exercises()) {
  test(`${exercise.path}: the cells to start from run`, async () => {
    for (const cell of codeCells(exercise)) {
      const { status, traceback } = await run(kernel, text(cell));
      expect(status, `${cell.id}: ${traceback}`).toBe("ok");
      expect(cell.outputs, String(cell.id)).toEqual([]);
    }
  });
}
