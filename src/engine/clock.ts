/**
 * The clock: whole ticks in a double.
 *
 * Ticks are whole so that adding them is exact: a sum of durations does not depend on the order in which they are added, two events meant
 * for the same instant are at the same instant, and a run gives the same bytes everywhere. A double holds every whole number up to 2^53,
 * needs no allocation (a BigInt would), and lies in a Float64Array. A model names its tick: hosts count core cycles, because what they
 * wait for is published in cycles and is tied to the core's clock; links and IOMMUs count picoseconds, because their symbol times are not
 * whole nanoseconds. 2^53 cycles at 3 GHz are 34 days, 2^53 ps are 2.5 hours: the simulation refuses to pass that.
 */
export class Clock {
  /**
   * @param unit what a tick is, as printed: "core cycle", "ps"
   * @param ticksPerSecond ticks in a second; need not be whole for a core's clock
   */
  constructor(
    readonly unit: string,
    readonly ticksPerSecond: number,
  ) {
    if (!(ticksPerSecond > 0)) throw new RangeError(`A clock has more than 0 ticks a second; got ${ticksPerSecond}.`);
  }

  /** A clock of core cycles. @param gigahertz the core's frequency, e.g. 2.6 */
  static cycles(gigahertz: number): Clock {
    return new Clock("core cycle", gigahertz * 1e9);
  }

  /** A clock of picoseconds. */
  static picoseconds(): Clock {
    return new Clock("ps", 1e12);
  }

  /** The nearest whole number of ticks to a duration in nanoseconds (halves go up). */
  fromNs(ns: number): number {
    return Math.floor((ns * this.ticksPerSecond) / 1e9 + 0.5);
  }

  /** Nanoseconds of a number of ticks. */
  toNs(ticks: number): number {
    return (ticks * 1e9) / this.ticksPerSecond;
  }

  /** Seconds of a number of ticks. */
  toSeconds(ticks: number): number {
    return ticks / this.ticksPerSecond;
  }
}
