/** Points whose rows are known from before: what keeps them is the business of whoever runs experiments. */
import type { Basis, Facts } from "../../facts/index.js";
import { exactJson, fromExactJson } from "./exact-json.js";
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

/**
 * The same without waiting, for what is computed at once: what the process opened last; nothing where no run has asked for it yet.
 */
function pointsAtHand(): RememberedPoints | undefined {
  const offered = (globalThis as { [place]?: { latest?: RememberedPoints } })[place];
  return offered?.latest;
}

/** A computation that is no experiment's point and takes as long: its result is remembered like a point's rows. */
export interface Computation {
  readonly name: string;
}

/** The result of a computation, where it is kept: what computing would give, to the last bit. */
export function recall<T>(
  store: RememberedPoints | undefined,
  computation: Computation,
  inputs: unknown,
  facts: Facts,
): T | undefined {
  const [row] = store?.get(computation, inputs, facts) ?? [];
  return row === undefined ? undefined : (fromExactJson(String(row["json"])) as T);
}

/** Keeps the result of a computation. @param reads the records and files that it rests on */
export function keep(
  store: RememberedPoints | undefined,
  computation: Computation,
  inputs: unknown,
  facts: Facts,
  value: unknown,
  reads: Iterable<string>,
): void {
  store?.put(computation, inputs, facts, [{ json: exactJson(value) }], reads);
}

/** A computation's result: from the points at hand, or computed, and kept there. */
export function remember<T>(computation: Computation, inputs: unknown, basis: Basis, compute: (basis: Basis) => T): T {
  const store = pointsAtHand();
  const before = recall<T>(store, computation, inputs, basis.facts);
  if (before !== undefined) return before;
  const reads = new Set<string>();
  const value = compute({ ...basis, facts: basis.facts.noting((name) => reads.add(name)) });
  keep(store, computation, inputs, basis.facts, value, reads);
  return value;
}

/** What is shown while some of a run's points were remembered: it passes with the run, and is stored nowhere. */
export const withRemembered = (label: string, remembered: number): string =>
  remembered === 0 ? label : `${label}${label === "" ? "" : "; "}${remembered.toLocaleString("en")} remembered`;
