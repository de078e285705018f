import { describe, expect, test } from "vitest";
import {
  barFigure,
  dotFigure,
  figure,
  fitted,
  heatmapFigure,
  lineFigure,
  palette,
  themed,
} from "../../src/plot/index.js";
import { gallery } from "./gallery.js";

const display = (shown: { [key: symbol]: () => Record<string, unknown> }) => shown[Symbol.for("Jupyter.display")]();
const cores = { title: "cores", unit: "" };
const rate = { title: "throughput", unit: "Gb/s" };
const line = (over: Partial<Parameters<typeof lineFigure>[0]> = {}) =>
  lineFigure({ title: "T", caption: "C.", x: cores, y: rate, series: [{ name: "s", x: [1, 2], y: [3, 4] }], ...over });

interface Shape {
  title: { text: string };
  height: number;
  margin: { t: number; b: number };
}

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

  test("says a unit once: not in brackets behind a title that has named it", () => {
    const { layout } = line({ x: { title: "receive buffers", unit: "buffers" }, y: { title: "reach", unit: "each" } });
    expect(layout["xaxis"]).toMatchObject({ title: { text: "receive buffers" } });
    expect(layout["yaxis"]).toMatchObject({ title: { text: "reach (each)" } });
  });

  test("has a legend for two series and none for one", () => {
    const two = [1, 2].map((n) => ({ name: `s${n}`, x: [1], y: [n] }));
    expect(line().layout["showlegend"]).toBe(false);
    expect(line({ series: two }).layout["showlegend"]).toBe(true);
  });

  test("gives a long title lines of its own, and the room for them", () => {
    const of = (title: string) => figure({ title, data: [], caption: "" }).layout as never as Shape;
    const [short, long] = [of("Short"), of("word ".repeat(30).trim())];
    expect(long.title.text.split("<br>").length).toBe(3);
    expect(long.margin.t - short.margin.t).toBe(2 * 21);
    expect(long.height - short.height).toBe(2 * 21);
  });

  test("keeps what its caller sets over the house style; a height is that of the data with their axes", () => {
    const { layout } = line({ layout: { height: 200, dragmode: "pan" } }) as never as { layout: Shape };
    expect(layout.height - layout.margin.t).toBe(200);
    expect(layout).toMatchObject({ dragmode: "pan", margin: { r: 16, b: 56 } });
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
    const doubling = { name: "s", x: [1, 2, 4096, 1048576], y: [1, 2, 3, 4] };
    expect(line({ x: { ...cores, log: true }, series: [doubling] }).layout["xaxis"]).toMatchObject({
      tickvals: [1, 2, 4096, 1048576],
      ticktext: ["1", "2", "4,096", "1Mi"],
    });
    const axis = (x: number[]) =>
      line({ x: { ...cores, log: true }, series: [{ name: "s", x, y: x }] }).layout["xaxis"];
    expect(axis([10, 30, 50, 70, 100])).toMatchObject({ tickformat: ",~r", dtick: "D2" });
    expect(axis([1, 3, 30, 300, 5000]), "over many powers of ten, these alone").toMatchObject({ dtick: 1 });
  });

  test("puts a tick at each of a few places, and a few within one power of ten", () => {
    const log = { ...cores, log: true };
    const { layout } = line({ x: log, y: log, series: [{ name: "s", x: [40, 100, 200], y: [31, 66, 199] }] });
    expect(layout["xaxis"]).toMatchObject({ tickvals: [40, 100, 200] });
    // Heights are no places: they are measured, and lie where they lie.
    expect(layout["yaxis"]).toMatchObject({ tickvals: [30, 50, 70, 100, 150, 200] });
    const small = line({ y: log, series: [{ name: "s", x: [1, 2], y: [0.18, 1.4] }] }).layout["yaxis"];
    expect(small).toMatchObject({ ticktext: ["0.15", "0.2", "0.3", "0.5", "0.7", "1", "1.5"] });
  });

  test("leaves out of the legend what the caption tells from its twin", () => {
    const twins = [
      { name: "deferred", x: [1], y: [2] },
      { name: "deferred, predicted", x: [1], y: [2], listed: false },
    ];
    const { data } = line({ series: twins });
    expect(data.map((trace) => trace["showlegend"])).toEqual([undefined, false]);
  });

  test("has marks of one size in its legend where those of the figure say how much", () => {
    const sized = [7, 900].map((kib) => ({ name: `${kib}`, x: [1], y: [1], size: [kib] }));
    expect(line({ series: sized }).layout["legend"]).toMatchObject({ itemsizing: "constant" });
    const plain = sized.map(({ size, ...series }) => series);
    expect(line({ series: plain }).layout["legend"]).not.toHaveProperty("itemsizing");
  });

  test("draws a mark as large as it is asked to be, so that it can lie around another", () => {
    const { data } = line({ series: [{ name: "ring", x: [1], y: [1], mode: "markers", diameter: 14 }] });
    expect(data[0]["marker"]).toMatchObject({ size: 14 });
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

  test("shows nothing at the foot of a logarithmic axis that has a place for it, and says so where one points", () => {
    const made = line({ y: { ...rate, log: true, none: 0.1 }, series: [{ name: "a", x: [1, 2, 3], y: [0, 5, 2000] }] });
    const [trace] = made.data;
    expect([trace["y"], trace["customdata"]]).toEqual([
      [0.1, 5, 2000],
      [0, 5, 2000],
    ]);
    expect(trace["hovertemplate"]).toContain("throughput: %{customdata");
    const { tickvals, ticktext } = made.layout["yaxis"] as Record<string, unknown[]>;
    expect(tickvals).toEqual([0.1, 1, 10, 100, 1000]);
    expect(ticktext).toEqual(["none", "1", "10", "100", "1,000"]);
    expect(made.caption).not.toContain("cannot be shown");
  });

  test("slants labels of columns on a phone that would lie on each other, each in one line", () => {
    const labels = ["0 start", "1 KVM creates<br>the guest", "2 VM entry<br>begins", "3 entry:<br>partly loaded"];
    const ticks = { tickmode: "array", tickvals: [0, 1, 2, 3], ticktext: [...labels, ...labels] };
    const made = line({ layout: { xaxis: { ...ticks, title: { text: "step" } } } });
    const narrow = fitted(made, 358).layout["xaxis"] as Record<string, unknown>;
    expect(narrow["tickangle"]).toBe(-60);
    expect((narrow["ticktext"] as string[])[1]).toBe("1 KVM creates the guest");
    expect((fitted(made, 720).layout["xaxis"] as Record<string, unknown>)["ticktext"]).toEqual([...labels, ...labels]);
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

test("lines that lie on others are named in the caption; points are not", () => {
  const series = (mode?: "markers") => [
    { name: "lower", x: [1, 2, 4], y: [1, 2, 3] },
    { name: "upper", x: [1, 2, 4], y: [1, 2, 3.001], ...(mode ? { mode } : {}) },
  ];
  expect(line({ series: series() }).caption).toBe("C. Hidden: lower under upper.");
  expect(line({ series: series("markers") }).caption).toBe("C.");
});

test("cores tick at the numbers of cores", () => {
  const series = [{ name: "s", x: [1, 2, 4, 8, 16], y: [1, 2, 3, 4, 5] }];
  expect(line({ series }).layout["xaxis"]).toMatchObject({ tickvals: [1, 2, 4, 8, 16] });
  expect(line({ series: [{ name: "s", x: [1, 3, 4], y: [1, 2, 3] }] }).layout["xaxis"]).not.toHaveProperty("tickvals");
});

test("what a figure offers in its toolbar sends it nowhere", () => {
  const { config } = themed(line(), "light");
  expect(config).toMatchObject({ showSendToCloud: false, plotlyServerURL: "" });
  expect(config["modeBarButtonsToRemove"]).toContain("sendChartToCloud");
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

  test("shows of a stacked share's interval the half that lies in the stack, and all of it under the pointer", () => {
    const share = { title: "share", unit: "%" };
    const shares = {
      title: "T",
      caption: "C",
      x: cores,
      y: share,
      categories: ["a"],
      series: [{ name: "s", values: [50], low: [40], high: [90] }],
    };
    const [beside, stacked] = [barFigure(shares), barFigure({ ...shares, stacked: true })].map(({ data }) => data[0]);
    expect(beside["error_y"]).toMatchObject({ array: [40], arrayminus: [10] });
    expect(stacked["error_y"]).toMatchObject({ array: [0], arrayminus: [10] });
    expect(stacked["customdata"]).toEqual([[40, 90]]);
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

  test("on a logarithmic axis is dots, side by side: a bar there has no base", () => {
    const log = { ...rate, log: true };
    const spec = { title: "T", caption: "C", x: cores, y: log, categories: ["a", "b"] };
    const { data, layout } = barFigure({
      ...spec,
      series: [
        { name: "s", values: [10, 0] },
        { name: "t", values: [1, 2], hatched: true },
      ],
    });
    expect(data[0]).toMatchObject({ type: "scatter", mode: "markers", y: [10, null], offsetgroup: "0" });
    expect(data[1]).toMatchObject({ offsetgroup: "1", marker: { symbol: "square-open" } });
    expect(layout).toMatchObject({ scattermode: "group" });
  });

  test("refuses a series that has not one value for each category", () => {
    const spec = { title: "T", caption: "C", x: cores, y: rate, categories: ["a", "b"] };
    expect(() => barFigure({ ...spec, series: [{ name: "s", values: [1] }] })).toThrow(/"s".*2 categories, 1 values/);
  });
});

describe("a chart of dots", () => {
  const spec = { title: "T", caption: "C", labels: ["a", "b"], x: { ...rate, log: true } };
  const series = { name: "s", values: [10, null], low: [5, 1], high: [20, 1] };

  test("has a row for each label, the first on top, and says in its hover text which row a dot is of", () => {
    const { data, layout } = dotFigure({ ...spec, series: [series] });
    expect(layout["yaxis"]).toMatchObject({ tickvals: [2, 1], ticktext: ["a", "b"] });
    expect(data[0]).toMatchObject({
      x: [10, null],
      y: [2, 1],
      error_x: { array: [10, 0], arrayminus: [5, 0] },
      customdata: [
        ["a", 10, 5, 20],
        ["b", null, 1, 1],
      ],
    });
    expect(data[0]["hovertemplate"]).toContain(
      "%{customdata[0]}<br>throughput: %{customdata[1]:,.5~r} Gb/s<br>interval",
    );
    const told = dotFigure({ ...spec, series: [{ ...series, hover: ["all of a", "all of b"] }] });
    expect((told.data[0]["customdata"] as unknown[][]).map(([text]) => text)).toEqual(["all of a", "all of b"]);
  });

  test("draws ranges behind everything, and series apart unless they belong on one line", () => {
    const two = [
      { ...series, name: "dot" },
      { ...series, name: "range", range: true },
    ];
    const names = (figure: { data: Record<string, unknown>[] }) => figure.data.map((trace) => trace["name"]);
    const apart = dotFigure({ ...spec, series: two, mark: { name: "published", value: 10 } });
    expect(names(apart)).toEqual(["range", "dot", "published"]);
    expect(apart.data[0]["y"]).not.toEqual(apart.data[1]["y"]);
    const together = dotFigure({ ...spec, series: two, together: true });
    expect(together.data[0]["y"]).toEqual(together.data[1]["y"]);
  });

  test("shows zero on a logarithmic axis where that has a place for it, and else says that it cannot", () => {
    const zero = [{ name: "s", values: [10, 0] }];
    const placed = dotFigure({ ...spec, x: { ...spec.x, none: 0.1 }, ticks: [1, 10], series: zero });
    expect(placed.data[0]).toMatchObject({
      x: [10, 0.1],
      customdata: [
        ["a", 10],
        ["b", 0],
      ],
    });
    expect(placed.layout["xaxis"]).toMatchObject({ tickvals: [0.1, 1, 10], ticktext: ["none", "1", "10"] });
    expect(placed.caption).toBe("C");
    const lost = dotFigure({ ...spec, series: zero });
    expect(lost.data[0]["x"]).toEqual([10, null]);
    expect(lost.caption).toContain("1 value of zero or less cannot be shown");
  });

  test("refuses a series that has not one value for each row", () => {
    expect(() => dotFigure({ ...spec, series: [{ name: "s", values: [1] }] })).toThrow(/"s".*2 labels, 1 values/);
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

  test("has yellow at the good end, marks a value on its colour bar, and says what a cell means", () => {
    const shares = {
      ...spec,
      z: { title: "loss", unit: "%", range: [0, 100] as [number, number] },
      zValues: [[0, 50]],
    };
    const { data } = heatmapFigure({
      ...shares,
      better: "low",
      marks: [{ value: 100 / 3, text: "a third" }],
      text: [["0", "50"]],
      hover: [["nothing is lost", "half is lost"]],
    });
    expect(data[0]).toMatchObject({
      reversescale: true,
      zmin: 0,
      zmax: 100,
      hovertext: [["nothing is lost", "half is lost"]],
    });
    expect(data[0]["hovertemplate"]).toContain("%{hovertext}");
    expect(data[0]["colorbar"]).toMatchObject({ ticktext: ["0", "20", "a third", "60", "80", "100"] });
    // Nothing lost is yellow, on which black can be read; on the middle too.
    expect(data[0]["textfont"]).toMatchObject({ color: "#000000" });
    expect(() => heatmapFigure({ ...spec, zValues: [[1, 2]], marks: [{ value: 1, text: "one" }] })).toThrow(
      /marks need a range/,
    );
    expect(() => heatmapFigure({ ...shares, hover: [["one"]] })).toThrow(/hover needs 1 rows of 2/);
  });

  test("refuses rows that do not fit its axes", () => {
    expect(() => heatmapFigure({ ...spec, zValues: [[1]] })).toThrow(/1 rows of 2 values, and row 0 has 1 values/);
    expect(() => heatmapFigure({ ...spec, zValues: [] })).toThrow(/1 rows of 2 values, and it has 0 rows/);
  });
});

describe("a figure on a phone", () => {
  test("breaks a long title of its axis, thins ticks that would lie on each other, and stays so when fitted again", () => {
    const made = dotFigure({
      title: "T",
      caption: "C",
      labels: ["a row with a label", "another"],
      x: { title: "somebody else's pages in reach, mean at a time, of all", unit: "pages", log: true },
      ticks: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
      series: [{ name: "s", values: [0.03, 40] }],
    });
    const once = fitted(made, 358);
    const axis = once.layout["xaxis"] as { title: { text: string }; tickvals: number[] };
    expect(axis.title.text).toContain("<br>");
    expect(axis.tickvals).toEqual([0.1, 1, 10]);
    const lower = (once.layout["height"] as number) - (fitted(made, 704).layout["height"] as number);
    expect(lower).toBeGreaterThanOrEqual(16);
    expect(fitted(once, 358).layout["height"]).toBe(once.layout["height"]);
    expect((fitted(made, 704).layout["xaxis"] as typeof axis).tickvals).toHaveLength(11);
    const wideAgain = fitted(once, 704).layout;
    expect((wideAgain["xaxis"] as typeof axis).title.text).not.toContain("<br>");
    expect(wideAgain["height"]).toBe(fitted(made, 704).layout["height"]);
  });

  test("gives rows whose labels take four lines the height of four lines", () => {
    const label = "a label that is so long that on a phone it takes four lines of it";
    const made = dotFigure({
      title: "T",
      caption: "C",
      labels: Array.from({ length: 30 }, (_, i) => `${label} ${i}`),
      x: rate,
      series: [{ name: "s", values: Array.from({ length: 30 }, (_, i) => i) }],
    });
    const { layout } = fitted(made, 358);
    const lines = Math.max(
      ...(layout["yaxis"] as { ticktext: string[] }).ticktext.map((text) => text.split("<br>").length),
    );
    expect(lines).toBeGreaterThanOrEqual(4);
    expect(layout["height"]).toBeGreaterThan(30 * 14 * lines);
  });

  const roomOf = ({ layout }: { layout: Record<string, unknown> }) => {
    const { height, margin } = layout as never as Shape;
    return height - margin.t - margin.b;
  };

  test.each(
    Object.entries(gallery),
  )("grows with its title and legend, so that its data keep their room: %s", (_, make) => {
    const made = make();
    const small = fitted(made, 358);
    expect(roomOf(small)).toBeGreaterThanOrEqual(roomOf(made));
  });

  test("is the one that it was before, where it gets its width back", () => {
    const made = line({ series: ["a", "b", "c"].map((name) => ({ name: `${name} long name`, x: [1], y: [1] })) });
    const { layout } = fitted(fitted(made, 358), 704);
    expect(layout).toMatchObject({
      height: made.layout["height"],
      title: made.layout["title"],
      legend: made.layout["legend"],
    });
  });

  test("has its panels one below the other, each under its name", () => {
    const axes = Object.fromEntries(
      ["", "2", "3"].flatMap((n, i) => [
        [`xaxis${n}`, { domain: [i / 3, (i + 1) / 3], anchor: `y${n}` }],
        [`yaxis${n}`, { domain: [0, 1], anchor: `x${n}` }],
      ]),
    );
    const notes = [0, 1, 2].map((i) => ({ text: `panel ${i}`, x: i / 3, y: 1 }));
    const panels = figure({ title: "T", caption: "", data: [], layout: { ...axes, annotations: notes } });
    const { layout } = fitted(panels, 358);
    const domains = ["yaxis", "yaxis2", "yaxis3"].map((name) => (layout[name] as { domain: number[] }).domain);
    for (const [i, [low, high]] of domains.entries()) {
      expect(high).toBeGreaterThan(low);
      if (i > 0) expect(high).toBeLessThan(domains[i - 1][0]);
      expect((layout["annotations"] as { y: number }[])[i].y).toBeCloseTo(high, 12);
    }
    expect(layout["xaxis3"]).toMatchObject({ domain: [0, 0.97 + 0.03] });
  });

  test("writes the short texts into a map's cells, no smaller than 11 pixels, and needs no colour bar then", () => {
    const made = heatmapFigure({
      title: "T",
      caption: "",
      x: cores,
      y: cores,
      z: cores,
      xValues: [1],
      yValues: ["a row with quite a long name beside it"],
      zValues: [[1]],
      text: [["1 of a few, with an interval"]],
      narrowText: [["1"]],
    });
    const { data, layout } = fitted(made, 358);
    expect(data[0]).toMatchObject({ text: [["1"]], showscale: false, textfont: { size: 11 } });
    expect((layout["yaxis"] as { ticktext: string[] }).ticktext[0].split("<br>").length).toBeGreaterThan(1);
  });

  test("measures its texts where it can", () => {
    const made = figure({ title: "one two three", caption: "", data: [] });
    const { title } = fitted(made, 704, () => 1000).layout as never as Shape;
    expect(title.text).toBe("one<br>two<br>three");
  });
});

test.each(Object.entries(gallery))("the gallery's figure with %s is as recorded", async (name, make) => {
  const { data, layout } = make();
  const file = `fixtures/${name.replaceAll(/[^a-z]+/g, "-")}.json`;
  const text = JSON.stringify({ data, layout: { ...layout, template: "the house's" } }, null, 1);
  await expect(`${text}\n`).toMatchFileSnapshot(file);
});
