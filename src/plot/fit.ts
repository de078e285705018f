/**
 * A figure fitted to the width that it has. Title, legend and labels are broken for it, and the figure grows as high as they need, so that
 * the data keep their room: on a phone a figure is higher, not smaller.
 *
 * This file imports nothing: the site's pages and JupyterLab's renderer run the same text in the browser.
 */

/** What a figure of plotly.js is made of. */
export interface Fittable {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** Measures a text: its width in pixels at a font size. */
export type Measure = (text: string, size: number) => number;

/** Narrower than this, a figure is that of a phone, in pixels. */
const phone = 560;
/** Letters of labels, in pixels; those of a phone are no smaller than this. */
const smallest = 11;
/** A line of them, and what stands below the rows of a figure: ticks and their title. */
const smallestLine = 14;
const belowRows = 70;
const titleSize = 16;
/** Bold letters, as titles have, are so much wider than those that are measured. */
const boldWider = 1.13;
const legendSize = 13;
const legendLine = 19;
/** What plotly draws before a legend's name, and leaves behind it, in pixels. */
const legendSample = 46;

/** Widths of letters where nothing can be measured: those of a wide sans-serif font. */
const estimated: Measure = (text, size) => text.length * size * 0.57;

type Loose = Record<string, unknown>;
const objectOf = (value: unknown): Loose => (value !== null && typeof value === "object" ? (value as Loose) : {});
const plain = (text: string): string => text.replace(/<br\s*\/?>/g, " ");
const shown = (text: string): string => text.replace(/<[^>]*>/g, "");

/** A text in lines of at most so many pixels; a longer word stays whole. */
function broken(text: string, width: number, size: number, measure: Measure): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && measure(shown(longer), size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The names that the legend shows. */
function namesOf(data: readonly Loose[]): string[] {
  return data
    .filter((trace) => trace["showlegend"] !== false && typeof trace["name"] === "string")
    .map((trace) => String(trace["name"]));
}

/** How many rows a horizontal legend takes: one where all names fit, else columns as wide as the widest. */
function legendRows(names: readonly string[], width: number, measure: Measure): number {
  const widths = names.map((name) => measure(shown(name), legendSize) + legendSample);
  if (widths.reduce((sum, one) => sum + one + 5, 0) < width) return 1;
  const columns = Math.max(1, Math.floor(width / (Math.max(...widths) + 5)));
  return Math.ceil(names.length / columns);
}

/** The axes of a layout: their names with what is set. */
function axesOf(layout: Loose, letter: "x" | "y"): [string, Loose][] {
  return Object.entries(layout)
    .filter(([name]) => new RegExp(`^${letter}axis\\d*$`).test(name))
    .map(([name, axis]) => [name, objectOf(axis)]);
}

/** The labels beside the rows of a figure: those of a category axis, or the texts of its ticks. */
function rowLabels(data: readonly Loose[], axis: Loose): string[] {
  const ticks = axis["ticktext"];
  if (Array.isArray(ticks)) return ticks.map(String);
  const values = data.flatMap((trace) => (Array.isArray(trace["y"]) ? (trace["y"] as unknown[]) : []));
  return [...new Set(values.filter((value) => typeof value === "string"))] as string[];
}

/** What stands left of the data, in pixels. */
function leftOf({ data, layout }: Fittable, size: number, measure: Measure): number {
  const axis = objectOf(layout["yaxis"]);
  if (axis["visible"] === false) return 12;
  const labels = rowLabels(data, axis).flatMap((label) => label.split(/<br\s*\/?>/));
  const title = objectOf(axis["title"])["text"] ? 30 : 10;
  return Math.max(56, title + Math.max(0, ...labels.map((label) => measure(shown(label), size))) + 12);
}

/** Row labels in lines for a narrow figure, and how much higher its rows must be. */
function narrowRows(figure: Fittable, width: number, measure: Measure): { axis: Loose; higher: number } | undefined {
  const axis = objectOf(figure.layout["yaxis"]);
  const labels = rowLabels(figure.data, axis);
  const room = 0.36 * width;
  if (labels.length === 0 || axis["visible"] === false) return undefined;
  const lines = labels.map((label) => broken(plain(label), room, smallest, measure));
  const before = labels.map((label) => label.split(/<br\s*\/?>/).length);
  const most = Math.max(...lines.map((of) => of.length));
  const grown = most - Math.max(...before);
  const { height, margin, meta } = figure.layout;
  const header = Number(objectOf(meta)["header"] ?? objectOf(margin)["t"] ?? 0);
  const row = (Number(height ?? 420) - header - belowRows) / labels.length;
  return {
    axis: {
      ...axis,
      tickmode: "array",
      tickvals: Array.isArray(axis["tickvals"]) ? axis["tickvals"] : labels,
      ticktext: lines.map((of) => of.join("<br>")),
      tickfont: { ...objectOf(axis["tickfont"]), size: smallest },
      title: { text: "" },
    },
    higher: Math.ceil(labels.length * Math.max(0, 9 * grown, smallestLine * most + 4 - row)),
  };
}

/** Panels one below the other, or two abreast, each as high as a figure of its own needs. */
function stackedPanels(layout: Loose, width: number): Loose {
  const xs = axesOf(layout, "x");
  const ys = axesOf(layout, "y");
  const across = width < 480 ? 1 : 2;
  const down = Math.ceil(xs.length / across);
  const panel = 190;
  const below = 62;
  const height = down * panel;
  const place = (i: number) => {
    const left = (i % across) / across;
    const top = 1 - Math.floor(i / across) / down;
    return {
      x: [left + (left > 0 ? 0.07 : 0), left + 1 / across - (across > 1 && left === 0 ? 0.03 : 0)],
      y: [top - (panel - 24) / height + (below - 24) / height, top - 24 / height],
    };
  };
  const own: Loose = {};
  for (const [i, [name, axis]] of xs.entries()) own[name] = { ...axis, domain: place(i).x };
  for (const [i, [name, axis]] of ys.entries()) own[name] = { ...axis, domain: place(i).y };
  const annotations = layout["annotations"];
  if (Array.isArray(annotations) && annotations.length === xs.length)
    own["annotations"] = annotations.map((note, i) => {
      const { x, y } = place(i);
      return { ...objectOf(note), x: (x[0] + x[1]) / 2, y: y[1] };
    });
  return { ...layout, ...own, height: height + 40 };
}

/** A map's cells on a phone: the short texts, no colour bar where the cells have texts. */
function narrowCells(trace: Loose): Loose {
  if (trace["type"] !== "heatmap" || trace["texttemplate"] === undefined) return trace;
  const short = objectOf(trace["meta"])["narrow"];
  return {
    ...trace,
    showscale: false,
    textfont: { ...objectOf(trace["textfont"]), size: smallest },
    ...(Array.isArray(short) ? { text: short } : {}),
  };
}

/** The words in a map's cells, in lines that fit the cells where they can, and how much higher the map must be for them. */
function brokenWords(figure: Fittable, width: number, measure: Measure): { data: Loose[]; higher: number } {
  const maps = figure.data.filter((trace) => trace["type"] === "heatmap");
  const scale = maps.some((trace) => trace["showscale"] !== false);
  const [columns, rows] = ["x", "y"].map((letter) => ((maps[0]?.[letter] as unknown[] | undefined) ?? []).length);
  const room = (width - leftOf(figure, smallest, measure) - (scale ? 90 : 16)) / Math.max(1, columns) - 8;
  let most = 1;
  const inLines = (word: unknown): unknown => {
    if (typeof word !== "string" || word.trim() === "" || /<br/.test(word) || measure(shown(word), 12) <= room)
      return word;
    const lines = broken(word, room, smallest, measure);
    most = Math.max(most, lines.length);
    return lines.join("<br>");
  };
  const texts = figure.data.map((trace) =>
    maps.includes(trace) && trace["texttemplate"] !== undefined && Array.isArray(trace["text"])
      ? (trace["text"] as unknown[]).map((row) => (Array.isArray(row) ? row.map(inLines) : row))
      : undefined,
  );
  if (most === 1) return { data: figure.data, higher: 0 };
  const data = figure.data.map((trace, i) =>
    texts[i] === undefined
      ? trace
      : { ...trace, text: texts[i], textfont: { ...objectOf(trace["textfont"]), size: smallest } },
  );
  return { data, higher: rows * 7 * (most - 1) };
}

/** How wide a map must be so that the words in its cells do not run into each other; 0 for a figure without such words. */
function roomForWords({ data, layout }: Fittable, measure: Measure): number {
  const maps = data.filter((trace) => trace["type"] === "heatmap" && trace["texttemplate"] !== undefined);
  const widths = maps.map((trace) => {
    const words = (Array.isArray(trace["text"]) ? trace["text"] : []).flat() as unknown[];
    const lines = words.flatMap((word) => String(word ?? "").split(/<br\s*\/?>/));
    const columns = Array.isArray(trace["x"]) ? trace["x"].length : 1;
    return columns * (Math.max(0, ...lines.map((line) => measure(shown(line), smallest))) + 14);
  });
  return widths.length === 0 ? 0 : Math.ceil(leftOf({ data, layout }, smallest, measure) + Math.max(...widths) + 20);
}

/** A logarithmic axis on a phone: a label at each value where there are few, else at powers of ten, so that they stand apart. */
function narrowLogAxis(data: readonly Loose[], axis: Loose, letter: "x" | "y", name: string): Loose {
  if (axis["type"] !== "log" || axis["tickmode"] === "array") return axis;
  const own = name.replace("axis", "");
  const values = data
    .filter((trace) => (trace[`${letter}axis`] ?? letter) === own && Array.isArray(trace[letter]))
    .flatMap((trace) => trace[letter] as unknown[])
    .filter((value): value is number => typeof value === "number" && value > 0);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length < 2) return axis;
  const apart = distinct.every((value, i) => i === 0 || value / distinct[i - 1] > 1.4);
  if (distinct.length <= 4 && apart)
    return {
      ...axis,
      tickmode: "array",
      tickvals: distinct,
      ticktext: distinct.map((value) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 })),
      minor: { ticks: "" },
    };
  return distinct[distinct.length - 1] / distinct[0] >= 100 ? { ...axis, dtick: 1 } : axis;
}

