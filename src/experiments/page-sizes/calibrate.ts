/** Fits, computed from the records by these functions alone: nothing here is entered by hand. */

/** A latency run: mean latency by window. */
export interface LatencyPoint {
  windowBytes: number;
  ns: number;
}

/** What a latency run says about translation: hit latency, effective IOTLB entries, cost of a miss. */
export interface IotlbFit {
  hitNs: number;
  entries: number;
  missNs: number;
  /** Root-mean-square residual over the fitted windows, ns. */
  rmseNs: number;
}

const page = 4096;

/** Windows fitted: beyond the smallest that miss, and small enough for the data to stay in the last-level cache. */
const fitted = (point: LatencyPoint): boolean => point.windowBytes >= 524_288 && point.windowBytes <= 4_194_304;

/** The latency of a window of at most 256 KiB, which every measured IOTLB covers. */
export function hitLatency(points: readonly LatencyPoint[]): number {
  const small = points.filter((point) => point.windowBytes <= 262_144);
  if (small.length === 0) throw new RangeError("a latency run without windows of 256 KiB or less shows no hit latency");
  return small.reduce((sum, point) => sum + point.ns, 0) / small.length;
}

/**
 * Fits latency(W) = hit + M × max(0, 1 − E × 4 KiB / W): hit from the small windows, E by trying every number of entries, M by least
 * squares for each. E entries over random pages hit with probability E over pages, which is the form of the curve.
 */
export function fitIotlb(points: readonly LatencyPoint[]): IotlbFit {
  const hitNs = hitLatency(points);
  const used = points.filter(fitted);
  if (used.length < 3) throw new RangeError("the fit of an IOTLB needs three windows from 512 KiB to 4 MiB");
  let best: IotlbFit | undefined;
  for (let entries = 1; entries <= 1024; entries++) {
    let xx = 0;
    let xy = 0;
    for (const { windowBytes, ns } of used) {
      const x = Math.max(0, 1 - (entries * page) / windowBytes);
      xx += x * x;
      xy += x * (ns - hitNs);
    }
    const missNs = xx === 0 ? 0 : xy / xx;
    let squares = 0;
    for (const { windowBytes, ns } of used) {
      const residual = ns - hitNs - missNs * Math.max(0, 1 - (entries * page) / windowBytes);
      squares += residual * residual;
    }
    const rmseNs = Math.sqrt(squares / used.length);
    if (!best || rmseNs < best.rmseNs) best = { hitNs, entries, missNs, rmseNs };
  }
  return best as IotlbFit;
}

/**
 * What a read adds when its data comes from DRAM, from the 64 MiB window: what is above hit and misses there, over the share of the
 * window that the last-level cache cannot hold. Never below zero.
 */
export function fitDramExtra(
  points: readonly LatencyPoint[],
  llcBytes: number,
  hitNs: number,
  iotlb?: { entries: number; missNs: number },
): number {
  const largest = points.reduce((a, b) => (b.windowBytes > a.windowBytes ? b : a));
  const beyond = 1 - llcBytes / largest.windowBytes;
  if (beyond <= 0) return 0;
  const misses = iotlb ? iotlb.missNs * Math.max(0, 1 - (iotlb.entries * page) / largest.windowBytes) : 0;
  return Math.max(0, (largest.ns - hitNs - misses) / beyond);
}

/** A whole number fitted to one measured point, with its neighbours, so that a reader sees how sharp the fit is. */
export interface WholeFit {
  value: number;
  measured: number;
  simulated: number;
  /** Value and simulated result of the numbers next to it. */
  neighbours: { value: number; simulated: number }[];
}

/**
 * The whole number from 1 to `limit` whose simulated result is nearest to the measured one, by relative difference.
 * @param simulate grows with its argument
 */
export function fitWhole(simulate: (value: number) => number, measured: number, limit: number): WholeFit {
  const known = new Map<number, number>();
  const at = (value: number): number => {
    const result = known.get(value) ?? simulate(value);
    known.set(value, result);
    return result;
  };
  let low = 1;
  let high = limit;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) >= measured) high = middle;
    else low = middle + 1;
  }
  // `low` is the first that reaches the measurement; the one below may be nearer.
  const value = low > 1 && measured - at(low - 1) <= at(low) - measured ? low - 1 : low;
  return {
    value,
    measured,
    simulated: at(value),
    neighbours: [value - 1, value + 1].filter((v) => v >= 1).map((v) => ({ value: v, simulated: at(v) })),
  };
}
