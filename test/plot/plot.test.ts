import { describe, expect, test } from "vitest";
import { barFigure, figure, heatmapFigure, lineFigure, palette, themed } from "../../src/plot/index.js";
import { gallery } from "./gallery.js";

const display = (shown: { [key: symbol]: () => Record<string, unknown> }) => shown[Symbol.for("Jupyter.display")]();
const cores = { title: "cores", unit: "" };
const rate = { title: "throughput", unit: "Gb/s" };
const line = (over: Partial<Parameters<typeof lineFigure>[0]> = {}) =>
  lineFigure({ title: "T", caption: "C.", x: cores, y: rate, series: [{ name: "s", x: [1, 2], y: [3, 4] }], ...over });

describe("a figure", () => {
  test("shows itself as plotly JSON and as text", () => {
    const bundle = display(line());
    expect(bundle["text/plain"]).toBe("Figure: T. C.");
    const plotly = bundle["application/vnd.plotly.v1+json"];
    expect(JSON.parse(JSON.stringify(plotly))).toEqual(plotly);
  });

  test("carries each axis's unit in its title and in the hover text", () => {
    const { data, layout } = line();
    expect(layout["xaxis"]).toMatchObject({ title: { text: "cores" } });
    expect(layout["yaxis"]).toMatchObject({ title: { text: "throughput (Gb/s)" } });
    expect(data[0]["hovertemplate"]).toContain("throughput: %{y:,.5~r} Gb/s");
  });

  test("has a legend for two series and none for one", () => {
    const two = [1, 2].map((n) => ({ name: `s${n}`, x: [1], y: [n] }));
    expect(line().layout["showlegend"]).toBe(false);
    expect(line({ series: two }).layout["showlegend"]).toBe(true);
  });

  test("gives a long title lines of its own, and the room for them", () => {
    const short = figure({ title: "Short", data: [], caption: "" }).layout as never as { margin: { t: number } };
    const { title, margin } = figure({ title: "word ".repeat(30).trim(), data: [], caption: "" }).layout as never as {
      title: { text: string };
      margin: { t: number };
    };
    expect(title.text.split("<br>").every((text) => text.length <= 56)).toBe(true);
    expect(title.text.split("<br>").length).toBe(3);
    expect(margin.t).toBe(short.margin.t + 40);
  });

  test("keeps what its caller sets over the house style", () => {
    expect(line({ layout: { height: 200 } }).layout["height"]).toBe(200);
  });

  test("changes its colours with the theme and nothing else", () => {
    const { layout } = line();
    const dark = themed(line(), "dark").layout;
    expect({ ...dark, template: undefined }).toEqual({ ...layout, template: undefined });
    expect(dark["template"]).not.toEqual(themed(line(), "light").layout["template"]);
    expect(themed(line(), "light", { opaque: true }).layout["paper_bgcolor"]).toBe("#ffffff");
  });
});

describe("a line figure", () => {
  test("begins at zero on a linear axis unless it has a range", () => {
    expect(line().layout["yaxis"]).toMatchObject({ rangemode: "tozero" });
    expect(line({ y: { ...rate, range: [2, 5] } }).layout["yaxis"]).toMatchObject({ range: [2, 5] });
    expect(line({ y: { ...rate, range: [2, 5] } }).layout["yaxis"]).not.toHaveProperty("rangemode");
  });

  test("takes the range of a logarithmic axis in the axis's unit", () => {
    const { range } = line({ y: { ...rate, log: true, range: [1, 1000] } }).layout["yaxis"] as { range: number[] };
    expect(range[0]).toBe(0);
    expect(range[1]).toBeCloseTo(3, 12);
    expect(() => line({ y: { ...rate, log: true, range: [0, 10] } })).toThrow(/"throughput" is logarithmic.*0 to 10/);
  });

  test("puts a tick at each of a few values that double, and whole labels on other logarithmic axes", () => {
    const doubling = { name: "s", x: [1, 2, 4, 1048576], y: [1, 2, 3, 4] };
    expect(line({ x: { ...cores, log: true }, series: [doubling] }).layout["xaxis"]).toMatchObject({
      tickvals: [1, 2, 4, 1048576],
      ticktext: ["1", "2", "4", "1Mi"],
    });
    const other = { name: "s", x: [10, 30, 100], y: [1, 2, 3] };
    expect(line({ x: { ...cores, log: true }, series: [other] }).layout["xaxis"]).toMatchObject({
      tickformat: ",~r",
      dtick: "D2",
    });
    const far = { name: "s", x: [1, 30, 5000], y: [1, 2, 3] };
    expect(line({ x: { ...cores, log: true }, series: [far] }).layout["xaxis"]).not.toHaveProperty("dtick");
  });

  test("draws intervals as bars on few points and as a band on many, or as asked", () => {
    const ys = (n: number) => Array.from({ length: n }, (_, i) => i);
    const series = (n: number, over = {}) => [
      { name: "s", x: ys(n), y: ys(n), low: ys(n).map((y) => y - 1), high: ys(n).map((y) => y + 2), ...over },
    ];
    expect(line({ series: series(3) }).data[0]["error_y"]).toMatchObject({ array: [2, 2, 2], arrayminus: [1, 1, 1] });
    const [band, curve] = line({ series: series(3, { interval: "band" }) }).data;
    expect(band).toMatchObject({ x: [0, 1, 2, 2, 1, 0], y: [2, 3, 4, 1, 0, -1], fill: "toself", showlegend: false });
    expect(curve).toMatchObject({
      name: "s",
      customdata: [
        [-1, 2],
        [0, 3],
        [1, 4],
      ],
    });
    expect(line({ series: series(50) }).data).toHaveLength(2);
    expect(line({ series: series(50, { interval: "bars" }) }).data).toHaveLength(1);
  });

  test("says how many values a logarithmic axis cannot show", () => {
    const { caption, alt } = line({ y: { ...rate, log: true }, series: [{ name: "s", x: [1, 2, 3], y: [0, 1, -2] }] });
    expect(caption).toContain("2 values of zero or less");
    expect(alt).toContain("2 values of zero or less");
  });

  test("refuses lists of different lengths, naming series and lengths", () => {
    expect(() => line({ series: [{ name: "rbtree", x: [1, 2], y: [1] }] })).toThrow(/"rbtree".*2 x, 1 y/);
    expect(() => line({ series: [{ name: "rbtree", x: [1], y: [1], low: [], high: [1] }] })).toThrow(
      /1 x, 1 y, 0 low, 1 high/,
    );
  });

  test("draws no series and empty series", () => {
    expect(line({ series: [] }).data).toEqual([]);
    expect(line({ series: [{ name: "s", x: [], y: [] }], x: { ...cores, log: true } }).data[0]["x"]).toEqual([]);
  });

  test("gives the ninth series the first colour with another marker than its neighbour's", () => {
    const { data } = line({ series: Array.from({ length: 9 }, (_, i) => ({ name: `s${i}`, x: [1], y: [i] })) });
    expect(data.map((trace) => (trace["line"] as { color: string }).color)).toEqual([...palette, palette[0]]);
  });
});

