import { describe, expect, it } from "vitest";
import { barFigure, figureSvg, lineFigure } from "../../src/plot/index.js";

const line = (layout = {}) =>
  lineFigure({
    title: "t",
    caption: "c",
    x: { title: "time", unit: "s" },
    y: { title: "value", unit: "W" },
    series: [
      { name: "a", x: [0, 10], y: [0, 100] },
      { name: "b", x: [0, 10], y: [100, 0], low: [90, 0], high: [110, 10] },
    ],
    layout,
  });

describe("a figure as SVG", () => {
  it("has its axes' titles, a tick at round values and a name for each line", () => {
    const svg = figureSvg(line());
    for (const text of ["time (s)", "value (W)", ">0<", ">20<", ">100<", ">a<", ">b<"]) expect(svg).toContain(text);
  });

  it("draws the higher value higher", () => {
    const ys = [...figureSvg(line()).matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    // The legend's sample comes last; the first two are the ends of line a.
    expect(ys[0]).toBeGreaterThan(ys[1]);
  });

  it("spaces a logarithmic axis by factors", () => {
    const svg = figureSvg(
      lineFigure({
        title: "t",
        caption: "c",
        x: { title: "x", unit: "" },
        y: { title: "y", unit: "", log: true },
        series: [{ name: "a", x: [1, 2, 3], y: [1, 10, 100] }],
      }),
    );
    const [a, b, c] = [...svg.matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(a - b).toBeCloseTo(b - c, 1);
  });

  it("stacks bars, and lays them where they should lie", () => {
    const bars = (lying: boolean) =>
      figureSvg(
        barFigure({
          title: "t",
          caption: "c",
          categories: ["one", "two"],
          x: { title: "x", unit: "" },
          y: { title: "y", unit: "" },
          series: [
            { name: "p", values: [10, 20] },
            { name: "q", values: [30, 40] },
          ],
          stacked: true,
          lying,
        }),
      );
    const box = (svg: string, of: "width" | "height") =>
      [...svg.matchAll(new RegExp(`<rect [^>]*?\\b${of}="([\\d.]+)"`, "g"))].map(([, value]) => Number(value));
    const standing = box(bars(false), "height");
    expect(standing[1] / standing[0]).toBeCloseTo(2, 1);
    const lying = box(bars(true), "width");
    expect(lying[3] / lying[2]).toBeCloseTo(4 / 3, 1);
  });

  it("sets thousands apart, also where a step's sum misses them by a hair", () => {
    const svg = figureSvg(
      lineFigure({
        title: "t",
        caption: "c",
        x: { title: "x", unit: "" },
        y: { title: "y", unit: "" },
        series: [{ name: "a", x: [0, 1], y: [0, 6500] }],
      }),
    );
    expect(svg).toContain(">1,000<");
    expect(svg).not.toContain(">1000<");
  });

  it("escapes names and takes no colour that is none", () => {
    const svg = figureSvg({
      data: [
        { type: "scatter", name: "<script>", x: [0], y: [1], marker: { color: 'red"/><script>' } },
        { type: "scatter", name: "&", x: [0], y: [2] },
      ],
      layout: {},
      alt: '"><script>',
    });
    expect(svg).not.toContain("<script>");
    expect(svg).toContain("&lt;script&gt;");
  });

  it("refuses a trace that it cannot draw", () => {
    expect(() => figureSvg({ data: [{ type: "heatmap" }], layout: {}, alt: "" })).toThrow("heatmap cannot be drawn");
  });
});
