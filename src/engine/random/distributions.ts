import exp from "@stdlib/math-base-special-exp";
import gammaln from "@stdlib/math-base-special-gammaln";
import ln from "@stdlib/math-base-special-ln";

/** What a distribution draws from: uniform on [0, 1). */
export interface UniformSource {
  /** The next number, at least 0 and below 1. */
  uniform(): number;
}

/** Standard normal, by Marsaglia's polar method (1964). The second variate of each pair is dropped, so that a stream is its state alone. */
export function standardNormal(source: UniformSource): number {
  for (;;) {
    const x = 2 * source.uniform() - 1;
    const y = 2 * source.uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * ln(square)) / square);
  }
}

/** Poisson: multiplication of uniforms (Knuth) below a mean of 10, transformed rejection (Hörmann 1993, PTRS) from there. */
export function poisson(source: UniformSource, mean: number): number {
  if (!(mean >= 0 && mean <= 1e15)) throw new RangeError(`mean: a number from 0 to 1e15; got ${mean}.`);
  if (mean < 10) {
    const limit = exp(-mean);
    let count = 0;
    for (let product = source.uniform(); product > limit; product *= source.uniform()) count++;
    return count;
  }
  const logMean = ln(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = source.uniform() - 0.5;
    const v = 1 - source.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (ln(v) + ln(inverseAlpha) - ln(a / (us * us) + b) <= k * logMean - mean - gammaln(k + 1)) return k;
  }
}
