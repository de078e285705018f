import { confidenceInterval } from "../../engine/index.js";
import type { Interval, Row } from "../frame/experiment.js";
import { allKnobs } from "../frame/knob-fields.js";

/** What a run was set to, cores and threads included: rows that agree in these and in the replication are one run. */
export const settings = (): readonly string[] => ["variant", ...allKnobs().map(({ name }) => name)];

/** The rows of runs that are alike in all settings but those of `change`, which they have so. */
export function like(rows: readonly Row[], row: Row, change: Partial<Record<string, Row[string]>>): Row[] {
  return where(rows, { ...Object.fromEntries(settings().map((name) => [name, row[name]])), ...change });
}

/**
 * Each run once. Rows of several runs of the experiment, put together, may hold the same simulation more than once: it is one observation,
 * and counted twice it would make an interval narrower than it is.
 */
export function observed(rows: readonly Row[]): Row[] {
  const known = new Set<string>();
  return rows.filter((row) => {
    const key = JSON.stringify(row);
    return !known.has(key) && known.add(key);
  });
}

/** Rows with the given values in the given columns. */
export function where(rows: readonly Row[], match: Partial<Record<string, Row[string]>>): Row[] {
  return rows.filter((row) => Object.entries(match).every(([name, value]) => row[name] === value));
}

/** The mean of a column over replications, with its 95 % interval; a single replication has no interval (low = high = mean). */
export function estimate(rows: readonly Row[], column: string): Interval {
  const values = rows.map((row) => Number(row[column]));
  if (values.length === 0) throw new Error(`there is no row to take "${column}" from`);
  if (values.length === 1) return { mean: values[0], low: values[0], high: values[0], n: 1, level: 0.95 };
  return confidenceInterval(values);
}

/**
 * Replication by replication a / b, with the interval of the ratio: both runs of a pair have the same seed.
 * @throws Error where a replication occurs twice: the rows are of several settings, and which belong together is not said
 */
export function ratio(over: readonly Row[], under: readonly Row[], column = "throughput"): Interval {
  for (const rows of [over, under])
    if (distinct(rows, "replication").length < rows.length)
      throw new Error(`a ratio of "${column}" needs rows of one setting on either side, one for each replication`);
  const base = new Map(under.map((row) => [row["replication"], Number(row[column])]));
  const values = over.flatMap((row) => {
    const b = base.get(row["replication"]);
    return b === undefined || b === 0 ? [] : [Number(row[column]) / b];
  });
  if (values.length === 0)
    throw new Error(`there are no replications with both a numerator and a denominator for "${column}"`);
  if (values.length === 1) return { mean: values[0], low: values[0], high: values[0], n: 1, level: 0.95 };
  return confidenceInterval(values);
}

/** The distinct values of a column, in the order in which they appear. */
export function distinct<T extends Row[string]>(rows: readonly Row[], column: string): T[] {
  return [...new Set(rows.map((row) => row[column]))] as T[];
}
