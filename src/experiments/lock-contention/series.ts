import type { Row } from "../frame/experiment.js";
import { distinct, estimate, where } from "./estimate.js";

/** A column that a configuration can sweep, and how a legend says its values. */
type Splitter = [column: string, say: (value: Row[string]) => string];
const named =
  (name: string) =>
  (value: Row[string]): string =>
    `${name} ${value}`;

/** Columns that a configuration can sweep, with words for a legend; the ones that vary besides cores split the lines. */
const splitters: readonly Splitter[] = [
  ["lock", (value) => `${value} lock`],
  ["profile", named("profile")],
  ["ats", (value) => (value ? "ATS" : "no ATS")],
  ["coherent", (value) => (value ? "coherent walks" : "clflush")],
  ["staticMaps", named("static maps")],
  ["holes", named("holes")],
  ["mapsPerSide", named("maps a side")],
  ["stackMicroseconds", named("stack µs")],
  ["stackLines", named("stack lines")],
  ["twoPageShare", named("two-page share")],
  ["storeOverlap", named("store overlap")],
  ["invalidationCycles", named("invalidation cycles")],
  ["serialShare", named("serial share")],
  ["handoffPercent", named("hand-off %")],
  ["handoffCycles", (value) => (value === null ? "hand-off as the caches make it" : `${value} cycles a waiter`)],
];

const threads: Splitter = ["threads", named("threads")];

/** Rows of one line or column of a picture. */
export interface Group {
  name: string;
  rows: Row[];
  /** Its place among all groups, those included that a figure leaves out: it decides the colour. */
  place: number;
}

/**
 * Rows in groups that differ in nothing but the axis and the replication; each with a name that says what is special. The way of
 * mapping stands in the name where there are several, or where nothing else is special.
 */
export function seriesOf(rows: readonly Row[]): Group[] {
  // Where cores and threads vary both, cores are the axis.
  const splits = distinct(rows, "cores").length > 1 ? [...splitters, threads] : splitters;
  const varying = splits.filter(([column]) => distinct(rows, column).length > 1);
  const titled = varying.length === 0 || distinct(rows, "title").length > 1;
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const special = varying.map(([column, say]) => say(row[column]));
    const name = (titled ? [row["title"], ...special] : special).join(" · ");
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return [...groups].map(([name, members], place) => ({ name, rows: members, place }));
}

/** A line of a picture: a column's means over cores or threads, with their intervals. */
export interface Line {
  name: string;
  place: number;
  x: number[];
  y: number[];
  low: number[];
  high: number[];
}

/** The groups as lines over cores or threads. */
export function linesOf(groups: readonly Group[], axis: "cores" | "threads", column: string, scale = 1): Line[] {
  return groups.map(({ name, rows, place }) => {
    const x = distinct<number>(rows, axis).sort((a, b) => a - b);
    const at = x.map((value) => estimate(where(rows, { [axis]: value }), column));
    return {
      name,
      place,
      x,
      y: at.map((e) => e.mean * scale),
      low: at.map((e) => e.low * scale),
      high: at.map((e) => e.high * scale),
    };
  });
}

/** The axis that the rows vary along: cores, unless only the threads do. */
export const axisOf = (rows: readonly Row[]): "cores" | "threads" =>
  distinct(rows, "cores").length === 1 && distinct(rows, "threads").length > 1 ? "threads" : "cores";
