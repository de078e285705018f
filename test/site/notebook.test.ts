import { describe, expect, test } from "vitest";
import { asLines, joined, notebookText, OutputCollector, parseNotebook, withCellIds } from "../../src/site/index.js";
import { fc } from "../support/property.js";

/** A small notebook as an object that a test may damage. */
const small = () => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "iommu-lab", display_name: "TypeScript" } },
  cells: [
    { cell_type: "markdown", id: "a", metadata: {}, source: ["# Title\n", "text"] },
    {
      cell_type: "code",
      id: "b",
      metadata: {},
      source: "1 + 1",
      execution_count: null,
      outputs: [{ output_type: "stream", name: "stdout", text: ["x\n"] }],
    },
  ],
});

const damaged = (change: (notebook: Record<string, never>) => void) => () => {
  const notebook = small() as unknown as Record<string, never>;
  change(notebook);
  return parseNotebook(JSON.stringify(notebook), "n.ipynb");
};

describe("reading", () => {
  test("a notebook is read as it is, with what the schema does not know", () => {
    expect(parseNotebook(JSON.stringify(small()), "n.ipynb")).toEqual(small());
  });

  test.each([
    ["an empty file", () => parseNotebook("", "n.ipynb"), "n.ipynb: expected a notebook, which is JSON"],
    [
      "a file cut in the middle",
      () => parseNotebook(JSON.stringify(small()).slice(0, 90), "n.ipynb"),
      "n.ipynb: expected a notebook",
    ],
    ["a list", () => parseNotebook("[]", "n.ipynb"), "n.ipynb: the file: Invalid input: expected object"],
    ["format 3", damaged((n) => Object.assign(n, { nbformat: 3 })), "n.ipynb: nbformat: expected 4."],
    [
      "no cells",
      damaged((n) => Object.assign(n, { cells: undefined })),
      "n.ipynb: cells: Invalid input: expected array",
    ],
    [
      "a source that is a number",
      damaged((n) => Object.assign(n["cells"][1], { source: 7 })),
      "n.ipynb: cells.1.source (cell 2): expected a text or a list of lines.",
    ],
    [
      "another kind of cell",
      damaged((n) => Object.assign(n["cells"][0], { cell_type: "heading" })),
      "n.ipynb: cells.0.cell_type (cell 1): ",
    ],
    [
      "a code cell without outputs",
      damaged((n) => Object.assign(n["cells"][1], { outputs: null })),
      "n.ipynb: cells.1.outputs (cell 2): ",
    ],
    [
      "one id for two cells",
      damaged((n) => Object.assign(n["cells"][1], { id: "a" })),
      'n.ipynb: cells.1.id (cell 2): expected an id of its own; "a" is used twice.',
    ],
  ])("%s is refused by file, field and cell", (_, read, message) => {
    expect(read).toThrow(message);
  });

  test("whatever is done to the text, it is read or refused with the file's name", () => {
    const text = JSON.stringify(small());
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(8), fc.string({ maxLength: 4 }), (at, remove, insert) => {
        try {
          parseNotebook(text.slice(0, at) + insert + text.slice(at + remove), "n.ipynb");
        } catch (error) {
          expect(String(error)).toMatch(/^NotebookError: n\.ipynb: /);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("writing", () => {
  test("reading what was written gives the same notebook and the same bytes", () => {
    const text = notebookText(parseNotebook(JSON.stringify(small()), "n.ipynb"));
    expect(notebookText(parseNotebook(text, "n.ipynb"))).toBe(text);
    expect(text.endsWith("}\n")).toBe(true);
  });

  test("lines keep their ends, and come together again", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "\n", "b c", "\r\n")).map((p) => p.join("")),
        (text) => {
          expect(joined(asLines(text))).toBe(text);
        },
      ),
    );
    expect(asLines("a\n\nb")).toEqual(["a\n", "\n", "b"]);
  });

  test("cells without an id get one of their own, always the same", () => {
    const notebook = parseNotebook(
      JSON.stringify({ ...small(), nbformat_minor: 4, cells: Array(3).fill({ ...small().cells[0], id: undefined }) }),
      "n",
    );
    const ids = withCellIds(notebook).cells.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(withCellIds(notebook).cells.map(({ id }) => id)).toEqual(ids);
    expect(withCellIds(notebook).nbformat_minor).toBe(5);
  });
});

describe("outputs", () => {
  const message = (type: string, content: Record<string, unknown>) => ({
    type,
    content,
    parentId: "p",
    metadata: {},
    buffers: [],
  });
  const out = (text: string, name = "stdout") => message("stream", { name, text });
  const shown = (text: string, id: string, type = "display_data") =>
    message(type, { data: { "text/plain": text }, metadata: {}, transient: { display_id: id } });
  const collect = (...messages: ReturnType<typeof message>[]) => {
    const collector = new OutputCollector();
    const outputs = collector.begin();
    for (const m of messages) collector.take(m as never);
    return outputs;
  };

  test("a stream cut in pieces is one output, however it was cut", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("stdout", "stderr"), fc.string())), fc.nat(), (pieces, cut) => {
        const whole = collect(...pieces.filter(([, t]) => t !== "").map(([name, text]) => out(text, name)));
        const parts = collect(
          ...pieces.flatMap(([name, text]) =>
            [text.slice(0, cut % 5), text.slice(cut % 5)].filter((t) => t !== "").map((t) => out(t, name)),
          ),
        );
        expect(parts).toEqual(whole);
      }),
    );
  });

  test("a line begun anew by a carriage return replaces the one before", () => {
    expect(collect(out("10 %\r"), out("20 %\rdone\n"))).toEqual([
      { output_type: "stream", name: "stdout", text: ["done\n"] },
    ]);
  });

  test("a display keeps its last state, also when a later cell updates it", () => {
    const collector = new OutputCollector();
    const first = collector.begin();
    collector.take(shown("0 %", "bar"));
    const second = collector.begin();
    collector.take(shown("100 %", "bar", "update_display_data"));
    expect(first).toEqual([{ output_type: "display_data", data: { "text/plain": ["100 %"] }, metadata: {} }]);
    expect(second).toEqual([]);
  });

  test("clear_output removes at once, or with the next output", () => {
    const clear = (wait: boolean) => message("clear_output", { wait });
    expect(collect(out("a"), clear(false))).toEqual([]);
    expect(collect(out("a"), clear(true))).toHaveLength(1);
    expect(collect(out("a"), clear(true), out("b"))).toEqual([{ output_type: "stream", name: "stdout", text: ["b"] }]);
  });
});

test("a notebook that is written again keeps the numbers that JavaScript has no equal for", () => {
  const text = notebookText(small() as never);
  const own = text.replace('"metadata": {}', '"metadata": {\n    "big": 12345678901234567890,\n    "one": 1.0\n   }');
  expect(own).not.toBe(text);
  expect(notebookText(parseNotebook(own, "a.ipynb", { exact: true }))).toBe(own);
  expect(notebookText(parseNotebook(own, "a.ipynb"))).not.toBe(own);
});