/** Ticks that were chosen for a wide figure: on a phone, where they would lie on each other, powers of ten alone or every second one. */
function fewerTicks(axis: Loose, room: number, measure: Measure): Loose {
  const { tickvals, ticktext } = axis;
  if (axis["type"] !== "log" || !Array.isArray(tickvals) || !Array.isArray(ticktext)) return axis;
  const taken = ticktext.reduce((sum: number, text) => sum + measure(shown(String(text)), 12) + 8, 0);
  if (taken <= room) return axis;
  const powers = tickvals.map((value) => /^(?:10*|0\.0*1)$/.test(String(value)));
  const words = ticktext.map((text) => !/\d/.test(String(text)));
  const kept = (i: number): boolean => words[i] || (powers.filter(Boolean).length > 2 ? powers[i] : i % 2 === 0);
  return { ...axis, tickvals: tickvals.filter((_, i) => kept(i)), ticktext: ticktext.filter((_, i) => kept(i)) };
}

/** Titles of the horizontal axes in lines that fit, and how much lower the figure reaches for them. */
function narrowTitles(layout: Loose, room: number, measure: Measure): { layout: Loose; higher: number } {
  let most = 1;
  let own = layout;
  for (const [name, axis] of axesOf(layout, "x")) {
    const title = objectOf(axis["title"]);
    if (typeof title["text"] !== "string") continue;
    const lines = broken(plain(title["text"]), room, 13, measure);
    most = Math.max(most, lines.length);
    own = { ...own, [name]: { ...axis, title: { ...title, text: lines.join("<br>") } } };
  }
  return { layout: own, higher: 16 * (most - 1) };
}

