// The package's door also loads WebAssembly and compression, which want a window or Node: its plain histogram needs neither.
import hdr from "hdr-histogram-js/dist/Float64Histogram.js";

// A CommonJS module's default export is the module in Node, and its `default` in a bundler.
const Counts = "default" in hdr ? hdr.default : (hdr as unknown as (typeof hdr)["default"]);
type Counts = InstanceType<typeof Counts>;

/** A bar of a histogram: how many values lie from `from` to `to`, both included. */
export interface HistogramBar {
  from: number;
  to: number;
  count: number;
}

/**
 * A histogram of whole values (ticks, bytes …) in bounded memory: every value is kept to a number of significant decimal digits, whatever
 * its size. The buckets are those of HdrHistogram, by hdr-histogram-js: the port that its project keeps; pure JavaScript, also in a worker.
 */
export class Histogram {
  private readonly counts: Counts;
  /** Values above `highest`, counted at `highest`. */
  over = 0;

  /**
   * @param highest the largest value told apart, in the values' unit; above 2
   * @param digits significant decimal digits kept, 1 … 5
   */
  constructor(
    readonly highest: number = 4_294_967_296,
    readonly digits: 1 | 2 | 3 | 4 | 5 = 3,
  ) {
    if (!(highest >= 2 && highest <= Number.MAX_SAFE_INTEGER))
      throw new RangeError(`highest: a whole number from 2 to 2^53 − 1; got ${highest}.`);
    this.counts = new Counts(1, highest, digits);
  }

  /** Records a value. @throws RangeError for one that is negative or not whole */
  record(value: number): void {
    if (!(value >= 0) || value !== Math.floor(value))
      throw new RangeError(`A histogram takes whole values, 0 or more; got ${value}.`);
    if (value > this.highest) this.over++;
    this.counts.recordValue(value > this.highest ? this.highest : value);
  }

  /** Values recorded. */
  get n(): number {
    return this.counts.totalCount;
  }

  /** Mean, to the digits kept; NaN without values. */
  get mean(): number {
    return this.n > 0 ? this.counts.mean : Number.NaN;
  }

  /** The value below or at which `percent` of the values lie, to the digits kept; NaN without values. @param percent 0 … 100 */
  percentile(percent: number): number {
    return this.n > 0 ? this.counts.getValueAtPercentile(percent) : Number.NaN;
  }

  /** Adds another's values. */
  merge(other: Histogram): void {
    this.counts.add(other.counts);
    this.over += other.over;
  }

  /** Forgets every value. */
  reset(): void {
    this.counts.reset();
    this.over = 0;
  }

  /** The buckets that hold values, smallest first. They widen with the values, as the digits kept allow. */
  bars(): HistogramBar[] {
    const { counts } = this;
    const bars: HistogramBar[] = [];
    for (let i = 0; i < counts.countsArrayLength; i++) {
      const count = counts.getCountAtIndex(i);
      if (count === 0) continue;
      const from = counts.valueFromIndex(i);
      bars.push({ from, to: counts.highestEquivalentValue(from), count });
    }
    return bars;
  }
}
