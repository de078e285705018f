// Points of experiments, each case in a process of its own: alone, as somebody's first cell computes it, and in a series, as a sweep does.
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

/** One measurement: CPU seconds a point. */
export function measure(root, name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), root, name], {
    encoding: "utf8",
  });
  if (status !== 0) {
    const why = stderr.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? `exit code ${status}`;
    throw new Error(`${name}, of the code in ${root}: ${why}`);
  }
  return Number(stdout);
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
  const before = process.cpuUsage();
  for (const point of all) experiment.simulate(point, basis);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / all.length;
}

async function all() {
  const machine = await look();
  console.log(`CPU seconds a point, 95 % (${machine.text}).`);
  for (const name of shortCases) {
    const { values, enough } = await repeat(
      () => measure(".", name),
      (some) => interval(some).half / interval(some).mean,
    );
    const { mean, half, n } = interval(values);
    const doubt = `${enough ? "" : "  NOT NARROW"}${machine.tooBusy ? "  BUSY" : ""}`;
    console.log(`${name.padEnd(24)} ${mean.toFixed(3)} s ± ${half.toFixed(3)}  (${n} processes)${doubt}`);
    remember({ bench: "points", case: name, seconds: mean, half, n, enough, busy: machine.busy, load: machine.load });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root, name] = process.argv.slice(2);
  if (name === undefined) await all();
  else process.stdout.write(String(await once(root, name)));
}
