import { type RandomStream, Streams } from "../engine/index.js";
import { ConfigError, type ParameterRange, type Ranges } from "../experiments/index.js";

/** The value at a share (0 … 1) of a range. */
export function valueIn({ low, high, whole }: ParameterRange, share: number): number {
  if (!whole) return low + share * (high - low);
  const value = low + Math.floor(share * (high - low + 1));
  return value > high ? high : value;
}

/** @throws ConfigError naming the field of a range that is none */
export function checkRanges(ranges: Ranges): void {
  for (const [path, { low, high, whole }] of Object.entries(ranges)) {
    if (!Number.isFinite(low) || !Number.isFinite(high) || low >= high)
      throw new ConfigError(`${path}: a range from a lower to a higher number; got ${low} to ${high}.`);
    if (whole && !(Number.isSafeInteger(low) && Number.isSafeInteger(high)))
      throw new ConfigError(`${path}: whole numbers as the ends of the range; got ${low} to ${high}.`);
  }
}

/**
 * A Latin hypercube (McKay, Beckman, Conover 1979): each range is cut into as many slices as there are samples, and each slice of each
 * range is met once. Far fewer points than a grid, and none of the ranges is left half-seen.
 * @param samples how many points, 1 or more
 * @param seed same seed, same points
 * @throws ConfigError for a range that is none
 */
export function latinHypercube(ranges: Ranges, samples: number, seed: number): Record<string, number>[] {
  checkRanges(ranges);
  if (!Number.isSafeInteger(samples) || samples < 1)
    throw new ConfigError(`samples: a whole number of points, 1 or more; got ${samples}.`);
  const streams = new Streams(seed, "latin hypercube");
  const points: Record<string, number>[] = Array.from({ length: samples }, () => ({}));
  for (const [path, range] of Object.entries(ranges)) {
    const stream = streams.stream(path);
    for (const [i, slice] of shuffled(samples, stream).entries())
      points[i][path] = valueIn(range, (slice + stream.uniform()) / samples);
  }
  return points;
}

/** The numbers 0 … n − 1 in a random order (Fisher and Yates). */
function shuffled(n: number, stream: RandomStream): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
