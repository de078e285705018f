import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compareNotebooks, dressed, type Notebook, notebookText, parseNotebook } from "../../src/site/index.js";
import { chapters, exercises, root, solutions } from "../notebooks/course.js";

const plotly = "application/vnd.plotly.v1+json";
const figure = (title: string, caption: string) => ({
  output_type: "display_data",
  data: {
    [plotly]: { data: [], layout: { title: { text: title } } },
    "image/png": "AAAA",
    "text/plain": `Figure: ${title}. ${caption}`,
  },
  metadata: { "image/png": { width: 7, height: 5 } },
});
const bar = (done: number) => ({
  output_type: "display_data",
  data: { "text/html": '<div><progress max="1"></progress></div>', "text/plain": `sweep [##] (${done} of 4)` },
  metadata: {},
});
const notebookWith = (outputs: object[], metadata: object = {}): Notebook =>
  parseNotebook(
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { language_info: { name: "typescript" } },
      cells: [
        { cell_type: "code", id: "a", metadata, source: "x", execution_count: 1, outputs },
        {
          cell_type: "code",
          id: "b",
          metadata: {},
          source: "y",
          execution_count: 2,
          outputs: [figure("Last", "Once.")],
        },
      ],
    }),
    "n.ipynb",
  );
const texts = (notebook: Notebook) =>
  notebook.cells.flatMap((cell) =>
    cell.cell_type === "code"
      ? cell.outputs.map((output) => String((output as { data: Record<string, unknown> }).data["text/plain"]))
      : [],
  );

test("each figure has its number and its caption below it, and a text for those who cannot see its picture", () => {
  const now = dressed(notebookWith([figure("Cores", "It falls <fast> & far."), figure("Nodes", "It grows.")]));
  expect(texts(now).filter((text) => /^Figure \d/.test(text))).toEqual([
    "Figure 1. It falls <fast> & far.",
    "Figure 2. It grows.",
    "Figure 3. Once.",
  ]);
  const [first, caption] = (now.cells[0] as unknown as { outputs: { data: object; metadata: object }[] }).outputs;
  expect(first.metadata).toEqual({ "image/png": { width: 7, height: 5, alt: "Cores" } });
  expect(caption.data).toMatchObject({ "text/html": ["<p><b>Figure 1.</b> It falls &lt;fast&gt; &amp; far.</p>"] });
});

test("bars of work that is done are gone, one that stopped half-way stays", () => {
  expect(texts(dressed(notebookWith([bar(4), bar(3)])))[0]).toContain("(3 of 4)");
});

test("an output that waits for the reader is folded in both words of the format", () => {
  const { cells } = dressed(notebookWith([], { jupyter: { outputs_hidden: true } }));
  expect(cells[0].metadata).toEqual({ collapsed: true, jupyter: { outputs_hidden: true } });
});

test("dressing twice is dressing once, and no drift", () => {
  const bare = notebookWith([bar(4), figure("Cores", "It falls.")]);
  const once = dressed(bare);
  expect(notebookText(dressed(once))).toBe(notebookText(once));
  expect(compareNotebooks("n", bare, once)).toEqual([]);
});

test("every stored notebook is dressed, so that opening and saving it in JupyterLab changes nothing", () => {
  const all = [...chapters(), ...exercises(), ...solutions()];
  expect(all.length).toBeGreaterThan(30);
  for (const { path, notebook } of all)
    expect(notebookText(dressed(notebook)) === readFileSync(`${root}/${path}`, "utf8"), path).toBe(true);
});

test("numbers are written as Jupyter's server writes them", () => {
  const notebook = notebookWith([]);
  notebook.metadata["numbers"] = [0.0000959305887412859, 1e-7, 0.0001, 12, 1e21, -0.00001, "0.00001"];
  const written = notebookText(notebook)
    .match(/"numbers": \[([^\]]*)\]/)![1]
    .replace(/\s+/g, "");
  expect(written).toBe('9.59305887412859e-05,1e-07,0.0001,12,1e+21,-1e-05,"0.00001"');
});
