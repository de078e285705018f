import { afterAll, beforeAll, expect, test } from "vitest";
import { figure, lineFigure } from "../../src/plot/index.js";
import { type CodeCell, type Drawing, parseNotebook, runNotebook, startDrawing } from "../../src/site/index.js";

/** Static pictures, as plotly.js draws them in the browser. */

let drawing: Drawing;
beforeAll(async () => {
  drawing = await startDrawing();
});
afterAll(() => drawing?.close());

const rising = lineFigure({
  title: "A line",
  caption: "It rises.",
  x: { title: "time", unit: "s" },
  y: { title: "maps", unit: "" },
  series: [{ name: "a", x: [1, 2], y: [3, 4] }],
});

test("the same figure gives the same bytes, another figure others", async () => {
  const { png, width, height } = await drawing.draw(rising);
  const header = Buffer.from(png);
  expect([width, height, header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([720, 405, 900, 506]);
  const bars = figure({ title: "Bars", caption: "", data: [{ type: "bar", x: ["a"], y: [1] }] });
  expect(Buffer.from((await drawing.draw(bars)).png).equals(png)).toBe(false);
  expect(Buffer.from((await drawing.draw(rising)).png).equals(png)).toBe(true);
});

test("a figure has letters: another title gives another picture of the same size", async () => {
  const titled = (text: string) => drawing.draw({ ...rising, layout: { ...rising.layout, title: { text } } });
  const [one, other] = [await titled("maps"), await titled("caps")];
  expect([one.width, one.height]).toEqual([other.width, other.height]);
  expect(Buffer.from(one.png).equals(other.png)).toBe(false);
});

test("what is no figure is an error with its reason, and the next one is drawn", async () => {
  await expect(drawing.draw({ data: 7 as never })).rejects.toThrow(
    "the figure cannot be drawn: data: expected a list of plotly traces",
  );
  expect((await drawing.draw(rising)).height).toBe(405);
});

test("an executed notebook carries a picture beside each plot", async () => {
  const source = `import { lineFigure } from "iommu-lab/plot";
lineFigure({ title: "t", caption: "c", x: { title: "x", unit: "s" }, y: { title: "y", unit: "" }, series: [{ name: "a", x: [1, 2], y: [3, 4] }] })`;
  const cell = { cell_type: "code", id: "a", metadata: {}, source, execution_count: null, outputs: [] };
  const notebook = parseNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell] }), "n");
  const run = await runNotebook(notebook, { name: "n", folder: ".", drawing: async () => drawing });
  const [output] = (run.notebook.cells[0] as CodeCell).outputs as unknown as { data: object; metadata: object }[];
  expect(run.pictures).toBe(1);
  expect(Object.keys(output.data).sort()).toEqual(["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
  expect(output.metadata).toEqual({ "image/png": { width: 720, height: 405, alt: "t" } });
});
