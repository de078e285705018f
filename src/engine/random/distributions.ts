import exp from "@stdlib/math-base-special-exp";
import expm1 from "@stdlib/math-base-special-expm1";
import gammaln from "@stdlib/math-base-special-gammaln";
import ln from "@stdlib/math-base-special-ln";
import log1p from "@stdlib/math-base-special-log1p";

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

/** Draws the ranks 1 … n with probability proportional to rank^−exponent, by rejection-inversion (Hörmann and Derflinger 1996). */
export class Zipf {
  private readonly hFirst: number;
  private readonly hLast: number;
  private readonly shortcut: number;

  /**
   * @param n number of ranks, 1 or more
   * @param exponent above 0; 1 is Zipf's law itself
   */
  constructor(
    readonly n: number,
    readonly exponent: number,
  ) {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`n: a whole number of ranks, 1 or more; got ${n}.`);
    if (!(exponent > 0 && exponent < 1e3)) throw new RangeError(`exponent: a number above 0; got ${exponent}.`);
    this.hFirst = this.area(1.5) - 1;
    this.hLast = this.area(n + 0.5);
    this.shortcut = 2 - this.areaInverse(this.area(2.5) - this.density(2));
  }

  /** Draws a value. */
  draw(source: UniformSource): number {
    for (;;) {
      const u = this.hLast + source.uniform() * (this.hFirst - this.hLast);
      const x = this.areaInverse(u);
      const k = Math.min(this.n, Math.max(1, Math.floor(x + 0.5)));
      if (k - x <= this.shortcut || u >= this.area(k + 0.5) - this.density(k)) return k;
    }
  }

  /** The hat x^−exponent. */
  private density(x: number): number {
    return exp(-this.exponent * ln(x));
  }

  /** Its integral from 1 to x: (x^(1 − s) − 1)/(1 − s), which is ln x where s is 1. */
  private area(x: number): number {
    const logX = ln(x);
    return logX * expMinusOneOver((1 - this.exponent) * logX);
  }

  private areaInverse(area: number): number {
    const t = Math.max(-1, area * (1 - this.exponent));
    return exp(area * logOnePlusOver(t));
  }
}

/** (e^x − 1)/x, continued to 1 at 0. */
function expMinusOneOver(x: number): number {
  return x === 0 ? 1 : expm1(x) / x;
}

/** ln(1 + x)/x, continued to 1 at 0. */
function logOnePlusOver(x: number): number {
  return x === 0 ? 1 : log1p(x) / x;
}

/** Draws an index with given weights in constant time: Walker's alias method with Vose's construction (1991). */
export class Discrete {
  private readonly keep: Float64Array;
  private readonly alias: Int32Array;

  /** @param weights 0 or more each, with a positive sum; they need not add up to 1 */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY))
        throw new RangeError(`weights: numbers, 0 or more; weight ${i} is ${weights[i]}.`);
      sum += weights[i];
    }
    if (!(sum > 0)) throw new RangeError("weights: at least one above 0.");
    this.keep = new Float64Array(n).fill(1);
    this.alias = Int32Array.from({ length: n }, (_, i) => i);
    const share = Float64Array.from({ length: n }, (_, i) => (weights[i] / sum) * n);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < n; i++) (share[i] < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() as number;
      const high = large[large.length - 1];
      this.keep[low] = share[low];
      this.alias[low] = high;
      share[high] -= 1 - share[low];
      if (share[high] < 1) small.push(large.pop() as number);
    }
    // What rounding leaves among the small ones: of weight 0 none may be drawn.
    for (const i of small) if (weights[i] === 0) this.alias[i] = heaviest(weights);
    for (const i of small) if (weights[i] === 0) this.keep[i] = 0;
  }

  /** Draws a value. */
  draw(source: UniformSource): number {
    const scaled = source.uniform() * this.keep.length;
    const i = Math.floor(scaled);
    return scaled - i < this.keep[i] ? i : this.alias[i];
  }
}

function heaviest(weights: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < weights.length; i++) if (weights[i] > weights[best]) best = i;
  return best;
}
