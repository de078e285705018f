import { wrap } from "../../plot/index.js";

/** A label of two lines, as even as the words allow; a short one stays in one. */
function inTwoLines(label: string): string {
  if (label.length <= 10) return label;
  const words = label.split(" ");
  const lines = words.slice(1).map((_, i) => [words.slice(0, i + 1).join(" "), words.slice(i + 1).join(" ")]);
  const length = (pair: readonly string[]): number => Math.max(...pair.map((line) => line.length));
  return (lines.toSorted((a, b) => length(a) - length(b))[0] ?? [label]).join("<br>");
}

/** More columns than this have labels of one line, or lines of neighbours would meet where the page is narrow. */
const fewColumns = 7;

/**
 * An axis with a label under each column of a map, that can be read on a page and on a phone: upright where there is room, else slanted
 * towards the free space on the left.
 */
export function columnTicks(labels: readonly string[]): Record<string, unknown> {
  return {
    tickmode: "array",
    tickvals: [...labels],
    ticktext: labels.length <= fewColumns ? labels.map(inTwoLines) : [...labels],
    tickfont: { size: 11 },
    autotickangles: [0, -30, -45, -60, -90],
    automargin: true,
  };
}

/**
 * An axis with a label beside each row, the first row on top.
 * @param characters the longest line: what the labels take is lost to the columns
 */
export function rowTicks(labels: readonly string[], characters: number): Record<string, unknown> {
  return {
    autorange: "reversed",
    tickmode: "array",
    tickvals: [...labels],
    ticktext: labels.map((label) => wrap(label, characters)),
    tickfont: { size: 11 },
    automargin: true,
  };
}
