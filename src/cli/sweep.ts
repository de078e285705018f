import { basename, extname, join } from "node:path";
import type { Command } from "commander";
import type { Design } from "../experiments/index.js";
import {
  arrowBytes,
  ensembleText,
  layered,
  lockFolder,
  PointStore,
  planDesign,
  readDesign,
  readSweepFile,
  runDesign,
  sensitivityText,
  sweepConfigurations,
  userPoints,
  writeWhole,
} from "../sweep/index.js";
import { UserError } from "./errors.js";
import { readText } from "./files.js";
import { git } from "./git.js";
import { interruptible } from "./interrupt.js";
import { jobsOf, withFresh, withJobs } from "./options.js";
import { Progress } from "./progress.js";

interface SweepFlags {
  out?: string;
  draws?: string;
  jobs?: number;
  fresh?: boolean;
}

const format = `
The file is JSON:
  {"experiment": "merged-nodes", "base": {"seed": 1}, "space": {FIELD: [VALUE, …], FIELD: {"low": 1, "high": 9, "whole": true}},
   "samples": 40, "seed": 1}
Lists of values make a grid; ranges make a Latin hypercube of so many samples at each point of the grid.
With "sensitivity": {"output": "recovered", "trajectories": 10} instead of samples, the lists are choices and every parameter's elementary
effect on that number is found (Morris): which parameters move it, and how much. A range over "seed" shows what chance alone does.
"iommu-lab run EXPERIMENT --help" lists the fields.

In the folder: with a sensitivity analysis sensitivity.json (effects and their plotly figure); always table.arrow (all rows, for Arrow, pandas, R or Arquero), runs.json (each configuration, its hash and claims) and points/,
a file a point. A run that was interrupted or killed goes on from these: only what is missing is computed.

A design of data/designs (with "runs", "again" and "keep") gives ensemble.json instead of a table: a line a draw with the numbers that are
kept, and the first draws again with other seeds. --draws 50 runs its first 50; more of them go on from there.`;

/** `iommu-lab sweep`: an experiment over many configurations, into a folder. */
export function sweepCommand(program: Command): void {
  withFresh(withJobs(program.command("sweep")))
    .argument("<file>", "what to run: a JSON file; - for stdin")
    .description("run an experiment over a grid or a Latin hypercube of configurations, and keep every point")
    .option("--draws <n>", "of a design, its first so many draws (default: all)")
    .option("-o, --out <folder>", "where the results go (default: results/sweeps/NAME)")
    .addHelpText("after", format)
    .action(sweepAction);
}

async function sweepAction(file: string, flags: SweepFlags): Promise<void> {
  const text = readText(file);
  const folder = flags.out ?? join("results", "sweeps", file === "-" ? "stdin" : basename(file, extname(file)));
  const design = readDesign(text, file);
  if (design) return designAction(design, folder, flags);
  if (flags.draws !== undefined) throw new UserError("--draws: only for a design, which says what is drawn.");
  const plan = readSweepFile(text, file);
  const unlock = lockFolder(folder);
  const progress = new Progress();
  const ended = "Interrupted; every finished point is kept, and the same command goes on from there.";
  await interruptible(ended, async (signal) => {
    const { experiment, configurations } = plan;
    const points = configurations.flatMap(({ input }) => experiment.points(experiment.parse(input)));
    const remembered = layered(new PointStore(join(folder, "points")), userPoints(flags));
    let computed = 0;
    const { runs, table } = await sweepConfigurations(experiment, configurations, {
      remembered,
      onPoint: () => computed++,
      onProgress: progress.tell,
      signal,
      ...jobsOf(flags),
    });
    writeWhole(join(folder, "table.arrow"), arrowBytes(table));
    const listed = runs.map(({ hash, config, run }, i) => ({
      hash,
      varied: configurations[i].varied,
      config,
      claims: run.claims,
    }));
    writeWhole(
      join(folder, "runs.json"),
      `${JSON.stringify({ experiment: experiment.name, runs: listed }, null, 1)}\n`,
    );
    progress.end();
    if (plan.sensitivity) {
      const found = plan.sensitivity.analyse(runs.map(({ run }) => run));
      const { output, effects, figure } = found;
      const { data, layout, caption } = figure;
      const whole = { experiment: experiment.name, output, effects, figure: { data, layout, caption } };
      writeWhole(join(folder, "sensitivity.json"), `${JSON.stringify(whole, null, 1)}\n`);
      process.stdout.write(sensitivityText(found));
    }
    process.stdout.write(
      `${runs.length} configurations, ${points.length} points (${computed} computed, the others kept from before or equal to them), ` +
        `${table.numRows()} rows in ${join(folder, "table.arrow")}.\n`,
    );
  }).finally(() => {
    progress.end();
    unlock();
  });
}

async function designAction(design: Design, folder: string, flags: SweepFlags): Promise<void> {
  const plan = planDesign(design, flags.draws === undefined ? design.samples : Number(flags.draws));
  const unlock = lockFolder(folder);
  const progress = new Progress();
  const ended = "Interrupted; every finished point is kept, and the same command goes on from there.";
  await interruptible(ended, async (signal) => {
    const remembered = layered(new PointStore(join(folder, "points")), userPoints(flags));
    let computed = 0;
    const ensemble = await runDesign(
      plan,
      {
        version: git("rev-parse", "--short=12", "HEAD") ?? "not a checkout",
        date: new Date().toISOString().slice(0, 10),
      },
      {
        remembered,
        onPoint: () => computed++,
        onProgress: progress.tell,
        signal,
        ...jobsOf(flags),
      },
    );
    const target = join(folder, "ensemble.json");
    writeWhole(target, ensembleText(ensemble));
    progress.end();
    process.stdout.write(
      `${ensemble.draws.length} of ${design.samples} draws, ${plan.points.flat().length} points (${computed} computed, the others kept from before or equal to them) in ${target}.\n`,
    );
  }).finally(() => {
    progress.end();
    unlock();
  });
}
