// A process of the sweep that is killed: 40 points of 0.2 s, into a folder that others share. `killed-child.mjs FOLDER i/N JOBS` computes a shard,
// `killed-child.mjs FOLDER collect` writes the results.
import { configHash } from "iommu-lab/experiments";
import { gather, runShard, shardOf, writeResults } from "iommu-lab/sweep";
import { steady } from "./toy-experiment.mjs";

const [folder, what, jobs] = process.argv.slice(2);
const configurations = Array.from({ length: 40 }, (_, value) => ({ input: { value }, varied: { value } }));
const work = {
  experiment: steady,
  configurations,
  identity: configHash("steady", {}),
  file: {},
  from: new URL("./toy-experiment.mjs", import.meta.url).href,
};
if (what === "collect") {
  const gathered = gather(folder, work);
  const repeated = gathered.states.spare.length;
  await writeResults(folder, work, gathered, "none");
  console.log(JSON.stringify({ repeated }));
} else {
  console.log("begin");
  const { computed } = await runShard(folder, work, { shard: shardOf(what), jobs: Number(jobs) });
  console.log(JSON.stringify({ computed }));
}
