// The sweep that is killed: 40 points of 0.2 s, over the same store and files as `iommu-lab sweep`.
import { join } from "node:path";
import { arrowBytes, lockFolder, PointStore, sweepConfigurations, writeWhole } from "iommu-lab/sweep";
import { steady } from "./toy-experiment.mjs";

const [folder, jobs] = process.argv.slice(2);
const unlock = lockFolder(folder);
const configurations = Array.from({ length: 40 }, (_, value) => ({ input: { value }, varied: { value } }));
const remembered = new PointStore(join(folder, "points"), { takes: (experiment) => experiment === steady });
console.log("begin");
const { runs, table } = await sweepConfigurations(steady, configurations, {
  jobs: Number(jobs),
  from: new URL("./toy-experiment.mjs", import.meta.url).href,
  remembered,
  onPoint: (hash) => console.log(`done ${hash}`),
});
writeWhole(join(folder, "table.arrow"), arrowBytes(table));
writeWhole(
  join(folder, "runs.json"),
  JSON.stringify(runs.map(({ hash, config, run }) => ({ hash, config, rows: run.rows }))),
);
unlock();
