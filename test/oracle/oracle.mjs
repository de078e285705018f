// The oracle of a rebuilding: that no simulated result changes.
//
//   node test/oracle/oracle.mjs record   draws configurations and stores what `simulate` gives for them today (on purpose only)
//   node test/oracle/oracle.mjs renew    stores what today's code gives for the same configurations, where it differs: a declared change of results
//   node test/oracle/oracle.mjs          gives the same configurations to today's code and names those whose rows are others
//
// `expected.jsonl` holds, for every experiment at its defaults and for 200 drawn configurations, a hash of the rows before any
// aggregation. Where a rebuilding renames a field or a column, `renames.mjs` says how, once; nothing else may differ.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { draw } from "./draw.mjs";
import { newConfig, oldRow } from "./renames.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const file = join(here, "expected.jsonl");
const { canonicalJson, experimentByName, experiments } = await import("iommu-lab/experiments");

/** Rows of a configuration, point by point, hashed; `most` points at most, spread over all of them. */
function hashOf({ experiment: name, config, most }) {
  const experiment = experimentByName(name);
  const points = experiment.points(experiment.parse(newConfig(name, config)));
  const step = most === undefined ? 1 : Math.max(1, points.length / most);
  const hash = createHash("sha256");
  let rows = 0;
  const started = performance.now();
  for (let at = 0; at < points.length; at += step) {
    for (const row of experiment.simulate(points[Math.floor(at)])) {
      hash.update(canonicalJson(oldRow(name, row)));
      rows++;
    }
  }
  return {
    points: points.length,
    rows,
    seconds: (performance.now() - started) / 1000,
    sha256: hash.digest("hex").slice(0, 24),
  };
}

/** Gives the cases to two threads, one after another; the answers in the order of the cases. */
async function hashAll(cases, onDone) {
  const answers = new Array(cases.length);
  let next = 0;
  await Promise.all(
    [0, 1].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(fileURLToPath(import.meta.url), { workerData: "hash" });
          const give = () => {
            if (next === cases.length) return worker.postMessage(null);
            worker.postMessage({ at: next, one: cases[next++] });
          };
          worker.on("message", ({ at, answer }) => {
            answers[at] = answer;
            onDone(at, answer);
            give();
          });
          worker.on("error", reject);
          worker.on("exit", resolve);
          give();
        }),
    ),
  );
  return answers;
}

if (!isMainThread && workerData === "hash") {
  parentPort.on("message", (message) => {
    if (message === null) return parentPort.close();
    const { at, one } = message;
    let answer;
    try {
      answer = hashOf(one);
    } catch (error) {
      answer = { error: String(error?.message ?? error).split("\n")[0] };
    }
    parentPort.postMessage({ at, answer });
  });
} else if (process.argv[2] === "record") {
  const cases = [...experiments().map(({ name }) => ({ experiment: name, config: {}, most: 40 })), ...draw(200)];
  const answers = await hashAll(cases, (at, answer) =>
    console.log(at, cases[at].experiment, answer.seconds?.toFixed(2), answer.error ?? ""),
  );
  const stored = cases.map((one, i) => {
    const { seconds, ...answer } = answers[i];
    return { ...one, ...answer };
  });
  writeFileSync(file, `${stored.map((one) => JSON.stringify(one)).join("\n")}\n`);
} else {
  const renew = process.argv[2] === "renew";
  const only = renew ? undefined : process.argv[2];
  const cases = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ experiment }) => only === undefined || experiment.startsWith(only));
  const started = performance.now();
  const different = [];
  const renewed = [...cases];
  await hashAll(cases, (at, answer) => {
    const want = cases[at];
    const same = answer.error === want.error && answer.sha256 === want.sha256;
    if (!same) {
      different.push(want);
      if (renew) {
        const { seconds, ...now } = answer;
        renewed[at] = {
          experiment: want.experiment,
          config: want.config,
          ...(want.most ? { most: want.most } : {}),
          ...now,
        };
      }
      const got = answer.error ?? `${answer.rows} rows, ${answer.sha256}`;
      console.log(
        `differs: ${want.experiment} ${JSON.stringify(want.config)}\n  got ${got}; stored ${want.error ?? `${want.rows} rows, ${want.sha256}`}`,
      );
    }
  });
  console.log(
    `${cases.length - different.length} of ${cases.length} configurations give the stored rows, in ${((performance.now() - started) / 1000).toFixed(0)} s.`,
  );
  if (renew) writeFileSync(file, `${renewed.map((one) => JSON.stringify(one)).join("\n")}\n`);
  else process.exitCode = different.length > 0 ? 1 : 0;
}
