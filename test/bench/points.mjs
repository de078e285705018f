// Points of experiments, each case in a process of its own: alone, as somebody's first cell computes it, and in a series, as a sweep does.
// What a reader waits for is the wall time. The CPU time is all threads', V8's compilers on other cores among them: a process's first point costs
// more of it than its clock shows. Loading the code is in neither.
// Usage: npm run bench:points          until the intervals are narrow, or it says that they are not
//        node test/bench/points.mjs ROOT CASE    one measurement, for the compiled code under ROOT (npm run bench -- --compare REV)
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { interval, look, remember, repeat } from "./repeat.mjs";

/**
 * What is measured: a configuration of an experiment, and how many of its points; `run` says what is other in a point's run. What is `long` is
 * measured only where it is asked for.
 */
export const cases = {
  "deferred, alone": {
    experiment: "lock-contention",
    config: { variants: ["deferred"], cores: [16], replications: 1 },
    points: 1,
  },
  "deferred, series of 20": {
    experiment: "lock-contention",
    config: { variants: ["deferred"], cores: [16], replications: 20 },
    points: 20,
  },
  "strict, series of 8": {
    experiment: "lock-contention",
    config: { variants: ["strict"], cores: [16], replications: 8 },
    points: 8,
  },
  "merged, series of 8": {
    experiment: "lock-contention",
    config: { variants: ["merged-deferred"], cores: [16], replications: 8 },
    points: 8,
  },
  "deferred, 200,000 transactions": {
    experiment: "lock-contention",
    config: { variants: ["deferred"], cores: [16], replications: 1, fidelity: "full" },
    points: 1,
    run: { warmup: 10_000, transactions: 190_000 },
    long: true,
  },
  "page sizes": { experiment: "page-sizes", config: { parts: ["thread"] }, points: 6 },
};

/** The cases that are measured where none is named. */
export const shortCases = Object.keys(cases).filter((name) => !cases[name].long);

/** One measurement, in seconds a point: `cpu` of all threads of its process, `wall` by the clock. */
export function measure(root, name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), root, name], {
    encoding: "utf8",
  });
  if (status !== 0) {
    const why = stderr.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? `exit code ${status}`;
    throw new Error(`${name}, of the code in ${root}: ${why}`);
  }
  return JSON.parse(stdout);
}

async function once(root, name) {
  const { experiment: id, config, points, run } = cases[name];
  const { basisOf, Facts } = await import(resolve(root, "dist/facts/index.js"));
  const { experimentByName } = await import(resolve(root, "dist/experiments/index.js"));
  const experiment = experimentByName(id);
  const basis = basisOf(Facts.published());
  const all = experiment
    .points(experiment.parse(config), basis)
    .slice(0, points)
    .map((point) => (run ? { ...point, run: { ...point.run, ...run } } : point));
  const began = performance.now();
  const before = process.cpuUsage();
  for (const point of all) experiment.simulate(point, basis);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6 / all.length, wall: (performance.now() - began) / 1000 / all.length };
}

const widthOf = (times) => interval(times).half / interval(times).mean;

async function all() {
  const machine = await look();
  console.log(
    `Seconds a point, 95 %, one point after the other: by the clock, and CPU of all threads (${machine.text}).`,
  );
  for (const name of shortCases) {
    const { values, enough } = await repeat(
      () => measure(".", name),
      (some) => Math.max(...["wall", "cpu"].map((time) => widthOf(some.map((one) => one[time])))),
    );
    const [wall, cpu] = ["wall", "cpu"].map((time) => interval(values.map((one) => one[time])));
    const { mean, half, n } = cpu;
    const doubt = `${enough ? "" : "  NOT NARROW"}${machine.tooBusy ? "  BUSY" : ""}`;
    const shown = ({ mean, half }) => `${mean.toFixed(3)} s ± ${half.toFixed(3)}`;
    console.log(`${name.padEnd(24)} wall ${shown(wall)}, CPU ${shown(cpu)}  (${n} processes)${doubt}`);
    const { busy, load } = machine;
    // `seconds` are CPU seconds, as in the lines of before.
    remember({
      ...{ bench: "points", case: name, seconds: mean, half, wall: wall.mean, wallHalf: wall.half },
      ...{ n, enough, busy, load },
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root, name] = process.argv.slice(2);
  if (name === undefined) await all();
  else process.stdout.write(JSON.stringify(await once(root, name)));
}
