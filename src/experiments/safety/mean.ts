import { confidenceInterval } from "../../engine/index.js";
import type { Interval, Row } from "../frame/experiment.js";

/** The mean of a column over replications, with its 95 % interval; of one replication it is the value itself. */
export function meanOf(rows: readonly Row[], column: string): Interval {
  const values = rows.map((row) => Number(row[column]));
  if (values.length > 1) return confidenceInterval(values);
  return { mean: values[0], low: values[0], high: values[0], n: 1, level: 0.95 };
}
