// `npm run bench:silicon:predict -- NAME [TIMES LINES]`: computes what the model says of a recorded machine of many cores (minutes), and keeps it in
// data/predictions/silicon-NAME.json, so that notebook 09 need not compute it each time. A test computes some of it anew.
// With TIMES and LINES: runs that last so many times as long, on cores that have so many lines of a run of loads under way at once (settings
// `times` and `streamedLines` of the experiment), with queued locks, three seeds and no draws.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { revision } from "../../../dist/cli/sweep/revision.js";
import { keptReads, recordedMachines, recordingHash, silicon } from "../../../dist/experiments/index.js";
import { basisOf, Facts } from "../../../dist/facts/index.js";
import { runOnWorkers } from "../../../dist/sweep/index.js";

const facts = Facts.published();
const [name, timesText, linesText] = process.argv.slice(2);
const times = Number(timesText ?? 1);
const streamedLines = Number(linesText ?? 1);
const asUsual = times === 1 && streamedLines === 1;
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
  {
    machines: [name],
    predictions: "anew",
    times,
    streamedLines,
    ...(asUsual ? {} : { locks: ["queued"], replications: 3, draws: 0 }),
  },
  { onProgress: (done, total) => process.stderr.write(`\r${done} of ${total} points`) },
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
  about: `What the model says of the machine of data/observations/silicon-${name}.json, from its latencies and from assumptions with ranges; made by npm run bench:silicon:predict -- ${name}${asUsual ? "" : ` ${times} ${streamedLines}`}.${asUsual ? "" : " Chosen after the measurement and the usual predictions had been seen."}`,
  machine: name,
  recording: recordingHash(facts, name),
  reads: keptReads(facts, names),
  replications,
  draws,
  seed,
  ...(asUsual ? {} : { times, streamedLines }),
  version,
  date: new Date().toISOString().slice(0, 10),
  columns,
};
const lines = rows.map((row) => JSON.stringify(columns.map((column) => row[column])));
const suffix = `${streamedLines > 1 ? `-${streamedLines}-lines` : ""}${times > 1 ? `-${times}-times` : ""}`;
const target = join(import.meta.dirname, "..", "..", "..", "data", "predictions", `silicon-${name}${suffix}.json`);
writeFileSync(target, `${JSON.stringify(head).slice(0, -1)},"rows":[\n${lines.join(",\n")}\n]}\n`);
console.error(`\n${target}: ${rows.length} rows; npm run build takes them.`);
