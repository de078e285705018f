// `npm run bench [-- NAME …]`: the benchmarks one after the other, and a line for each at the end. A benchmark's own words (`quick`, a
// subject) go to `npm run bench:NAME -- …`. Before each of them the machine is looked at: what else runs on it is in every number.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { compare } from "./compare.mjs";
import { cases } from "./points.mjs";
import { look, remember } from "./repeat.mjs";

/** The benchmarks in their order: what each measures, and which of its lines sum it up (without any, the last). */
const benchmarks = {
  iova: { measures: "allocator replay, beside the same algorithm in C", sum: /geometric mean/ },
  dma: { measures: "the lock-contention simulation: seconds a point, quick and full", sum: /full, deferred/ },
  points: {
    measures: "points of experiments, alone and in a series, until the intervals are narrow",
    sum: /series of 20/,
  },
  pages: { measures: "the page-size simulation: transfers a second", sum: /goal/ },
  flushing: { measures: "a card beside its host through the translation hardware: transfers a second", sum: /goal/ },
  mce: { measures: "the state explorer: states a second and bytes a state", sum: /Map of strings =/ },
  engine: { measures: "event queue, caches, a sweep on two workers, beside C and SimPy", sum: /2 workers/ },
  kernel: {
    measures: "the Jupyter kernel, beside tslab, ipykernel and Deno (needs a network once)",
    sum: /^(met|MISSED)/,
  },
  silicon: { measures: "this machine itself, in C: latencies and the workload for real (2 minutes)", sum: /runs in/ },
  shards: { measures: "what keeping 100,000 points of a sweep costs, a point, and its status", sum: /goal/ },
};

const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const known = Object.keys(benchmarks).filter((name) => `bench:${name}` in scripts);

const help = `npm run bench [-- NAME …]: run the benchmarks, one after the other, with a line for each at the end.

${known.map((name) => `  ${name.padEnd(9)} ${benchmarks[name].measures}`).join("\n")}

Without a name all of them run, which takes minutes. One benchmark with words of its own:
npm run bench:dma -- quick. A result counts only if the machine has nothing else to do: what else it did is said
before each benchmark and at the end, and kept with the result in test/bench/history.jsonl.

npm run bench -- --compare REV [CASE …]: the code of a revision and the code as it stands (or REV..OTHER, two revisions),
measured in turns; ratios with their intervals. The cases: ${Object.keys(cases).join("; ")}.`;

const wanted = process.argv.slice(2);
if (wanted.some((word) => word === "--help" || word === "-h" || word === "help")) {
  console.log(help);
  process.exit(0);
}
if (wanted[0] === "--compare") {
  const [, revision, ...chosen] = wanted;
  const none = chosen.find((name) => !Object.hasOwn(cases, name));
  if (revision === undefined || none !== undefined) {
    console.error(
      revision === undefined
        ? "bench: --compare takes a revision, as in --compare main."
        : `bench: there is no case "${none}"; there is ${Object.keys(cases).join("; ")}.`,
    );
    process.exit(2);
  }
  try {
    await compare(revision, chosen.length > 0 ? chosen : undefined);
  } catch (error) {
    console.error(`bench: ${error.message}`);
    process.exit(1);
  }
  process.exit(0);
}
const unknown = wanted.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(
    `bench: there is no benchmark "${unknown}"; there is ${known.join(", ")}. npm run bench -- --help says more.`,
  );
  process.exit(2);
}

/** Runs `npm run bench:NAME`, shows what it prints, and keeps it. */
function run(name) {
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "--silent", `bench:${name}`], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on("error", (error) => resolve({ ok: false, output, why: error.message }));
    child.on("close", (status, signal) => resolve({ ok: status === 0, output, why: signal ?? `exit code ${status}` }));
  });
}

const chosen = wanted.length > 0 ? wanted : known;
const lines = [];
let failed = 0;
let doubtful = 0;
for (const name of chosen) {
  const machine = await look();
  console.log(`\n== ${name}: ${benchmarks[name].measures}`);
  if (machine.tooBusy) console.log(`== The machine is busy (${machine.text}): these times will be too long.`);
  else console.log(`== ${machine.text}`);
  console.log("");
  const started = performance.now();
  const { ok, output, why } = await run(name);
  const seconds = (performance.now() - started) / 1000;
  const printed = output.split("\n").filter((line) => line.trim() !== "");
  const fitting = printed.filter((line) => benchmarks[name].sum.test(line)).map((line) => line.trim());
  const summary = fitting.length > 0 ? fitting.join("; ") : (printed.at(-1)?.trim() ?? "it printed nothing");
  if (!ok) failed++;
  if (machine.tooBusy) doubtful++;
  remember({ bench: name, seconds, ok, summary, busy: machine.busy, load: machine.load });
  const mark = ok ? "" : `FAILED (${why}): `;
  lines.push(
    `${name.padEnd(9)} ${seconds.toFixed(0).padStart(5)} s  ${mark}${summary}${machine.tooBusy ? ` [busy: ${machine.text}]` : ""}`,
  );
}
console.log(`\n== ${chosen.length} benchmark${chosen.length === 1 ? "" : "s"}\n\n${lines.join("\n")}`);
if (doubtful > 0) console.log(`\n${doubtful} of them began on a busy machine. Run them again when it is quiet.`);
if (failed > 0) {
  console.error(`\nbench: ${failed} of ${chosen.length} failed.`);
  process.exitCode = 1;
}
