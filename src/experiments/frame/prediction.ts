import type { ClaimResult, Interval } from "./experiment.js";

/**
 * The verdict on a predicted figure, the same wherever it is judged: "holds" where the interval contains it, "does not hold" where the mean is
 * off by more than half of it, else "depends": the model comes near, and something that it assumes is not as it was on the measured host.
 */
export function predicted(simulated: Interval, published: number): ClaimResult["verdict"] {
  if (simulated.low <= published && published <= simulated.high) return "holds";
  return Math.abs(simulated.mean / published - 1) > 0.5 ? "does not hold" : "depends";
}
