import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import type { Notebook } from "../../src/site/notebook.js";
import { runNotebook } from "../../src/site/run-notebook.js";

const cell = (source: string) => ({
  cell_type: "code" as const,
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
});
const notebookOf = (...sources: string[]) =>
  ({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "iommu-lab", display_name: "TypeScript", language: "typescript" } },
    cells: sources.map(cell),
  }) as unknown as Notebook;

it("an error that comes after its cell has ended is stored under it, and fails the run", async () => {
  const notebook = notebookOf(
    'setTimeout(() => { throw new Error("in timer") }, 1300);',
    "await new Promise((r) => setTimeout(r, 1800))",
  );
  const options = { name: "late.ipynb", folder: tmpdir() };
  const { notebook: executed } = await runNotebook(notebook, { ...options, allowErrors: true });
  const outputs = executed.cells.map((c) => (c as { outputs: { evalue?: string }[] }).outputs.map((o) => o.evalue));
  expect(outputs).toEqual([["in timer"], []]);
  await expect(runNotebook(notebook, options)).rejects.toThrow(/late\.ipynb: cell 1 failed:.*in timer/s);
});

it("an error of a promise that nobody waits for is stored under its cell, and fails the run", async () => {
  const notebook = notebookOf('void Promise.reject(new Error("unawaited"))', "1 + 1");
  const options = { name: "late.ipynb", folder: tmpdir() };
  const { notebook: executed } = await runNotebook(notebook, { ...options, allowErrors: true });
  const [first] = executed.cells as { outputs?: { evalue?: string }[] }[];
  expect(first.outputs?.map((o) => o.evalue)).toEqual(["unawaited"]);
  await expect(runNotebook(notebook, options)).rejects.toThrow(/late\.ipynb: cell 1 failed:.*unawaited/s);
});
