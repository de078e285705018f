import { expect, test } from "vitest";
import { compareNotebooks, driftText, parseNotebook } from "../../src/site/index.js";

/** What `reproduce --check` sees. */
const notebookWith = (outputs: object[], source = "x") =>
  parseNotebook(
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {},
      cells: [
        { cell_type: "markdown", id: "m", metadata: {}, source: "# words" },
        { cell_type: "code", id: "c", metadata: {}, source, execution_count: 1, outputs },
      ],
    }),
    "n.ipynb",
  );
const shown = (data: object) => ({ output_type: "display_data", data, metadata: {} });
const lines = (before: object[], after: object[]) =>
  compareNotebooks("n.ipynb", notebookWith(before), notebookWith(after)).map(driftText);

test("names notebook, cell, field, old and new, in a figure's data and in a table's line", () => {
  const plot = (y: number[]) => shown({ "application/vnd.plotly.v1+json": { data: [{ y }], layout: {} } });
  expect(lines([plot([1, 2, 3])], [plot([1, 2.5, 3])])).toEqual([
    "n.ipynb: cell 2, output 1, application/vnd.plotly.v1+json.data[0].y[1]: stored 2, now 2.5",
  ]);
  const table = (text: string) => shown({ "text/plain": text.split(/(?<=\n)/) });
  expect(lines([table("a b\n1 2\n")], [table("a b\n1 3\n")])).toEqual([
    'n.ipynb: cell 2, output 1, text/plain, line 2: stored "1 2", now "1 3"',
  ]);
  expect(lines([plot([1, 2])], [plot([1, 2, 3])])[0]).toContain("y.length: stored 2, now 3");
});

test("pictures, progress bars and the views of controls may differ, a missing output may not", () => {
  const bar = (n: number) =>
    shown({ "text/html": [`<div><progress max="1" value="${n}">`, "</div>"], "text/plain": `${n}` });
  expect(lines([bar(0.5), shown({ "image/png": "AAAA" })], [bar(1), shown({ "image/png": "BBBB" })])).toEqual([]);
  expect(lines([shown({ "image/png": "AAAA", "text/plain": "1" })], [shown({ "text/plain": "1" })])).toEqual([]);
  expect(lines([shown({ "application/vnd.jupyter.widget-view+json": {}, "text/plain": "x: 1" })], [])).toEqual([]);
  expect(lines([], [shown({ "text/plain": "1" })])).toEqual([
    'n.ipynb: cell 2, output 1: stored nothing, now "display_data of text/plain"',
  ]);
  expect(
    lines(
      [{ output_type: "stream", name: "stdout", text: "a" }],
      [{ output_type: "stream", name: "stdout", text: "b" }],
    ),
  ).toHaveLength(1);
});

test("of HTML the words count, not the dress", () => {
  const html = (text: string) => shown({ "text/html": text });
  expect(lines([html("<table><td>1</td></table>")], [html('<table class="b">\n<td>1</td></table>')])).toEqual([]);
  expect(lines([html("<td>levels</td><td>1</td>")], [html("<td>levels</td><td>2</td>")])).toEqual([
    'n.ipynb: cell 2, output 1, text/html as text, line 2: stored "1", now "2"',
  ]);
});
