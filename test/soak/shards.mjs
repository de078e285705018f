// Four overlapping shards of a sweep, killed at random moments and started again: each sweep that they finish is, byte for byte, what one
// process gives.
import { killedSweeps } from "../sweep/killed.mjs";
import { Random } from "./random.mjs";

export const defaultCount = 50;

export async function soak({ count, seed, say }) {
  const random = new Random(seed);
  const found = await killedSweeps({
    kills: count,
    jobs: 2,
    random: () => random.next(),
    onKill: (n, shard) => n % 10 === 0 && say(`${n} kills, the last of shard ${shard}`),
  });
  const { killed, finished, different, repeated } = found;
  return {
    report: `${killed} kills over ${finished} sweeps of 40 points in 4 overlapping shards (seed ${seed}): ${different} results differ; ${repeated} points were computed more than once`,
    faults: different > 0 ? [`${different} results differ (seed ${seed})`] : [],
  };
}
