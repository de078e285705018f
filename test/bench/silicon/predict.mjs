// `npm run bench:silicon:predict -- NAME`: computes what the model says of a recorded machine of many cores (minutes), and keeps it in
// data/predictions/silicon-NAME.json, so that notebook 09 need not compute it each time. A test computes some of it anew.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { revision } from "../../../dist/cli/sweep/revision.js";
import { keptReads, recordedMachines, recordingHash, silicon } from "../../../dist/experiments/index.js";
import { basisOf, Facts } from "../../../dist/facts/index.js";
import { runOnWorkers } from "../../../dist/sweep/index.js";

const facts = Facts.published();
const [name] = process.argv.slice(2);
if (!recordedMachines(facts).includes(name)) {
  console.error(
    `bench:silicon:predict: takes the name of a recorded machine: ${recordedMachines(facts).join(", ")}; got ${name}.`,
  );
  process.exit(2);
}
const version = revision();
if (!/^[0-9a-f]+$/.test(version)) {
  console.error(
    `bench:silicon:predict: predictions must name a revision that has their code; this is ${version}. Commit first.`,
  );
  process.exit(1);
}
const { config, rows } = await runOnWorkers(
  silicon,
  { machines: [name], predictions: "anew" },
  { onProgress: ({ done, total }) => process.stderr.write(`\r${done} of ${total} points`) },
);
/** What the predictions depend on: every way of mapping and lock, on one core. */
const read = new Set();
const basis = basisOf(facts.noting((one) => read.add(one)));
for (const point of silicon.points(config, basis))
  if (point.cores === 1) silicon.simulate({ ...point, draws: 0, replications: 2 }, basis);
const names = [...read].filter((one) => !one.startsWith("observations/"));
const columns = Object.keys(rows[0]);
const { replications, draws, seed } = config;
const head = {
  about: `What the model says of the machine of data/observations/silicon-${name}.json, from its latencies and from assumptions with ranges; made by npm run bench:silicon:predict -- ${name}.`,
  machine: name,
  recording: recordingHash(facts, name),
  reads: keptReads(facts, names),
  replications,
  draws,
  seed,
  version,
  date: new Date().toISOString().slice(0, 10),
  columns,
};
const lines = rows.map((row) => JSON.stringify(columns.map((column) => row[column])));
const target = join(import.meta.dirname, "..", "..", "..", "data", "predictions", `silicon-${name}.json`);
writeFileSync(target, `${JSON.stringify(head).slice(0, -1)},"rows":[\n${lines.join(",\n")}\n]}\n`);
console.error(`\n${target}: ${rows.length} rows; npm run build takes them.`);