test("a series keeps the colour of its place in the palette, in lines and in bars", () => {
  const { data } = line({ series: [{ name: "s", x: [1], y: [1], place: 3 }] });
  expect(data[0]).toMatchObject({ line: { color: palette[3] }, marker: { color: palette[3], symbol: 3 } });
  const bars = barFigure({
    title: "T",
    caption: "C",
    x: cores,
    y: rate,
    categories: ["a"],
    series: [{ name: "s", values: [1], place: 3 }],
  });
  expect(bars.data[0]).toMatchObject({ marker: { color: palette[3] } });
});

describe("a bar figure", () => {
  test("stacks or stands side by side, and wraps long categories", () => {
    const spec = {
      title: "T",
      caption: "C",
      x: cores,
      y: rate,
      categories: ["a", "a rather long category name"],
      series: [{ name: "s", values: [1, 2] }],
    };
    expect(barFigure(spec).layout["barmode"]).toBe("group");
    expect(barFigure({ ...spec, stacked: true }).layout["barmode"]).toBe("stack");
    expect(barFigure(spec).layout["xaxis"]).toMatchObject({ ticktext: ["a", "a rather long<br>category name"] });
  });

  test("lies down for many or long categories, the first on top, as high as its rows need", () => {
    const categories = Array.from({ length: 12 }, (_, i) => `a category with a long name, number ${i}`);
    const series = [
      { name: "s", values: categories.map((_, i) => i), low: categories.map(() => 0), high: categories.map(() => 12) },
    ];
    const { data, layout } = barFigure({
      title: "T",
      caption: "C",
      x: cores,
      y: rate,
      categories,
      series,
      lying: true,
    });
    expect(data[0]).toMatchObject({
      orientation: "h",
      x: series[0].values,
      y: categories,
      error_x: { array: expect.anything() },
    });
    expect(data[0]).not.toHaveProperty("error_y");
    expect(layout["yaxis"]).toMatchObject({ type: "category", autorange: "reversed" });
    expect(layout["xaxis"]).toMatchObject({ title: { text: "throughput (Gb/s)" } });
    expect(layout["height"]).toBeGreaterThan(12 * 2 * 17);
  });

  test("refuses a series that has not one value for each category", () => {
    const spec = { title: "T", caption: "C", x: cores, y: rate, categories: ["a", "b"] };
    expect(() => barFigure({ ...spec, series: [{ name: "s", values: [1] }] })).toThrow(/"s".*2 categories, 1 values/);
  });
});

describe("a heat map", () => {
  const spec = {
    title: "T",
    caption: "C",
    x: cores,
    y: cores,
    z: { title: "latency", unit: "ns" },
    xValues: [1, 2],
    yValues: ["a"],
  };

  test("colours by the logarithm when asked, with ticks and hover in the unit", () => {
    const { data } = heatmapFigure({ ...spec, z: { ...spec.z, log: true }, zValues: [[1, 1000]] });
    expect(data[0]["z"]).toEqual([[0, expect.closeTo(3, 12)]]);
    expect(data[0]["customdata"]).toEqual([[1, 1000]]);
    expect(data[0]["colorbar"]).toMatchObject({ ticktext: ["1", "10", "100", "1,000"] });
    expect(data[0]["hovertemplate"]).toContain("latency: %{customdata:,.5~r} ns");
  });

  test("refuses rows that do not fit its axes", () => {
    expect(() => heatmapFigure({ ...spec, zValues: [[1]] })).toThrow(/1 rows of 2 values, and row 0 has 1 values/);
    expect(() => heatmapFigure({ ...spec, zValues: [] })).toThrow(/1 rows of 2 values, and it has 0 rows/);
  });
});

test.each(Object.entries(gallery))("the gallery's figure with %s is as recorded", async (name, make) => {
  const { data, layout } = make();
  const file = `fixtures/${name.replaceAll(/[^a-z]+/g, "-")}.json`;
  const text = JSON.stringify({ data, layout: { ...layout, template: "the house's" } }, null, 1);
  await expect(`${text}\n`).toMatchFileSnapshot(file);
});