/** Labels of columns in lines that do not fit beside each other on a phone: in one line each, slanted, so that none lies on the next. */
function narrowColumns(axis: Loose, room: number, measure: Measure): Loose {
  const labels = axis["ticktext"];
  if (!Array.isArray(labels) || labels.length === 0) return axis;
  const lines = labels.flatMap((label) => String(label).split(/<br\s*\/?>/));
  const widest = Math.max(...lines.map((line) => measure(shown(line), smallest)));
  if (lines.length === labels.length || widest < room / labels.length) return axis;
  return {
    ...axis,
    ticktext: labels.map((label) => String(label).replace(/<br\s*\/?>/g, " ")),
    tickangle: -60,
    automargin: true,
    tickfont: { ...objectOf(axis["tickfont"]), size: smallest },
  };
}

/**
 * Fits a figure of the house style to a width: returns a new one, of which the height follows.
 * @param figure traces and layout, as a figure of the house style has them; one fitted before may be fitted again
 * @param width the width that it has, in CSS pixels
 * @param measure measures texts in the page's font; without it, widths are estimated
 */
export function fitted(figure: Fittable, width: number, measure: Measure = estimated): Fittable {
  const narrow = width < phone;
  let { data, layout } = figure;
  const panels = axesOf(layout, "x").length;
  if (narrow && panels >= 3) layout = stackedPanels(layout, width);
  let higher = 0;
  if (narrow) {
    data = data.map(narrowCells);
    const rows = panels < 3 ? narrowRows({ data, layout }, width, measure) : undefined;
    if (rows) {
      layout = { ...layout, yaxis: rows.axis };
      higher = rows.higher;
    }
    for (const [name, axis] of axesOf(layout, "x"))
      layout = { ...layout, [name]: narrowLogAxis(data, axis, "x", name) };
  }
  const inCells = brokenWords({ data, layout }, width, measure);
  data = inCells.data;
  // A figure that was fitted before is higher by its words already.
  higher += inCells.higher - Number(objectOf(layout["meta"])["words"] ?? 0);
  const words = narrow ? roomForWords({ data, layout }, measure) : 0;
  if (narrow && panels < 3) {
    const room = Math.max(width, words) - leftOf({ data, layout }, smallest, measure) - 16;
    for (const [name, axis] of axesOf(layout, "x"))
      layout = { ...layout, [name]: fewerTicks(narrowColumns(axis, room, measure), room, measure) };
  }
  // A figure that was fitted to a phone before has its titles in lines.
  const titlesBefore = Number(objectOf(layout["meta"])["titles"] ?? 0);
  if (panels < 3 && (narrow || titlesBefore > 0)) {
    const room = narrow ? Math.max(width, words) - leftOf({ data, layout }, smallest, measure) - 16 : width;
    const titles = narrowTitles(layout, room, measure);
    layout = { ...titles.layout, meta: { ...objectOf(layout["meta"]), titles: titles.higher || undefined } };
    higher += titles.higher - titlesBefore;
  }
  const size = narrow ? 12 : 13;
  const margin = objectOf(layout["margin"]);
  const before = Number(objectOf(layout["meta"])["header"] ?? margin["t"] ?? 0);

  // The title on top, then the legend's rows, then the data.
  const given = objectOf(layout["title"]);
  const titleFont = narrow ? 14.5 : titleSize;
  const titleLine = Math.round(titleFont * 1.3);
  const titleWords = typeof given["text"] === "string" ? plain(given["text"]) : "";
  const lines = titleWords === "" ? [] : broken(titleWords, width - 28, titleFont * boldWider, measure);
  const title = {
    ...given,
    text: lines.join("<br>"),
    font: { ...objectOf(given["font"]), size: titleFont, weight: 600 },
    // plotly centres a title of several lines around its first one.
    pad: { l: 12, t: 12 + (titleLine / 2) * Math.max(0, lines.length - 1) },
  };
  const head = 12 + titleLine * lines.length + 12;
  const names = namesOf(data);
  const legend = objectOf(layout["legend"]);
  const ours = legend["orientation"] === "h" && legend["yanchor"] === "bottom";
  const left = leftOf({ data, layout }, narrow ? smallest : size, measure);
  const rows = ours && names.length > 1 ? legendRows(names, width - left - 16, measure) : 0;
  const header = head + (rows > 0 ? legendLine * rows + 10 : 0);
  const top = Number(margin["t"] ?? before) - before + header;
  const height = Number(layout["height"] ?? 420) - before + header + higher;
  return {
    data,
    layout: {
      ...layout,
      title,
      height,
      margin: { ...margin, t: top, ...(narrow ? { l: Math.min(Number(margin["l"] ?? 48), 48), r: 10 } : {}) },
      // Wider than the page: drawn so wide, in a box that scrolls.
      meta: {
        ...objectOf(layout["meta"]),
        header,
        wide: words > width ? words : undefined,
        words: inCells.higher || undefined,
      },
      ...(ours ? { legend: { ...legend, font: { size: narrow ? 12 : legendSize } } } : {}),
      ...(narrow ? { font: { ...objectOf(layout["font"]), size } } : {}),
    },
  };
}
