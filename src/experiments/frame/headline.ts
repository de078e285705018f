/**
 * A number of a text or a claim: three digits that mean something, and from 1,000 on all digits of the whole number, thousands apart.
 * @example shortNumber(3153.2) // "3,153"
 */
export function shortNumber(value: number): string {
  return (value < 0 ? -value : value) >= 1000
    ? Math.round(value).toLocaleString("en")
    : Number(value.toPrecision(3)).toString();
}

/** A number in three digits, trailing zeros kept, without an exponent where it would be a plain number. */
function three(value: number): string {
  if (value === 0) return "0";
  const size = value < 0 ? -value : value;
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}

/**
 * A simulated number with both uncertainties, which are never mixed: what other seeds would give (Monte Carlo), and what everything that
 * nobody published would make of it (ignorance).
 * @param value the mean over seeds with its 95 % interval, and how many seeds
 * @param predictive the 95 % prior-predictive interval, where the laboratory has one
 * @example headline({ mean: 18.53, low: 18.02, high: 19.04, n: 5 }, { low: 9.1, high: 44 }, "% of off")
 * // "18.5 % of off (18.0–19.0 over seeds; 9.10–44.0 over what nobody published)"
 */
export function headline(
  value: { mean: number; low: number; high: number; n: number },
  predictive: { low: number; high: number } | undefined,
  unit = "",
): string {
  const seeds = value.n < 2 ? "one seed" : `${three(value.low)}–${three(value.high)} over seeds`;
  const ignorance =
    predictive === undefined ? "" : `; ${three(predictive.low)}–${three(predictive.high)} over what nobody published`;
  return `${three(value.mean)}${unit === "" ? "" : ` ${unit}`} (${seeds}${ignorance})`;
}
