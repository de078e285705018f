/** Values below this are counted one by one; above it a bucket is at most 1/64 of its values wide. */
const exact = 128;
const perOctave = exact / 2;
const octaves = 47;

/**
 * Counts of whole numbers from 0 to 2^53 in a fixed number of buckets: quantiles of any number of values in constant memory, exact below
 * 128 and within 1.6 % above.
 */
export class LogHistogram {
  private readonly counts = new Float64Array(exact + octaves * perOctave);
  /** How many values. */
  count = 0;
  /** Their sum. */
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  /** @throws RangeError for what is no whole number from 0 to 2^53 */
  add(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} is not from 0 to 2^53.`);
    this.counts[bucketOf(value)]++;
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /**
   * The value below which a share of the values lies, to a bucket's middle.
   * @param share from 0 to 1
   * @returns NaN for no values
   */
  quantile(share: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.min(this.count - 1, Math.floor(share * (this.count - 1) + 0.5));
    let seen = 0;
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      seen += this.counts[bucket];
      if (seen > rank) return Math.min(this.max, Math.max(this.min, middleOf(bucket)));
    }
    return this.max;
  }

  /** Share of the values above a value; exact for values below 128. */
  shareAbove(value: number): number {
    let above = 0;
    for (let bucket = bucketOf(value) + 1; bucket < this.counts.length; bucket++) above += this.counts[bucket];
    return this.count === 0 ? 0 : above / this.count;
  }

  /** The buckets that hold values: from, up to (not including), how many. */
  *buckets(): Generator<[from: number, to: number, count: number]> {
    for (let bucket = 0; bucket < this.counts.length; bucket++)
      if (this.counts[bucket] > 0) yield [lowOf(bucket), lowOf(bucket + 1), this.counts[bucket]];
  }
}

function bucketOf(value: number): number {
  if (value < exact) return value;
  let scaled = value;
  let octave = 0;
  for (; scaled >= exact; octave++) scaled /= 2;
  // scaled is in [64, 128): 64 buckets an octave.
  return Math.min(exact + octaves * perOctave - 1, exact + (octave - 1) * perOctave + Math.floor(scaled) - perOctave);
}

function lowOf(bucket: number): number {
  if (bucket <= exact) return bucket;
  const octave = Math.floor((bucket - exact) / perOctave) + 1;
  let low = perOctave + ((bucket - exact) % perOctave);
  for (let i = 0; i < octave; i++) low *= 2;
  return low;
}

function middleOf(bucket: number): number {
  return bucket < exact ? bucket : Math.floor((lowOf(bucket) + lowOf(bucket + 1) - 1) / 2);
}
