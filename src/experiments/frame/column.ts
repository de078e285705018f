/** A column of an experiment's table. */
export interface Column {
  /** Unit as shown in the header; an empty string for a name or a pure number. */
  unit: string;
  description: string;
}

/** Columns of one kind, "PREFIX: NAME" for each name. Their names are types: a column that there is not does not compile. */
export const columnEach = <P extends string, N extends string | number, V>(
  prefix: P,
  names: readonly N[],
  of: (name: N, i: number) => V,
): Record<`${P}: ${N}`, V> =>
  Object.fromEntries(names.map((name, i) => [`${prefix}: ${name}`, of(name, i)])) as Record<`${P}: ${N}`, V>;
