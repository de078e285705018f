import { describe, expect, test } from "vitest";
import { checkNumbers, parseNotebook, spoken, wrongNumberText } from "../../src/site/index.js";
import { code, notebook, shown } from "./project.js";

const plot = (data: object[]) => shown({ "application/vnd.plotly.v1+json": { data, layout: {} } });
const table = `<table><thead><tr><th>driver</th><th>maps (pages)</th></tr></thead><tbody>
  <tr><td>igb</td><td>32,776</td></tr><tr><td>vmxnet3</td><td>6,173 &lt; 1</td></tr></tbody></table>`;
const outputs = [
  code("a", [shown({ "text/html": table })], "holdings"),
  code(
    "b",
    [
      plot([
        { name: "strict", x: [1, 16], y: [50, 10] },
        { name: "of each", x: [0.25], y: ["igb"] },
      ]),
    ],
    "fig-cores",
  ),
  code("c", [plot([{ x: ["a", "b"], y: ["up"], z: [[1, 2]], text: [["7 steps", "holds"]] }])], "fig-map"),
  code("d", [{ output_type: "stream", name: "stdout", text: ["all\n", "in 12 s: 12 s\n"] }], "told"),
];
/** What is wrong with one passage that is tied to these outputs. */
const problems = (says: string, expressions: string | string[], source = says.replace(/[{}]/g, "")) => {
  const metadata = { "iommu-lab": { numbers: { [says]: expressions } } };
  const text = notebook([{ cell_type: "markdown", id: "prose", source, metadata }, ...outputs]);
  return checkNumbers("n.ipynb", parseNotebook(text, "n.ipynb")).map(wrongNumberText);
};

describe("numbers in prose", () => {
  test.each([
    ["igb holds {32,776} maps", "table(holdings, maps, driver=igb)"],
    ["half of {6,173}", "table(holdings, maps, driver=vmxnet3)"],
    ["{two} drivers", "rows(holdings)"],
    ["falls to {a fifth}", "point(fig-cores, strict, 16) / point(fig-cores, strict, 1)"],
    ["{a quarter} each", "point(fig-cores, of each, igb)"],
    ["below {12}", "< point(fig-cores, strict, 16)"],
    ["about {11}", "~10% point(fig-cores, strict, 16)"],
    ["{three} in all", "map(fig-map, a, up) + map(fig-map, b, up)"],
    ["after {seven} steps", "label(fig-map, a, up)"],
    ["in {12} seconds, said {twice}", ["text(told, 'in # s')", "count(told, 12 s)"]],
    ["{−2} of (1 + 2)", "-(1 + 3) * max(0.5, 0.25)"],
  ])("agree: %s", (says, expressions) => {
    expect(problems(says as string, expressions as string | string[])).toEqual([]);
  });

  test("are named with notebook, cell, passage, and both numbers where they disagree", () => {
    expect(problems("holds {32,777} maps", "table(holdings, maps, driver=igb)")).toEqual([
      'n.ipynb: cell 1, prose: "holds {32,777} maps": "32,777" in the text; the outputs say 32,780',
    ]);
    expect(problems("below {a tenth}", "< point(fig-cores, strict, 16)")[0]).toContain("expected less than a tenth");
  });

  test("are wrong where the passage was rewritten, or the output is not there any more", () => {
    expect(problems("holds {6} maps", "6", "It holds seven maps.")[0]).toContain("stands 0 times in the cell");
    expect(problems("{6} maps", "6", "6 maps and 6 maps")[0]).toContain("stands 2 times");
    expect(problems("{6} maps", "table(nowhere, maps)")[0]).toContain('there is no code cell "nowhere"');
    expect(problems("{6} maps", "point(fig-cores, strict, 8)")[0]).toContain('no trace "strict" has a point at 8');
    expect(problems("{6} maps", "table(holdings, pages)")[0]).toContain('no table has a number in "pages"');
    expect(problems("{6} maps", "text(told, 'in # h')")[0]).toContain("does not stand in what the cell shows");
    expect(problems("{6} maps", "1 / 0")[0]).toContain("gives Infinity");
    expect(problems("{6} maps", "seven(told)")[0]).toContain("there is no seven()");
    expect(problems("{6} maps", "(6")[0]).toContain('expected ")"');
    expect(problems("{many} maps", "6")[0]).toContain('"many" is no number');
    expect(problems("{6} and {7}", "6")[0]).toContain("2 numbers in braces for 1 expressions");
  });

  test("may come from another notebook, which is asked where it is at hand", () => {
    const cells = [
      {
        cell_type: "markdown" as const,
        id: "p",
        source: "13 s",
        metadata: { "iommu-lab": { numbers: { "{13} s": "text(other:told, 'in #')" } } },
      },
    ];
    const here = parseNotebook(notebook(cells), "n.ipynb");
    const other = parseNotebook(notebook(outputs), "other.ipynb");
    expect(checkNumbers("n", here)).toEqual([]);
    expect(checkNumbers("n", here, new Map([["other", other]])).map(wrongNumberText)[0]).toContain("say 12");
  });
});

test("digits stand for what rounds to them, words for a count or for a tenth around a fraction", () => {
  const within = (text: string) => {
    const { value, within } = spoken(text)!;
    return [value - within, value + within].map((end) => Number(end.toFixed(6)));
  };
  expect(within("32,776")).toEqual([32775.5, 32776.5]);
  expect(within("4.6 %")).toEqual([4.55, 4.65]);
  expect(within("600")).toEqual([550, 650]);
  expect(within("10,000")).toEqual([9000, 11000]);
  expect(within("two fifths")).toEqual([0.36, 0.44]);
  expect(within("twelve")).toEqual([11.5, 12.5]);
  expect(within("twenty-eight")).toEqual([27.5, 28.5]);
  expect(within("a hundred")).toEqual([90, 110]);
  expect(spoken("−3")?.value).toBe(-3);
  expect(spoken("2.9 million")?.value).toBe(2.9e6);
  for (const text of ["", "a few", "3 and 4", "fifth", "seventy-ten"]) expect(spoken(text), text).toBeUndefined();
});
