// `npm run bench:kills [seed]`: a sweep of 40 points of 0.2 s, killed at fifty random moments and resumed, beside an undisturbed one.
import { Streams } from "iommu-lab/engine";
import { killedSweeps } from "../sweep/killed.mjs";

const seed = Number(process.argv[2] ?? 1);
const random = new Streams(seed).stream("kills");
const found = await killedSweeps({
  kills: 50,
  jobs: 2,
  random: () => random.uniform(),
  onKill: (n, kept) => console.log(`kill ${n}: ${kept} of 40 points kept`),
});
console.log(
  `${found.killed} kills over ${found.finished} sweeps (seed ${seed}): ${found.different} results differ, ${found.broken} broken points, ${found.lost} finished points lost.`,
);
process.exitCode = found.different + found.broken + found.lost > 0 ? 1 : 0;
