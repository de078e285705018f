/** Rows of a table, by their columns. A column that a row has not does not compile. */
import { sumSimple } from "simple-statistics";
import { confidenceInterval, type Interval } from "../../engine/index.js";

/** The rows with the given values in the given columns. */
export function where<R extends object>(rows: readonly R[], match: Partial<R>): R[] {
  const wanted = Object.entries(match) as [keyof R, unknown][];
  return rows.filter((row) => wanted.every(([column, value]) => row[column] === value));
}

/** The distinct values of a column, in the order in which they appear. */
export function distinct<R extends object, K extends keyof R>(rows: readonly R[], column: K): R[K][] {
  return [...new Set(rows.map((row) => row[column]))];
}

/** A column's values, row by row. */
export function valuesOf<R extends object, K extends keyof R>(rows: readonly R[], column: K): R[K][] {
  return rows.map((row) => row[column]);
}

/** Columns of a row that hold numbers. Of rows whose columns are not known, any may. */
export type NumberColumn<R> = string extends keyof R
  ? string
  : { [K in keyof R]-?: R[K] extends number ? K : never }[keyof R] & string;

/** Values that follow from the configuration alone: their mean, the smallest and the largest. */
export function spread(values: readonly number[]): Interval {
  const middle = mean(values);
  return {
    mean: middle,
    low: Math.min(middle, ...values),
    high: Math.max(middle, ...values),
    n: values.length,
    level: 1,
  };
}

/** Columns of rows, of which some may be of another kind than others. */
export type ColumnName<R> = R extends unknown ? keyof R & string : never;

/** A column of numbers, or what is computed of a row. */
export type Quantity<R> = NumberColumn<R> | ((row: R) => number);

const reader = <R extends object>(of: Quantity<R>): ((row: R) => number) =>
  typeof of === "function" ? of : (row) => Number((row as Readonly<Record<string, unknown>>)[of]);

/** The mean of numbers, summed in their order: rows and stored notebooks are compared digit by digit. */
export const mean = (values: readonly number[]): number => sumSimple(values as number[]) / values.length;

/** The mean of independent values with its 95 % interval; of a single one low = high = mean. */
function around(values: readonly number[]): Interval {
  if (values.length > 1) return confidenceInterval(values);
  const [only] = values;
  return { mean: only, low: only, high: only, n: 1, level: 0.95 };
}

/**
 * The mean over replications, with its 95 % interval; a single replication has no interval (low = high = mean).
 * @param of a column of numbers, or a function of the row
 * @throws Error where there is no row
 * @example estimate(where(run.rows, { variant: "deferred", cores: 16 }), "throughput").mean
 */
export function estimate<R extends object>(rows: readonly R[], of: Quantity<R>): Interval {
  if (rows.length === 0) throw new Error(`there is no row to take ${named(of)} from`);
  return around(rows.map(reader(of)));
}

/**
 * Replication by replication a / b, with the interval of the ratio: both runs of a pair have the same seed.
 * @throws Error where a replication occurs twice: the rows are of several settings, and which belong together is not said
 */
export function ratio<R extends { readonly replication: number }>(
  over: readonly R[],
  under: readonly R[],
  of: Quantity<R>,
): Interval {
  const value = reader(of);
  for (const rows of [over, under])
    if (distinct(rows, "replication").length < rows.length)
      throw new Error(`a ratio of ${named(of)} needs rows of one setting on either side, one for each replication`);
  const base = new Map(under.map((row) => [row.replication, value(row)]));
  const values = over.flatMap((row) => {
    const b = base.get(row.replication);
    return b === undefined || b === 0 ? [] : [value(row) / b];
  });
  if (values.length === 0)
    throw new Error(`there are no replications with both a numerator and a denominator for ${named(of)}`);
  return around(values);
}

/** Intervals as a bar figure takes them: their middles, their lower and upper ends; `scale` 100 makes percents of shares. */
export const barsOf = (intervals: readonly Interval[], scale = 1) => ({
  values: intervals.map(({ mean }) => scale * mean),
  low: intervals.map(({ low }) => scale * low),
  high: intervals.map(({ high }) => scale * high),
});

const named = (of: string | ((row: never) => number)): string => (typeof of === "string" ? `"${of}"` : "a value");
