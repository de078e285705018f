/**
 * xoshiro128++ 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021): 128 bits of state, period 2^128 − 1,
 * passes the usual batteries, and needs only 32-bit integer operations, which every JavaScript engine does exactly and fast. Its published
 * jumps move the state by 2^64 or 2^96 draws at once, for streams that never overlap.
 */
export class Xoshiro128 {
  readonly state: Int32Array;

  /** @param state four 32-bit words, not all zero (a zero state is a fixed point of the generator) */
  constructor(state: ArrayLike<number>) {
    this.state = Int32Array.from(state);
    if (this.state.length !== 4 || this.state.every((word) => word === 0))
      throw new RangeError(
        `A generator's state is four 32-bit words, not all zero; got [${Array.from(state).join(", ")}].`,
      );
  }

  /** The next 32 bits, as a signed integer. */
  next(): number {
    const s = this.state;
    const s0 = s[0];
    const s1 = s[1];
    const sum = (s0 + s[3]) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + s0) | 0;
    const s2 = s[2] ^ s0;
    const s3 = s[3] ^ s1;
    s[1] = s1 ^ s2;
    s[0] = s0 ^ s3;
    s[2] = s2 ^ (s1 << 9);
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** Moves on by 2^64 draws. */
  jump(): void {
    this.leap(jumpPolynomial);
  }

  /** Moves on by 2^96 draws. */
  longJump(): void {
    this.leap(longJumpPolynomial);
  }

  private leap(polynomial: readonly number[]): void {
    const sum = new Int32Array(4);
    for (const word of polynomial)
      for (let bit = 0; bit < 32; bit++) {
        if ((word >>> bit) & 1) for (let i = 0; i < 4; i++) sum[i] ^= this.state[i];
        this.next();
      }
    this.state.set(sum);
  }
}

// The authors' constants: the characteristic polynomial's residues of x^(2^64) and x^(2^96). A test derives them again.
const jumpPolynomial: readonly number[] = [0x8764000b, 0xf542d2d3, 0x6fa035c3, 0x77f2db5b];
const longJumpPolynomial: readonly number[] = [0xb523952e, 0x0b6f099f, 0xccf5a0ef, 0x1c580662];
