import type { Interval } from "../frame/experiment.js";

/** Values that follow from the configuration alone: their mean, the smallest and the largest. */
export function spread(values: readonly number[]): Interval {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, low: Math.min(mean, ...values), high: Math.max(mean, ...values), n: values.length, level: 1 };
}
