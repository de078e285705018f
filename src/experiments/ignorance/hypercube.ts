import exp from "@stdlib/math-base-special-exp";
import ln from "@stdlib/math-base-special-ln";
import { type RandomStream, Streams } from "../../engine/index.js";
import { ConfigError } from "../frame/config-error.js";
import type { AssumedRange, AssumedRanges, ParameterRange } from "../frame/ranges.js";

/** The value at a share (0 … 1) of a range. */
export function valueIn({ low, high, whole, shape }: ParameterRange, share: number): number {
  const top = whole ? high + 1 : high;
  const value = shape === "log" ? onLogScale(low, top, share) : low + share * (top - low);
  if (!whole) return value;
  const cut = Math.floor(value);
  return cut > high ? high : cut;
}

/** Every factor as likely as the next. From zero on there is no such scale: then of the value plus one. */
function onLogScale(low: number, high: number, share: number): number {
  const add = low === 0 ? 1 : 0;
  return (low + add) * exp(share * ln((high + add) / (low + add))) - add;
}

/** The value at a share of a domain: of choices, each takes an equal part. */
export function valueAtShare(domain: AssumedRange, share: number): number | string | boolean {
  if (!("choices" in domain)) return valueIn(domain, share);
  const { choices } = domain;
  return choices[Math.min(choices.length - 1, Math.floor(share * choices.length))];
}

/** @throws ConfigError naming the field of a range that is none */
export function checkRanges(domains: AssumedRanges): void {
  for (const [path, domain] of Object.entries(domains)) {
    if ("choices" in domain) {
      if (domain.choices.length < 1) throw new ConfigError(`${path}: a list of one or more choices; got none.`);
      continue;
    }
    const { low, high, whole, shape } = domain;
    if (!Number.isFinite(low) || !Number.isFinite(high) || low >= high)
      throw new ConfigError(`${path}: a range from a lower to a higher number; got ${low} to ${high}.`);
    if (whole && !(Number.isSafeInteger(low) && Number.isSafeInteger(high)))
      throw new ConfigError(`${path}: whole numbers as the ends of the range; got ${low} to ${high}.`);
    if (shape === "log" && low < 0)
      throw new ConfigError(`${path}: a range of the shape "log" from 0 or more; got ${low} to ${high}.`);
  }
}

/**
 * A Latin hypercube (McKay, Beckman, Conover 1979): each range is cut into as many slices as there are samples, and each slice of each
 * range is met once. Far fewer points than a grid, and none of the ranges is left half-seen. Of choices, each is met equally often.
 * @param samples how many points, 1 or more
 * @param seed same seed, same points
 * @throws ConfigError for a range that is none
 */
export function latinHypercube<D extends AssumedRanges>(
  domains: D,
  samples: number,
  seed: number,
): Record<string, D[string] extends ParameterRange ? number : number | string | boolean>[] {
  checkRanges(domains);
  if (!Number.isSafeInteger(samples) || samples < 1)
    throw new ConfigError(`samples: a whole number of points, 1 or more; got ${samples}.`);
  const streams = new Streams(seed, "latin hypercube");
  const points: Record<string, number | string | boolean>[] = Array.from({ length: samples }, () => ({}));
  for (const [path, domain] of Object.entries(domains)) {
    const stream = streams.stream(path);
    for (const [i, slice] of shuffled(samples, stream).entries())
      points[i][path] = valueAtShare(domain, (slice + stream.uniform()) / samples);
  }
  return points as never;
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
