import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { colourAt, contrast, inkOn, viridis } from "../../src/plot/contrast.js";
import { heatmapFigure, themed } from "../../src/plot/index.js";

const steps = Array.from({ length: 201 }, (_, i) => i / 200);

describe("the ink on a coloured cell", () => {
  test("contrast is that of the guidelines: 21 for black on white, 4.54 for the grey #767676 on white", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 9);
    expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
  });

  test("black or white can be read on every colour there is: on every grey, and on the corners of the cube", () => {
    const hex = (...channels: number[]) => `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
    for (let c = 0; c < 256; c++)
      expect(contrast(inkOn(hex(c, c, c)), hex(c, c, c)), hex(c, c, c)).toBeGreaterThan(4.5);
    for (const r of [0, 128, 255])
      for (const g of [0, 128, 255])
        for (const b of [0, 128, 255]) expect(contrast(inkOn(hex(r, g, b)), hex(r, g, b))).toBeGreaterThan(4.5);
  });

  test("the scale is the one that plotly.js draws under the name Viridis", () => {
    const source = readFileSync(createRequire(import.meta.url).resolve("plotly.js-dist"), "utf8");
    const list = /Viridis: \[([\s\S]*?)\n {8}\]/.exec(source)?.[1] ?? "";
    const theirs = [...list.matchAll(/\[([\d.]+), "(#\w+)"\]/g)].map(([, at, colour]) => [Number(at), colour]);
    expect(theirs).toHaveLength(17);
    for (const [i, [at, colour]] of theirs.entries()) {
      expect(viridis[i][1]).toBe(colour);
      expect(viridis[i][0]).toBeCloseTo(Number(at), 9);
    }
    expect(colourAt(viridis, 8 / 255)).toBe("#460d5f");
    expect([colourAt(viridis, -1), colourAt(viridis, 2)]).toEqual(["#440154", "#fde725"]);
  });

  /** The ink in which each cell's text is written, and how large the text's lines are in every trace. */
  function inksOf(verdicts: boolean, theme: "light" | "dark") {
    const made = heatmapFigure({
      title: "T",
      caption: "C",
      x: { title: "x", unit: "" },
      y: { title: "y", unit: "" },
      z: { title: "z", unit: "" },
      xValues: steps.map((s) => `at ${s}`),
      yValues: ["row"],
      zValues: [steps],
      text: [steps.map((s) => `${s}<br>text`)],
      verdicts,
    });
    const { data } = themed(made, theme);
    return steps.map((s, i) => {
      const texts = data.map((trace) => (trace["text"] as string[][])[0][i]);
      const written = data.filter((_, k) => texts[k] === `${s}<br>text`);
      expect(written, `${s}`).toHaveLength(1);
      for (const text of texts) expect(text.split("<br>").map((line) => line.length)).toEqual([`${s}`.length, 4]);
      return (written[0]["textfont"] as { color: string }).color;
    });
  }

  test.each(["light", "dark"] as const)("is readable over the whole of both scales, on a %s page", (theme) => {
    const verdicts = [
      [0, "#b9dcf2"],
      [0.5, "#f5d68a"],
      [1, "#f0a06a"],
    ] as const;
    for (const [scale, verdict] of [
      [viridis, false],
      [verdicts, true],
    ] as const)
      for (const [i, ink] of inksOf(verdict, theme).entries())
        expect(contrast(ink, colourAt(scale, steps[i])), `${verdict} ${steps[i]}`).toBeGreaterThan(4.5);
  });
});

describe("a heat map with texts", () => {
  const spec = {
    title: "T",
    caption: "C",
    x: { title: "x", unit: "" },
    y: { title: "y", unit: "" },
    z: { title: "z", unit: "%" },
    xValues: ["a", "b"],
    yValues: ["r"],
  };

  test("has a second, colourless trace only where both inks are needed, and hovers over the first alone", () => {
    const text = [["one", "two"]];
    expect(heatmapFigure({ ...spec, zValues: [[0, 100]], text }).data).toHaveLength(2);
    expect(heatmapFigure({ ...spec, zValues: [[0, 100]], text }).data[1]).toMatchObject({
      hoverinfo: "skip",
      showscale: false,
    });
    expect(heatmapFigure({ ...spec, zValues: [[0, 100]] }).data).toHaveLength(1);
    const bright = heatmapFigure({ ...spec, z: { ...spec.z, range: [-1000, 100] }, zValues: [[90, 100]], text });
    expect(bright.data).toHaveLength(1);
    expect(bright.data[0]).toMatchObject({ zmin: -1000, zmax: 100, textfont: { color: "#000000" } });
  });

  test("chooses the ink by the range of the colours, on a logarithmic scale too", () => {
    const inks = (z: { log?: boolean; range?: [number, number] }) =>
      heatmapFigure({ ...spec, z: { ...spec.z, ...z }, zValues: [[10, 1000]], text: [["low", "high"]] }).data.map(
        (trace) => [(trace["textfont"] as { color: string }).color, (trace["text"] as string[][])[0]],
      );
    const mixed = [
      ["#000000", ["\u00a0\u00a0\u00a0", "high"]],
      ["#ffffff", ["low", "\u00a0\u00a0\u00a0\u00a0"]],
    ];
    expect(inks({})).toEqual(mixed);
    expect(inks({ log: true })).toEqual(mixed);
    expect(inks({ log: true, range: [1e-6, 1000] })).toEqual([["#000000", ["low", "high"]]]);
  });

  test("refuses a text where there is no value, and texts that do not fit", () => {
    expect(() => heatmapFigure({ ...spec, zValues: [[1, null]], text: [["x", "y"]] })).toThrow(
      'the cell b, r has the text "y" and no value',
    );
    expect(() => heatmapFigure({ ...spec, zValues: [[1, 2]], text: [["x"]] })).toThrow("text needs 1 rows of 2");
  });
});
