/** Rows of a table, by their columns. A column that a row has not does not compile. */

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

/** Columns of a row that hold numbers. */
export type NumberColumn<R> = { [K in keyof R]: R[K] extends number ? K : never }[keyof R];
