/** A stretch of a recording in which requests come at one rate. */
export interface RatePhase {
  fromNs: number;
  toNs: number;
  mapsPerSecond: number;
}

const bins = 512;
const shortest = 8;
const mostPhases = 12;
/** A change is a factor of two at least, and explains this share of what varies in its stretch. */
const least = { factor: 2, explained: 0.2 };

/** Counts maps over time in at most 512 bins, which widen as the recording grows, and finds where the rate changes. */
export class RateBins {
  private readonly counts = new Float64Array(bins);
  private widthNs = 1024;
  private origin = Number.NaN;

  /** Counts a map at this time. */
  add(timeNs: number): void {
    if (Number.isNaN(this.origin)) this.origin = timeNs;
    while (this.binOf(timeNs) >= bins) {
      for (let i = 0; i < bins / 2; i++) this.counts[i] = this.counts[2 * i] + this.counts[2 * i + 1];
      this.counts.fill(0, bins / 2);
      this.widthNs *= 2;
    }
    this.counts[this.binOf(timeNs)]++;
  }

  /** Takes back a map that was counted at this time: it was a further part of a request. */
  remove(timeNs: number): void {
    this.counts[this.binOf(timeNs)]--;
  }

  /** Maps a second over time: the middle of each bin in ns, and the rate in it. */
  series(): { timeNs: number[]; mapsPerSecond: number[] } {
    const used = this.used();
    const timeNs = Array.from({ length: used }, (_, i) => this.origin + (i + 0.5) * this.widthNs);
    return { timeNs, mapsPerSecond: timeNs.map((_, i) => (this.counts[i] * 1e9) / this.widthNs) };
  }

  /**
   * The phases: stretches split where the square root of the count (whose spread does not depend on the rate) changes most, as long as a
   * split explains enough.
   */
  phases(): RatePhase[] {
    const used = this.used();
    if (used === 0) return [];
    const roots = Array.from({ length: used }, (_, i) => Math.sqrt(this.counts[i]));
    const cuts = [0, used];
    const open: [number, number][] = [[0, used]];
    while (open.length > 0 && cuts.length <= mostPhases) {
      const [from, to] = open.shift()!;
      const cut = bestCut(roots, from, to);
      if (cut < 0 || !this.differ(from, cut, to)) continue;
      cuts.push(cut);
      open.push([from, cut], [cut, to]);
    }
    cuts.sort((a, b) => a - b);
    return cuts.slice(1).map((to, i) => ({
      fromNs: this.origin + cuts[i] * this.widthNs,
      toNs: this.origin + to * this.widthNs,
      mapsPerSecond: this.rate(cuts[i], to),
    }));
  }

  private binOf(timeNs: number): number {
    return Math.max(0, Math.floor((timeNs - this.origin) / this.widthNs));
  }

  private used(): number {
    if (Number.isNaN(this.origin)) return 0;
    let used = bins;
    while (used > 0 && this.counts[used - 1] === 0) used--;
    return used;
  }

  private rate(from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) sum += this.counts[i];
    return (sum * 1e9) / ((to - from) * this.widthNs);
  }

  private differ(from: number, cut: number, to: number): boolean {
    const [a, b] = [this.rate(from, cut), this.rate(cut, to)];
    return Math.max(a, b) >= least.factor * Math.min(a, b);
  }
}

/** Where two means explain most of what varies in [from, to); −1 where they explain too little. */
function bestCut(values: readonly number[], from: number, to: number): number {
  let sum = 0;
  let squares = 0;
  for (let i = from; i < to; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  const whole = squares - (sum * sum) / (to - from);
  let left = 0;
  let best = -1;
  let most = least.explained * whole;
  for (let i = from; i < to; i++) {
    left += values[i];
    const n = i + 1 - from;
    if (n < shortest || to - from - n < shortest) continue;
    const right = sum - left;
    const explained = (left * left) / n + (right * right) / (to - from - n) - (sum * sum) / (to - from);
    if (explained > most) {
      most = explained;
      best = i + 1;
    }
  }
  return best;
}
