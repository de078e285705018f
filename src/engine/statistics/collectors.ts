/** Mean, variance and extremes of single values, in constant memory (Welford's recurrence, 1962). */
export class Tally {
  /** Values recorded. */
  n = 0;
  min: number = Number.POSITIVE_INFINITY;
  max: number = Number.NEGATIVE_INFINITY;
  private centre = 0;
  private squares = 0;

  /** Takes one value. */
  record(value: number): void {
    this.n++;
    const delta = value - this.centre;
    this.centre += delta / this.n;
    this.squares += delta * (value - this.centre);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** NaN without values. */
  get mean(): number {
    return this.n > 0 ? this.centre : Number.NaN;
  }

  /** Sample variance; NaN below two values. */
  get variance(): number {
    return this.n > 1 ? this.squares / (this.n - 1) : Number.NaN;
  }

  /** Forgets everything: the end of a warm-up. */
  reset(): void {
    this.n = 0;
    this.centre = 0;
    this.squares = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
  }
}

/** The average over time of something that changes in steps: a queue's length, servers busy. */
export class TimeWeighted {
  private area = 0;
  private since: number;
  private start: number;
  private peak: number;

  /**
   * @param current the value from the start on
   * @param now the start, in ticks
   */
  constructor(
    private current: number = 0,
    now = 0,
  ) {
    this.since = now;
    this.start = now;
    this.peak = current;
  }

  /** The value now. */
  get value(): number {
    return this.current;
  }

  /** Highest value since the start. */
  get max(): number {
    return this.peak;
  }

  /** The value is `value` from `now` on. */
  set(now: number, value: number): void {
    this.area += this.current * (now - this.since);
    this.since = now;
    this.current = value;
    if (value > this.peak) this.peak = value;
  }

  /** The value changes by `change` at `now`. */
  add(now: number, change: number): void {
    this.set(now, this.current + change);
  }

  /** Average from the start to `now`; NaN over no time. */
  mean(now: number): number {
    return (this.area + this.current * (now - this.since)) / (now - this.start);
  }

  /** Starts anew at `now` with the value it has: the end of a warm-up. */
  reset(now: number): void {
    this.area = 0;
    this.since = now;
    this.start = now;
    this.peak = this.current;
  }
}
