import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import { mean, sampleStandardDeviation } from "simple-statistics";

/** An estimate with its confidence interval. */
export interface Interval {
  mean: number;
  low: number;
  high: number;
  /** Number of independent replications behind it. */
  n: number;
  /** Confidence level, e.g. 0.95. */
  level: number;
}

/**
 * The mean of independent values with its Student-t confidence interval: mean ± t(n − 1, (1 + level)/2) · s/√n.
 * @param values one a replication, at least two
 * @param level confidence level, between 0 and 1
 * @throws RangeError with fewer than two values: one run says nothing about how far the next would differ
 */
export function confidenceInterval(values: readonly number[], level = 0.95): Interval {
  if (values.length < 2)
    throw new RangeError(`An interval needs two or more independent values; got ${values.length}.`);
  if (!(level > 0 && level < 1)) throw new RangeError(`level: a number between 0 and 1; got ${level}.`);
  const n = values.length;
  const centre = mean(values as number[]);
  const half = (studentQuantile((1 + level) / 2, n - 1) * sampleStandardDeviation(values as number[])) / Math.sqrt(n);
  return { mean: centre, low: centre - half, high: centre + half, n, level };
}
