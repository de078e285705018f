/** Which rows a claim is judged by, and numbers with their units. */
import type { Interval } from "../frame/experiment.js";
import { distinct, where } from "../frame/rows.js";
import { like } from "./alike.js";
import type { LockContentionRow as Row } from "./rows.js";

/** Where the sentences stand. */
export const mail15 = "B. Serebrin, mail of 2015-11-15";
export const mail16 = "B. Serebrin, mail of 2015-11-16";
export const woodhouse = "D. Woodhouse, mail of 2015-11-16";

/** An interval of shares in percent. */
export const percent = (interval: Interval, unit = "%"): Interval & { unit: string } => ({
  ...interval,
  mean: 100 * interval.mean,
  low: 100 * interval.low,
  high: 100 * interval.high,
  unit,
});
/** An interval with its unit. */
export const inUnit = (interval: Interval, unit: string): Interval & { unit: string } => ({ ...interval, unit });
/** Three digits. */
export const text = (value: number): string => Number(value.toPrecision(3)).toString();
/** "16 cores". */
export const coresText = (cores: number): string => `${cores} core${cores === 1 ? "" : "s"}`;

/** Rows of a variant at the most cores that it has; with everything else at one setting, the first. */
export function most(rows: readonly Row[], name: string, match: Partial<Row> = {}): Row[] {
  const mine = where(rows, { variant: name, ...match });
  if (mine.length === 0) return [];
  const at = where(mine, { cores: Math.max(...distinct(mine, "cores")) });
  return like(at, at[0], {});
}

/** The same runs as another variant, or with another setting; none where there are none to compare. */
export const instead = (rows: readonly Row[], mine: readonly Row[], change: Partial<Row>): Row[] =>
  mine.length === 0 ? [] : like(rows, mine[0], change);
