import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type CodeCell, parseNotebook, runNotebook } from "../../src/site/index.js";
import { runCommand } from "./run.js";

/** The headless runner, from a notebook's cells to what is stored. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "execute-"));
  mkdirSync(join(folder, "sub"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const notebookOf = (...sources: (string | { source: string; tags: string[] })[]) =>
  parseNotebook(
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {},
      cells: sources.map((cell, i) => ({
        cell_type: "code",
        id: `c${i}`,
        metadata: typeof cell === "string" ? {} : { tags: cell.tags },
        source: typeof cell === "string" ? cell : cell.source,
        execution_count: null,
        outputs: [],
      })),
    }),
    "n.ipynb",
  );
const run = (notebook: ReturnType<typeof notebookOf>, options = {}) =>
  runNotebook(notebook, { name: "n.ipynb", folder, ...options });
describe("runNotebook", () => {
  test("stores outputs and counts, the same each time", async () => {
    const notebook = notebookOf(
      "console.log('one'); 1 + 1",
      "",
      "const bar = lab.progress(3); bar.tick(); bar.finish();",
    );
    const [first, second] = [await run(notebook), await run(notebook)];
    expect(second.notebook).toEqual(first.notebook);
    const cells = first.notebook.cells as CodeCell[];
    expect(cells.map((cell) => cell.execution_count)).toEqual([1, null, 2]);
    expect(cells[0].outputs).toEqual([
      { output_type: "stream", name: "stdout", text: ["one\n"] },
      { output_type: "execute_result", execution_count: 1, data: { "text/plain": ["2"] }, metadata: {} },
    ]);
    // A bar that has come to its end says nothing to a reader.
    expect(cells[2].outputs).toEqual([]);
    expect(first.timings.map(({ cell, status }) => [cell, status])).toEqual([
      [1, "ok"],
      [3, "ok"],
    ]);
  });

  test("stores the drawing of live controls and nothing of the controls, the same each time", async () => {
    const notebook = notebookOf(
      `await lab.controls({ x: lab.slider(1, 9, { value: 2 }), how: lab.menu(["plain"]) }, async ({ x }, { onProgress }) => {
        for (let i = 0; i < 3; i++) { onProgress(i, 3); await new Promise((resolve) => setTimeout(resolve, 110)); }
        return { [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "x is " + x }) };
      });`,
    );
    const [first, second] = [await run(notebook), await run(notebook)];
    expect(second.notebook).toEqual(first.notebook);
    expect((first.notebook.cells[0] as CodeCell).outputs).toEqual([
      { output_type: "display_data", data: { "text/plain": ["x is 2"] }, metadata: {} },
    ]);
  });

  test("stops at the first cell that fails, naming it with its traceback", async () => {
    await expect(
      run(notebookOf("1", 'const kept = 1;\nthrow new RangeError("too far")', "writeFileSync('never', '')")),
    ).rejects.toThrow(/^n\.ipynb: cell 2 failed:\n[\s\S]*RangeError: too far[\s\S]*cell \[2\]:2:7/);
  });

  test("goes on where errors are allowed, for all cells or by the tag raises-exception", async () => {
    const { notebook, timings } = await run(notebookOf("throw new Error('a')", "2"), { allowErrors: true });
    expect((notebook.cells[0] as CodeCell).outputs).toMatchObject([
      { output_type: "error", ename: "Error", evalue: "a" },
    ]);
    expect(timings.map(({ status }) => status)).toEqual(["error", "ok"]);
    const tagged = await run(notebookOf({ source: "throw new Error('a')", tags: ["raises-exception"] }, "2"));
    expect(tagged.timings.map(({ status }) => status)).toEqual(["error", "ok"]);
  });

  test("a cell that runs into the time limit is named", async () => {
    await expect(run(notebookOf("while (true) {}"), { timeoutSeconds: 1 })).rejects.toThrow(
      "n.ipynb: cell 1 ran into the time limit of 1 s:",
    );
  });

  test("can be ended from outside at any time", async () => {
    const abort = new AbortController();
    const onProgress = () => setTimeout(() => abort.abort(new Error("enough")), 300);
    await expect(run(notebookOf("await new Promise(() => {})"), { signal: abort.signal, onProgress })).rejects.toThrow(
      "enough",
    );
  });

  test("a notebook of another language is refused", async () => {
    const notebook = notebookOf("1");
    notebook.metadata.kernelspec = { name: "python3", language: "python" };
    await expect(run(notebook)).rejects.toThrow(
      'n.ipynb: metadata.kernelspec.language: expected "typescript" (got "python").',
    );
  });
});

describe("iommu-lab execute", () => {
  const cli = async (...args: string[]) => {
    const { code, error } = await runCommand("execute", ...args);
    return { code, said: error };
  };
  const store = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test("writes the executed notebook and, apart from it, how long it took", async () => {
    const file = store("good.ipynb", JSON.stringify(notebookOf("6 * 7")));
    const before = readFileSync(file, "utf8");
    expect((await cli(file, "--out", join(folder, "sub"), "--no-pictures")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(before);
    const written = readFileSync(join(folder, "sub", "good.ipynb"), "utf8");
    expect(written).toContain('"42"');
    expect(written).not.toContain("seconds");
    expect(JSON.parse(readFileSync(join(folder, "sub", "good.timing.json"), "utf8")).cells).toHaveLength(1);
  });

  test("without a browser the notebook is written all the same, without pictures, and that is said once", async () => {
    const bundle = '{ "application/vnd.plotly.v1+json": { data: [], layout: {} }, "text/plain": "a plot" }';
    const plot = `({ [Symbol.for("Jupyter.display")]: () => (${bundle}) })`;
    const file = store("plots.ipynb", JSON.stringify(notebookOf(plot, plot)));
    vi.stubEnv("CHROMIUM", join(folder, "no-browser"));
    const { code, said } = await cli(file).finally(() => vi.unstubAllEnvs());
    expect(code).toBe(0);
    expect(said.match(/Written without static pictures of its plots: No Chromium can be started/g)).toHaveLength(1);
    expect(said).toContain("2 cells");
    expect(said).toContain("0 pictures");
    expect(readFileSync(file, "utf8")).toContain("vnd.plotly");
    expect(readFileSync(file, "utf8")).not.toContain("image/png");
  });

  test("a notebook that fails is left as it was, with nothing beside it", async () => {
    const file = store("bad.ipynb", JSON.stringify(notebookOf("nowhere()")));
    const before = readFileSync(file, "utf8");
    const { code, said } = await cli(file);
    expect([code, said]).toEqual([1, expect.stringMatching(/bad\.ipynb: cell 1 failed:\n[\s\S]*TS2304/)]);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test.each([
    ["a file that is not there", () => ["gone.ipynb"], "gone.ipynb: there is no such file."],
    ["a corrupt notebook", () => [store("corrupt.ipynb", '{"cells": [')], "expected a notebook, which is JSON"],
    [
      "a time limit of nothing",
      () => ["--timeout", "0", "x.ipynb"],
      "--timeout: expected a number of seconds above 0.",
    ],
    [
      "one file for two notebooks",
      () => ["a.ipynb", "b.ipynb", "-o", "c.ipynb"],
      "--out: expected a folder for 2 notebooks",
    ],
  ])("%s is one sentence", async (_, args, sentence) => {
    const { code, said } = await cli(...args());
    expect(code).toBe(1);
    expect(said).toContain(sentence);
    expect(said).not.toContain("    at ");
  });
});
