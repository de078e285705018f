// Random choices from a seed: the same seed, the same choices.

/** Numbers from 0 to 1 (mulberry32), and choices made with them. */
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  /** A whole number from 0 to n − 1. */
  below(n) {
    return Math.floor(this.next() * n);
  }
  pick(list) {
    return list[this.below(list.length)];
  }
  chance(share) {
    return this.next() < share;
  }
  many(most, make) {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}
