import { ConfigError } from "../../experiments/index.js";

/** A part of a sweep's points: the `index`-th of `count`, counted from 1. */
export interface Shard {
  index: number;
  count: number;
}

/** The whole of it. */
export const wholeSweep: Shard = { index: 1, count: 1 };

/** More parts than this are asked for by mistake; schedulers take far fewer. */
const mostShards = 100_000;

/**
 * A shard as the command line names it.
 * @throws ConfigError saying what is accepted
 * @example shardOf("3/8") // { index: 3, count: 8 }
 */
export function shardOf(text: string): Shard {
  const [index, count] = (/^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []).slice(1).map(Number);
  if (index === undefined || index < 1 || count < index || count > mostShards)
    throw new ConfigError(
      `--shard: i/N with i from 1 to N and N at most ${mostShards.toLocaleString("en")}, as 3/8; got ${JSON.stringify(text.slice(0, 40))}.`,
    );
  return { index, count };
}

/** A shard's points: every `count`-th of the different points, so that neighbours, which cost alike, go to different shards. */
export const pointsOfShard = (points: readonly string[], { index, count }: Shard): string[] =>
  points.filter((_, i) => i % count === index - 1);

/** Whether two shards have no point in common, whatever the points are. */
export const disjoint = (a: Shard, b: Shard): boolean => {
  const common = gcd(a.count, b.count);
  return a.index % common !== b.index % common;
};

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** "3/8" */
export const shardText = ({ index, count }: Shard): string => `${index}/${count}`;
