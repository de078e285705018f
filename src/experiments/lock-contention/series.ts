import type { Knob, KnobValue } from "../../host/index.js";
import { type Look, lookOf, looks, palette } from "../../plot/index.js";
import { allKnobs } from "../frame/knob-fields.js";
import { distinct, estimate, type Quantity } from "../frame/rows.js";
import type { LockContentionRow } from "./rows.js";

/** A knob's value in a row; undefined where it was not set. */
const cell = (row: LockContentionRow, knob: string): KnobValue | null | undefined =>
  row[knob as keyof LockContentionRow];
/** How many values of a knob there are. */
const values = (rows: readonly LockContentionRow[], knob: string): number =>
  distinct(rows, knob as keyof LockContentionRow).length;

/** Knobs that split the lines of a picture where they vary; cores are the axis, and threads where cores do not vary. */
const splitters = (rows: readonly LockContentionRow[]): readonly Knob[] => {
  const coresVary = distinct(rows, "cores").length > 1;
  return allKnobs().filter(({ name }) => name !== "cores" && (coresVary || name !== "threads"));
};

/** Rows of one line or column of a picture. */
export interface Group<R extends LockContentionRow = LockContentionRow> {
  name: string;
  rows: R[];
  /** The colour of its way of mapping; where every group has the same one, a colour of its own. */
  look: Look;
}

const symbols = ["circle", "square", "diamond", "cross", "x", "triangle-up", "pentagon", "star"] as const;

/** Looks for groups, of which several may be of one way of mapping. */
function looksOf(variants: readonly string[]): Look[] {
  const own = (name: string): Look | undefined => (Object.hasOwn(looks.way, name) ? lookOf("way", name) : undefined);
  const one = new Set(variants).size < 2;
  return variants.map((name, i) => {
    if (one && variants.length > 1) return { colour: palette[i % palette.length], symbol: symbols[i % symbols.length] };
    const among = variants.slice(0, i).filter((other) => other === name).length;
    const look = own(name) ?? { colour: palette[i % palette.length] };
    return among === 0 ? look : { ...look, symbol: symbols[among % symbols.length] };
  });
}

/**
 * Rows in groups that differ in nothing but the axis and the replication; each with a name that says what is special. The way of
 * mapping stands in the name where there are several, or where nothing else is special.
 */
export function seriesOf(rows: readonly LockContentionRow[]): Group[] {
  const varying = splitters(rows).filter(({ name }) => values(rows, name) > 1);
  const titled = varying.length === 0 || distinct(rows, "title").length > 1;
  const groups = new Map<string, LockContentionRow[]>();
  for (const row of rows) {
    const special = varying.map(({ name: knob, say }) => say(cell(row, knob) ?? "modelled"));
    const name = (titled ? [row.title, ...special] : special).join(" · ");
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  const drawn = looksOf([...groups.values()].map(([first]) => first.variant));
  return [...groups].map(([name, members], i) => ({ name, rows: members, look: drawn[i] }));
}

/** A line of a picture: a column's means over cores or threads, with their intervals. */
export interface Line {
  name: string;
  look: Look;
  x: number[];
  y: number[];
  low: number[];
  high: number[];
}

/** What the groups differ in, in words for a title: "ways of mapping", "ATS and page walks". */
export function comparedIn(rows: readonly LockContentionRow[]): string {
  const differ = splitters(rows)
    .filter(({ name }) => values(rows, name) > 1)
    .map(({ topic }) => topic);
  const variants = distinct(rows, "variant");
  const titles = distinct(rows, "title");
  const ways =
    variants.length === 1
      ? [titles[0]]
      : variants.some((name) => name.includes("thread-"))
        ? ["Linux v4.3 and the thread's wording"]
        : titles.length <= 3
          ? [listed(titles.map((title) => title.replace(/ \(v4\.3( default)?\)/, "")))]
          : [`${titles.length} ways of mapping`];
  return differ.length > 0 ? `${ways.join()}: ${listed(differ)}` : ways.join();
}

/** "a, b and c". */
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;

/** The groups as lines over cores or threads. */
export function linesOf<R extends LockContentionRow>(
  groups: readonly Group<R>[],
  axis: "cores" | "threads",
  of: Quantity<R>,
  scale = 1,
): Line[] {
  return groups.map(({ name, rows, look }) => {
    const x = distinct<R, "cores" | "threads">(rows, axis).sort((a, b) => a - b);
    const at = x.map((value) =>
      estimate(
        rows.filter((row) => row[axis] === value),
        of,
      ),
    );
    return {
      name,
      look,
      x,
      y: at.map((e) => e.mean * scale),
      low: at.map((e) => e.low * scale),
      high: at.map((e) => e.high * scale),
    };
  });
}

/** The axis that the rows vary along: cores, unless only the threads do. */
export const axisOf = (rows: readonly LockContentionRow[]): "cores" | "threads" =>
  distinct(rows, "cores").length === 1 && distinct(rows, "threads").length > 1 ? "threads" : "cores";
