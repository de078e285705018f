import { distinct } from "../frame/rows.js";
import type { Line } from "./series.js";

// What to see in a picture, joined from the rows that it is drawn from: the same figure serves runs of very different settings.

/** Longer lists are left to the picture. */
const most = 8;

const last = <T>(values: readonly T[]): T => values[values.length - 1];
const counted = (n: number, axis: "cores" | "threads"): string => `${n} ${n === 1 ? axis.slice(0, -1) : axis}`;

/** "At 16 cores: off 990; deferred 182.", the most first; nothing where the list would be long. */
export function atTheEnd(lines: readonly Line[], axis: "cores" | "threads", say: (value: number) => string): string {
  if (lines.length === 0 || lines.length > most) return "";
  const end = Math.max(...lines.map((line) => last(line.x)));
  const there = lines.filter((line) => last(line.x) === end).sort((a, b) => last(b.y) - last(a.y));
  return `At ${counted(end, axis)}: ${there.map((line) => `${line.name} ${say(last(line.y))}`).join("; ")}.`;
}

/** Which lines fall at the end, and where they were highest: only what their intervals bear out. */
export function falling(lines: readonly Line[], axis: "cores" | "threads"): string {
  const tops = lines.flatMap(({ name, x, y, low, high }) => {
    const top = y.indexOf(Math.max(...y));
    // A single run has no interval: a twentieth is more than two runs differ by.
    const falls = low[top] > last(high) && last(y) < 0.95 * y[top];
    return x.length > 2 && falls ? [`${name} does most at ${x[top]}`] : [];
  });
  return tops.length > 0 && tops.length <= most ? `More ${axis} give less: ${tops.join("; ")}.` : "";
}

/** From how many threads on each line is within a twentieth of its highest point. */
export function levelling(lines: readonly Line[]): string {
  if (lines.length > most) return "";
  const from = lines.map(
    ({ name, x, y }) => `${name} from ${x[y.findIndex((value) => value > 0.95 * Math.max(...y))]}`,
  );
  return `Nearly its most: ${from.join("; ")} on.`;
}

/** What the bars are, where there are any. */
export const intervals = (rows: readonly { readonly replication: number }[]): string =>
  distinct(rows, "replication").length > 1
    ? "Bars are 95 % intervals over independent runs."
    : "Each point is one run, so it has no interval.";

/** Sentences as one text. */
export const joined = (...sentences: string[]): string => sentences.filter((sentence) => sentence !== "").join(" ");
