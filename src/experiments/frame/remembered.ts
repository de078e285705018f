/** Points whose rows are known from before: what keeps them is the business of whoever runs experiments. */
import type { Facts } from "../../facts/index.js";
import type { Row } from "./row.js";

/**
 * Rows of points that were computed before, wherever they are kept. What is given must have been computed by the same code, for the same point,
 * from the same records and files of the facts, so that it is what computing would give.
 */
export interface RememberedPoints {
  /** The rows of a point, where they are kept. */
  get(experiment: { name: string }, point: unknown, facts: Facts): Row[] | undefined;
  /** Keeps the rows of a point. @param reads the records and files that they rest on, as {@link Facts.noting} names them */
  put(experiment: { name: string }, point: unknown, facts: Facts, rows: readonly Row[], reads: Iterable<string>): void;
}

/** Where a process that runs notebooks offers what it remembers: a function that gives it, or nothing. */
const place: unique symbol = Symbol.for("iommu-lab.points") as never;

/** What this process offers; a program that is no notebook's kernel offers nothing, and hands in what it wants to be used. */
export async function pointsOfHost(): Promise<RememberedPoints | undefined> {
  const offered: unknown = (globalThis as { [place]?: unknown })[place];
  return typeof offered === "function" ? ((await offered()) as RememberedPoints | undefined) : undefined;
}

/** What is shown while some of a run's points were remembered: it passes with the run, and is stored nowhere. */
export const withRemembered = (label: string, remembered: number): string =>
  remembered === 0 ? label : `${label}${label === "" ? "" : "; "}${remembered.toLocaleString("en")} remembered`;
