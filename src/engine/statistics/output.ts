import { mean, sampleVariance } from "simple-statistics";
import { Streams } from "../random/streams.js";
import { confidenceInterval, type Interval } from "./interval.js";

/**
 * How many observations to delete from the start of a run: MSER-5 (White, Cobb and Spratt 2000). Averages of five are taken, and the
 * number of them to delete is the one that leaves the smallest standard error of the rest; more than half is never deleted.
 * @param values observations in the order in which they were made
 * @returns observations to delete, a multiple of 5
 */
export function mser5(values: ArrayLike<number>): number {
  const groups = Math.floor(values.length / 5);
  const averages = new Float64Array(groups);
  for (let i = 0; i < groups; i++) {
    let sum = 0;
    for (let j = 0; j < 5; j++) sum += values[5 * i + j];
    averages[i] = sum / 5;
  }
  // Backwards, the sum of squares around the mean grows by Welford's recurrence: one pass, and no cancellation.
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  let centre = 0;
  let squares = 0;
  for (let deleted = groups - 1; deleted >= 0; deleted--) {
    const left = groups - deleted;
    const delta = averages[deleted] - centre;
    centre += delta / left;
    squares += delta * (averages[deleted] - centre);
    const criterion = squares / (left * left);
    if (deleted <= groups / 2 && criterion <= least) {
      least = criterion;
      best = deleted;
    }
  }
  return best * 5;
}

/** Options of {@link batchMeans}. */
export interface BatchMeansOptions {
  /** Number of batches (default 20): few enough that neighbours are nearly independent. */
  batches?: number;
  /** Observations to delete from the start; by {@link mser5} if left out. */
  warmUp?: number;
  /** Confidence level (default 0.95). */
  level?: number;
}

/** An interval from one long run. */
export interface BatchMeans extends Interval {
  /** Observations deleted from the start. */
  warmUp: number;
  /** Correlation of neighbouring batches: near 0 if the batches are long enough, else the interval is too narrow. */
  lag1: number;
}

/**
 * The mean of one long run with its confidence interval, by batch means: the run without its warm-up is cut into equal batches, whose
 * means are taken as independent.
 * @param values observations in the order in which they were made
 * @throws RangeError if fewer than two observations a batch are left
 */
export function batchMeans(values: ArrayLike<number>, options: BatchMeansOptions = {}): BatchMeans {
  const { batches = 20, level = 0.95, warmUp = mser5(values) } = options;
  if (!Number.isSafeInteger(batches) || batches < 2)
    throw new RangeError(`batches: a whole number, 2 or more; got ${batches}.`);
  const size = Math.floor((values.length - warmUp) / batches);
  if (!(size >= 2))
    throw new RangeError(
      `Batch means need two or more observations a batch; got ${values.length}, ${warmUp} of them warm-up, for ${batches} batches.`,
    );
  const start = values.length - size * batches;
  const means = Array.from({ length: batches }, (_, batch) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += values[start + batch * size + i];
    return sum / size;
  });
  return { ...confidenceInterval(means, level), warmUp: start, lag1: lag1(means) };
}

function lag1(values: readonly number[]): number {
  const centre = mean(values as number[]);
  const variance = sampleVariance(values as number[]) * (values.length - 1);
  let sum = 0;
  for (let i = 1; i < values.length; i++) sum += (values[i] - centre) * (values[i - 1] - centre);
  return variance === 0 ? 0 : sum / variance;
}

/** Options of {@link replicate}. */
export interface ReplicateOptions {
  seed: number;
  /** Replications to make (default 10), or the least number of them if `precision` is given. */
  replications?: number;
  /** Confidence level (default 0.95). */
  level?: number;
  /** Goes on until every interval's half-width is at most this part of its mean (0.05: within 5 %). */
  precision?: number;
  /** Most replications for `precision` (default 1,000). */
  maxReplications?: number;
}

/** The outputs of a model over independent replications, each with its interval. */
export interface Replications<K extends string> {
  intervals: Record<K, Interval>;
  /** Output by replication. */
  values: Record<K, number[]>;
}

/**
 * Runs a model again and again with independent streams and gives each output's mean with its Student-t confidence interval.
 * @param model one replication: draws from the streams that it is given, returns named outputs
 */
export function replicate<K extends string>(
  model: (streams: Streams, replication: number) => Record<K, number>,
  options: ReplicateOptions,
): Replications<K> {
  const { seed, replications = 10, level = 0.95, precision, maxReplications = 1000 } = options;
  if (!Number.isSafeInteger(replications) || replications < 2)
    throw new RangeError(`replications: a whole number, 2 or more; got ${replications}.`);
  const streams = new Streams(seed);
  const values = {} as Record<K, number[]>;
  let intervals = {} as Record<K, Interval>;
  for (let done = 0; ; ) {
    const outputs = model(streams.within(`replication ${done}`), done);
    for (const key of Object.keys(outputs) as K[]) (values[key] ??= []).push(outputs[key]);
    if (++done < replications) continue;
    intervals = mapValues(values, (list) => confidenceInterval(list, level));
    if (precision === undefined || done >= maxReplications) break;
    const all = Object.values(intervals) as Interval[];
    if (all.every(({ mean, high }) => high - mean <= precision * Math.abs(mean))) break;
  }
  return { intervals, values };
}

function mapValues<K extends string, A, B>(record: Record<K, A>, change: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value as A)])) as Record<K, B>;
}
