import { sha256 } from "@noble/hashes/sha2.js";
import exp from "@stdlib/math-base-special-exp";
import ln from "@stdlib/math-base-special-ln";
import log1p from "@stdlib/math-base-special-log1p";
import { poisson, standardNormal } from "./distributions.js";
import { Xoshiro128 } from "./xoshiro128.js";

/**
 * The random streams of a run. Each is named after what it is for ("arrivals", "core 3 think time"), and its state comes from the seed and
 * the name alone: streams are the same whichever is made first, and a new one disturbs no other.
 */
export class Streams {
  /**
   * @param seed a whole number, 0 … 2^53 − 1
   * @param scope names a part of a run with streams of its own: a replication, a sweep's point
   */
  constructor(
    readonly seed: number,
    readonly scope: string = "",
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`seed: a whole number from 0 to 2^53 − 1; got ${seed}.`);
  }

  /** The stream of a name, at its beginning. */
  stream(name: string): RandomStream {
    // SHA-256 by @noble/hashes: audited, pure JavaScript, no dependency. The separator occurs in no decimal number.
    const hash = sha256(new TextEncoder().encode(`${this.seed}\n${this.scope}\n${name}`));
    const words = new DataView(hash.buffer, hash.byteOffset);
    return new RandomStream(new Xoshiro128([0, 4, 8, 12].map((at) => words.getInt32(at, true))));
  }

  /** The streams of a part of the run. */
  within(scope: string): Streams {
    return new Streams(this.seed, this.scope === "" ? scope : `${this.scope}\n${scope}`);
  }
}

const twoToMinus53 = 1 / 9_007_199_254_740_992;

/**
 * A stream of random variates. Every variate is computed with + − × ÷, square roots, integer operations and @stdlib's port of FreeBSD's
 * libm (Math.log and its like differ between engines in the last bit), so that a stream is the same on every engine.
 */
export class RandomStream {
  constructor(private readonly bits: Xoshiro128) {}

  /** A copy that goes its own way from here. */
  clone(): RandomStream {
    return new RandomStream(new Xoshiro128(this.bits.state));
  }

  /** Moves on by 2^64 draws; returns the stream. */
  jump(): this {
    this.bits.jump();
    return this;
  }

  /** Moves on by 2^96 draws; returns the stream. */
  longJump(): this {
    this.bits.longJump();
    return this;
  }

  /** 32 random bits as a number from 0 to 2^32 − 1. */
  uint32(): number {
    return this.bits.next() >>> 0;
  }

  /** Uniform on [0, 1), all multiples of 2^−53. */
  uniform(): number {
    const high = this.bits.next() >>> 5;
    return (high * 67_108_864 + (this.bits.next() >>> 6)) * twoToMinus53;
  }

  /** Uniform on the whole numbers 0 … n − 1, without bias. @param n 1 … 2^32 */
  below(n: number): number {
    // Hot path: a remainder of two 32-bit numbers is one instruction, of others a call.
    const bound = n >>> 0;
    if (bound !== n || n === 0) return this.belowAny(n);
    const rest = (-bound >>> 0) % bound;
    for (;;) {
      const draw = this.uint32();
      if (draw < 4_294_967_296 - rest) return draw % bound;
    }
  }

  /** All 32 bits, where that is the bound. */
  private belowAny(n: number): number {
    if (n === 4_294_967_296) return this.uint32();
    throw new RangeError(`below(n) takes a whole number from 1 to 2^32; got ${n}.`);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /** Exponential, by inversion. */
  exponential(mean: number): number {
    return -mean * ln(1 - this.uniform());
  }

  /** Normal. */
  normal(mean: number, standardDeviation: number): number {
    return mean + standardDeviation * standardNormal(this);
  }

  /** Lognormal: e to a normal with mean `mu` and standard deviation `sigma`. Its own mean is e^(mu + sigma²/2). */
  lognormal(mu: number, sigma: number): number {
    return exp(mu + sigma * standardNormal(this));
  }

  /** Geometric: failures before the first success, 0, 1, 2 …; mean (1 − p)/p. @param p above 0, at most 1 */
  geometric(p: number): number {
    if (!(p > 0 && p <= 1)) throw new RangeError(`geometric(p) takes a probability above 0 and up to 1; got ${p}.`);
    return p === 1 ? 0 : Math.floor(ln(1 - this.uniform()) / log1p(-p));
  }

  /** Poisson: events in a unit of time at a rate of `mean`. */
  poisson(mean: number): number {
    return poisson(this, mean);
  }
}
