import { allKnobs } from "../frame/knob-fields.js";
import { where } from "../frame/rows.js";
import type { LockContentionRow } from "./rows.js";

/** What a run was set to, cores and threads included: rows that agree in these and in the replication are one run. */
export const settings = (): readonly (keyof LockContentionRow)[] => [
  "variant",
  ...allKnobs().map(({ name }) => name as keyof LockContentionRow),
];

/** The rows of runs that are alike in all settings but those of `change`, which they have so. */
export function like<R extends LockContentionRow>(rows: readonly R[], row: R, change: Partial<LockContentionRow>): R[] {
  const same = Object.fromEntries(settings().map((name) => [name, row[name]])) as Partial<LockContentionRow>;
  return where<R>(rows, { ...same, ...change } as Partial<R>);
}

/**
 * Each run once. Rows of several runs of the experiment, put together, may hold the same simulation more than once: it is one observation,
 * and counted twice it would make an interval narrower than it is.
 */
export function observed<R extends object>(rows: readonly R[]): R[] {
  const known = new Set<string>();
  return rows.filter((row) => {
    const key = JSON.stringify(row);
    return !known.has(key) && known.add(key);
  });
}
