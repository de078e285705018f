/**
 * A figure as an SVG that stands by itself: no script draws it, it prints as it is, and takes its colours of text and lines from the page
 * (`currentColor`), so that it is readable on light and on dark paper. Lines, markers, bands and bars are drawn; nothing else is needed by it.
 */

import { columnWidth } from "./style.js";
import { type Scale, scaleOf } from "./svg-scale.js";

type Loose = Record<string, unknown>;
const objectOf = (value: unknown): Loose => (value !== null && typeof value === "object" ? (value as Loose) : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** What of a figure is drawn. */
export interface Drawable {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
  alt: string;
}

const size = 12;
const letter = 6.6;
const legendLine = 18;

/** Text as it may stand in an SVG, in content and in attributes. */
function escaped(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML allows none of them
  const plain = String(text).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "");
  return plain.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}

const at = (value: number): string => String(Math.round(value * 100) / 100);
const plainText = (text: unknown): string => String(text ?? "").replace(/<br\s*\/?>/g, " ");

/**
 * Draws a figure of the house style as SVG.
 * @param figure lines, markers, bands and bars on one pair of axes
 * @param width in CSS pixels
 * @throws Error for a kind of trace that it cannot draw
 */
export function figureSvg(figure: Drawable, width: number = columnWidth): string {
  const { data, layout } = figure;
  const lying = data.some((trace) => trace["orientation"] === "h");
  const x = scaleOf(data, layout, "x", lying);
  const y = scaleOf(data, layout, "y", lying);
  const named = data.filter((trace) => trace["showlegend"] !== false && typeof trace["name"] === "string");
  const legend = named.length > 1 ? legendOf(named, width) : { svg: "", height: 0 };
  const labels = y.ticks.flatMap(({ text }) => text.split("\n").map((line) => line.length));
  const left = 26 + Math.max(18, letter * Math.max(0, ...labels)) + 8;
  const top = legend.height + 10;
  const bottom = 46 + (x.category ? 14 * (Math.max(1, ...x.ticks.map(({ text }) => text.split("\n").length)) - 1) : 0);
  const plotHeight = lying ? Math.max(160, 34 * y.ticks.length) : 250;
  const height = top + plotHeight + bottom;
  x.place(left, width - 14);
  y.place(top + plotHeight, top);
  const parts = [
    axes(x, y, { left, right: width - 14, top, bottom: top + plotHeight }),
    ...drawn(data, layout, x, y, lying),
    legend.svg,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${at(height)}" width="${width}" height="${at(height)}" role="img" aria-label="${escaped(figure.alt)}" font-size="${size}" fill="currentColor">${parts.join("")}</svg>`;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function axes(x: Scale, y: Scale, box: Box): string {
  const parts: string[] = [];
  const grid = (d: string): string => `<path d="${d}" stroke="currentColor" stroke-opacity="0.15" fill="none"/>`;
  for (const { value, text } of y.ticks) {
    const to = y.at(value);
    if (!y.category) parts.push(grid(`M${at(box.left)} ${at(to)}H${at(box.right)}`));
    const lines = text.split("\n");
    lines.forEach((line, i) => {
      const shift = 4 + (i - (lines.length - 1) / 2) * 13;
      parts.push(`<text x="${at(box.left - 7)}" y="${at(to + shift)}" text-anchor="end">${escaped(line)}</text>`);
    });
  }
  for (const { value, text } of x.ticks) {
    const to = x.at(value);
    if (!x.category) parts.push(grid(`M${at(to)} ${at(box.top)}V${at(box.bottom)}`));
    text.split("\n").forEach((line, i) => {
      parts.push(
        `<text x="${at(to)}" y="${at(box.bottom + 17 + 14 * i)}" text-anchor="middle">${escaped(line)}</text>`,
      );
    });
  }
  const rest = `M${at(box.left)} ${at(box.top)}V${at(box.bottom)}H${at(box.right)}`;
  parts.push(`<path d="${rest}" stroke="currentColor" stroke-opacity="0.5" fill="none"/>`);
  const deep = 14 * (Math.max(1, ...x.ticks.map(({ text }) => text.split("\n").length)) - 1);
  if (x.title !== "")
    parts.push(
      `<text x="${at((box.left + box.right) / 2)}" y="${at(box.bottom + 38 + deep)}" text-anchor="middle">${escaped(x.title)}</text>`,
    );
  if (y.title !== "") {
    const middle = (box.top + box.bottom) / 2;
    parts.push(
      `<text transform="translate(14 ${at(middle)}) rotate(-90)" text-anchor="middle">${escaped(y.title)}</text>`,
    );
  }
  return parts.join("");
}

function legendOf(traces: readonly Loose[], width: number): { svg: string; height: number } {
  let [left, top] = [4, 12];
  const parts: string[] = [];
  for (const trace of traces) {
    const name = plainText(trace["name"]);
    const needs = 30 + letter * name.length + 16;
    if (left + needs > width && left > 4) {
      left = 4;
      top += legendLine;
    }
    parts.push(sample(trace, left, top), `<text x="${at(left + 30)}" y="${at(top + 4)}">${escaped(name)}</text>`);
    left += needs;
  }
  return { svg: parts.join(""), height: top + legendLine / 2 + 4 };
}

function sample(trace: Loose, left: number, middle: number): string {
  const colour = colourOf(trace);
  if (trace["type"] === "bar")
    return `<rect x="${at(left + 5)}" y="${at(middle - 6)}" width="16" height="12" fill="${colour}"/>`;
  const mode = String(trace["mode"] ?? "lines");
  const line = mode.includes("lines") ? stroked(`M${left} ${middle}H${left + 24}`, trace) : "";
  return `${line}${mode.includes("markers") ? marker(trace, left + 12, middle) : ""}`;
}

/** A colour of a trace; whatever is no colour is drawn grey. */
function colourOf(trace: Loose): string {
  const { color } = objectOf(trace["line"]);
  const own = color ?? objectOf(trace["marker"])["color"];
  return typeof own === "string" && /^(?:#[0-9a-f]{6}|rgba?\([\d.,\s]+\))$/i.test(own) ? own : "#7f7f7f";
}

function stroked(path: string, trace: Loose): string {
  const line = objectOf(trace["line"]);
  const dash = { dash: "7 4", dot: "2 3", dashdot: "7 3 2 3" }[String(line["dash"])];
  return `<path d="${path}" fill="none" stroke="${colourOf(trace)}" stroke-width="${Number(line["width"] ?? 2)}" stroke-linejoin="round"${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}/>`;
}

const symbols: readonly string[] = [
  "circle",
  "square",
  "diamond",
  "cross",
  "x",
  "triangle-up",
  "triangle-down",
  "triangle-left",
];

/** A marker around (x, y). */
function marker(trace: Loose, x: number, y: number): string {
  const given = objectOf(trace["marker"])["symbol"] ?? "circle";
  const name = typeof given === "number" ? (symbols[given % symbols.length] as string) : String(given);
  const open = name.endsWith("-open");
  const colour = colourOf(trace);
  const paint = open ? `fill="none" stroke="${colour}" stroke-width="2"` : `fill="${colour}"`;
  const path = (d: string) => `<path d="${d}" ${paint}/>`;
  const p = (dx: number, dy: number) => `${at(x + dx)} ${at(y + dy)}`;
  switch (name.replace(/-open$/, "")) {
    case "square":
      return path(`M${p(-3.6, -3.6)}h7.2v7.2h-7.2z`);
    case "diamond":
      return path(`M${p(0, -4.8)}L${p(4.8, 0)}L${p(0, 4.8)}L${p(-4.8, 0)}z`);
    case "cross":
    case "x":
    case "star": {
      const turn = name.startsWith("cross") ? [4.4, 0, 0, 4.4] : [3.4, 3.4, 3.4, -3.4];
      const [a, b, c, d] = turn;
      return `<path d="M${p(-a, -b)}L${p(a, b)}M${p(-c, -d)}L${p(c, d)}" stroke="${colour}" stroke-width="2.4" fill="none"/>`;
    }
    case "triangle-up":
      return path(`M${p(0, -4.6)}L${p(4.4, 3.4)}L${p(-4.4, 3.4)}z`);
    case "triangle-down":
      return path(`M${p(0, 4.6)}L${p(4.4, -3.4)}L${p(-4.4, -3.4)}z`);
    default:
      return `<circle cx="${at(x)}" cy="${at(y)}" r="3.8" ${paint}/>`;
  }
}

function drawn(data: readonly Loose[], layout: Loose, x: Scale, y: Scale, lying: boolean): string[] {
  const bars = data.filter((trace) => trace["type"] === "bar");
  const stacked = layout["barmode"] === "stack";
  const base = new Map<unknown, number>();
  return data.map((trace) => {
    if (trace["type"] === "bar") return bar(trace, bars.indexOf(trace), bars.length, { x, y, lying, stacked, base });
    if (trace["type"] !== "scatter") throw new Error(`a trace of the type ${String(trace["type"])} cannot be drawn`);
    return scatter(trace, x, y);
  });
}

function scatter(trace: Loose, x: Scale, y: Scale): string {
  const xs = listOf(trace["x"]);
  const ys = listOf(trace["y"]);
  const points = xs.map((one, i): [number, number] => [x.at(one), y.at(ys[i])]);
  const parts: string[] = [];
  const mode = String(trace["mode"] ?? "lines");
  if (mode.includes("lines")) {
    let path = "";
    let pen = "M";
    for (const [px, py] of points) {
      if (Number.isFinite(px) && Number.isFinite(py)) {
        path += `${pen}${at(px)} ${at(py)}`;
        pen = "L";
      } else pen = "M";
    }
    if (trace["fill"] === "toself") {
      const fill = String(trace["fillcolor"] ?? "");
      const safe = /^rgba?\([\d.,\s]+\)$/.test(fill) ? fill : "rgba(127,127,127,0.2)";
      parts.push(`<path d="${path}z" fill="${safe}"/>`);
    } else if (path !== "") parts.push(stroked(path, trace));
  }
  parts.push(intervals(trace, points, x, y));
  if (mode.includes("markers"))
    for (const [px, py] of points) if (Number.isFinite(px) && Number.isFinite(py)) parts.push(marker(trace, px, py));
  return parts.join("");
}

/** Error bars, where a trace has them. */
function intervals(trace: Loose, points: readonly [number, number][], x: Scale, y: Scale): string {
  const parts: string[] = [];
  for (const [letterOf, scale] of [
    ["x", x],
    ["y", y],
  ] as const) {
    const error = objectOf(trace[`error_${letterOf}`]);
    const above = listOf(error["array"]);
    const below = listOf(error["arrayminus"]);
    const values = listOf(trace[letterOf]);
    for (const [i, [px, py]] of points.entries()) {
      if (above[i] === undefined || !Number.isFinite(px) || !Number.isFinite(py)) continue;
      const value = Number(values[i]);
      const to = scale.at(value + Number(above[i]));
      const low = value - Number(below[i] ?? above[i]);
      const from = scale.at(scale.log ? Math.max(low, scale.low) : low);
      const d =
        letterOf === "y"
          ? `M${at(px)} ${at(from)}V${at(to)}M${at(px - 4)} ${at(from)}h8M${at(px - 4)} ${at(to)}h8`
          : `M${at(from)} ${at(py)}H${at(to)}M${at(from)} ${at(py - 4)}v8M${at(to)} ${at(py - 4)}v8`;
      parts.push(`<path d="${d}" stroke="${colourOf(trace)}" stroke-width="1.5" fill="none"/>`);
    }
  }
  return parts.join("");
}

interface Bars {
  x: Scale;
  y: Scale;
  lying: boolean;
  stacked: boolean;
  base: Map<unknown, number>;
}

function bar(trace: Loose, index: number, count: number, { x, y, lying, stacked, base }: Bars): string {
  const [along, across] = lying ? [y, x] : [x, y];
  const categories = listOf(trace[lying ? "y" : "x"]);
  const values = listOf(trace[lying ? "x" : "y"]);
  const width = Math.min(60, along.step * 0.75);
  const own = stacked ? width : width / count;
  const colour = colourOf(trace);
  const parts: string[] = [];
  const centres: [number, number][] = [];
  for (const [i, category] of categories.entries()) {
    const value = Number(values[i]);
    const from = stacked ? (base.get(category) ?? 0) : 0;
    const centre = along.at(category) + (stacked ? 0 : (index - (count - 1) / 2) * own);
    const [a, b] = [across.at(from), across.at(from + value)];
    if (stacked) base.set(category, from + value);
    centres.push(lying ? [b, centre] : [centre, b]);
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    const [low, size_] = [Math.min(a, b), Math.abs(a - b)];
    parts.push(
      lying
        ? `<rect x="${at(low)}" y="${at(centre - own / 2)}" width="${at(size_)}" height="${at(own)}" fill="${colour}"/>`
        : `<rect x="${at(centre - own / 2)}" y="${at(low)}" width="${at(own)}" height="${at(size_)}" fill="${colour}"/>`,
    );
  }
  return parts.join("") + intervals({ ...trace, marker: { color: "#7f7f7f" } }, centres, x, y);
}
