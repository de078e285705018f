// `npm run bench [-- NAME …]`: the benchmarks one after the other, and a line for each at the end. A benchmark's own words (`quick`, a
// subject) go to `npm run bench:NAME -- …`. Before each of them the machine is looked at: what else runs on it is in every number.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";

/** The benchmarks in their order: what each measures, and which of its lines sum it up (without any, the last). */
const benchmarks = {
  iova: { measures: "allocator replay, beside the same algorithm in C", sum: /geometric mean/ },
  dma: { measures: "the lock-contention simulation: seconds a point, quick and full", sum: /full, deferred/ },
  pages: { measures: "the page-size simulation: transfers a second", sum: /goal/ },
  flushing: { measures: "a card beside its host through the translation hardware: transfers a second", sum: /goal/ },
  mce: { measures: "the state explorer: states a second and bytes a state", sum: /Map of strings =/ },
  engine: { measures: "event queue, caches, a sweep on two workers, beside C and SimPy", sum: /2 workers/ },
  kernel: {
    measures: "the Jupyter kernel, beside tslab, ipykernel and Deno (needs a network once)",
    sum: /^(met|MISSED)/,
  },
  kills: { measures: "a sweep killed fifty times and resumed: a check rather than a time", sum: /kills over/ },
};

const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const known = Object.keys(benchmarks).filter((name) => `bench:${name}` in scripts);

const help = `npm run bench [-- NAME …]: run the benchmarks, one after the other, with a line for each at the end.

${known.map((name) => `  ${name.padEnd(9)} ${benchmarks[name].measures}`).join("\n")}

Without a name all of them run, which takes minutes. One benchmark with words of its own:
npm run bench:dma -- quick. A result counts only if the machine has nothing else to do: what else it did is said
before each benchmark and at the end.`;

const wanted = process.argv.slice(2);
if (wanted.some((word) => word === "--help" || word === "-h" || word === "help")) {
  console.log(help);
  process.exit(0);
}
const unknown = wanted.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(
    `bench: there is no benchmark "${unknown}"; there is ${known.join(", ")}. npm run bench -- --help says more.`,
  );
  process.exit(2);
}

/** More than this share of the cores at work before a benchmark begins: its times are not to be trusted. */
const tooBusy = 0.15;
const cores = availableParallelism();
const one = (value) => value.toFixed(1);

/** Cores that are busy now, by the processors' own counters over a second. */
async function busyCores() {
  const total = () =>
    cpus().reduce(
      ([busy, all], { times }) => {
        const sum = Object.values(times).reduce((a, b) => a + b, 0);
        return [busy + sum - times.idle, all + sum];
      },
      [0, 0],
    );
  const before = total();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = total();
  return after[1] > before[1] ? (cpus().length * (after[0] - before[0])) / (after[1] - before[1]) : 0;
}

/** What the machine does besides. The load average tells of the last minute, and so of our own last benchmark: it counts before the first. */
async function look(first) {
  const busy = await busyCores();
  const [load] = loadavg();
  const most = first ? Math.max(busy, load) : busy;
  const text = first
    ? `load average ${one(load)}, ${one(busy)} of ${cores} cores busy`
    : `${one(busy)} of ${cores} cores busy`;
  return { tooBusy: most > tooBusy * cores, text };
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
for (const [i, name] of chosen.entries()) {
  const machine = await look(i === 0);
  console.log(`\n== ${name}: ${benchmarks[name].measures}`);
  if (machine.tooBusy)
    console.log(`== The machine is busy (${machine.text}): these times will be too long, and their ratios doubtful.`);
  console.log("");
  const started = performance.now();
  const { ok, output, why } = await run(name);
  const seconds = (performance.now() - started) / 1000;
  const printed = output.split("\n").filter((line) => line.trim() !== "");
  const fitting = printed.filter((line) => benchmarks[name].sum.test(line)).map((line) => line.trim());
  const summary = fitting.length > 0 ? fitting.join("; ") : (printed.at(-1)?.trim() ?? "it printed nothing");
  if (!ok) failed++;
  if (machine.tooBusy) doubtful++;
  const mark = ok ? "" : `FAILED (${why}): `;
  lines.push(
    `${name.padEnd(9)} ${seconds.toFixed(0).padStart(5)} s  ${mark}${summary}${machine.tooBusy ? ` [busy: ${machine.text}]` : ""}`,
  );
}
console.log(`\n== ${chosen.length} benchmark${chosen.length === 1 ? "" : "s"}\n\n${lines.join("\n")}`);
if (doubtful > 0)
  console.log(
    `\n${doubtful} of them began on a busy machine (more than ${one(tooBusy * cores)} of ${cores} cores at work). Run them again when it is quiet.`,
  );
if (failed > 0) {
  console.error(`\nbench: ${failed} of ${chosen.length} failed.`);
  process.exitCode = 1;
}
