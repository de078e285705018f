import type { Command } from "commander";
import { withFresh, withJobs } from "../options.js";
import type { ClusterFlags } from "./cluster.js";
import { sweepAction } from "./run.js";

const format = `
The file is JSON:
  {"experiment": "merged-nodes", "base": {"seed": 1}, "space": {FIELD: [VALUE, …], FIELD: {"low": 1, "high": 9, "whole": true}},
   "samples": 40, "seed": 1}
Lists of values make a grid; ranges make a Latin hypercube of so many samples at each point of the grid.
With "sensitivity": {"output": "recovered", "trajectories": 10} instead of samples, the lists are choices and every parameter's elementary
effect on that number is found (Morris): which parameters move it, and how much. A range over "seed" shows what chance alone does.
"iommu-lab run EXPERIMENT --help" lists the fields. A folder that a sweep was run into stands for the file.

In the folder: with a sensitivity analysis sensitivity.json (effects and their plotly figure); always table.arrow (all rows, for Arrow, pandas, R
or Arquero), provenance.arrow (for each row the code, machine, shard and seconds behind it), runs.json (each configuration, its hash and claims),
sweep.json (what was asked for) and shards/ (the points). A run that was interrupted or killed goes on from these: only what is missing is computed.

A design of data/designs (with "runs", "again" and "keep") gives ensemble.json instead of a table: a line a draw with the numbers that are
kept, and the first draws again with other seeds. --draws 50 runs its first 50; more of them go on from there.

On several machines that share a folder: run  --shard 1/4 --out FOLDER  on one,  --shard 2/4 --out FOLDER  on the next, and so on, in any order, on as
many as there are; then  --collect --out FOLDER  once. No machine waits for another; a shard that is run twice, or again after a kill, takes what is
there. The result has the bytes that one process gives.

With Slurm: --on slurm writes and submits a job array, follows it, submits again what killed tasks have left, and collects. A first task looks
whether the workers have Node.js and the built laboratory. Ctrl-C leaves it running.`;

/** `iommu-lab sweep`: an experiment over many configurations, into a folder. */
export function sweepCommand(program: Command): void {
  withFresh(withJobs(program.command("sweep")))
    .argument("<file>", "what to run: a JSON file, or the folder of a sweep; - for stdin")
    .description("run an experiment over a grid or a Latin hypercube of configurations, and keep every point")
    .option("--draws <n>", "of a design, its first so many draws (default: all)")
    .option("-o, --out <folder>", "where the results go (default: results/sweeps/NAME)")
    .option("--shard <i/N>", "compute the i-th of N parts of the points, and collect nothing")
    .option("--collect", "compute nothing: write the results from the points that are there, where all are")
    .option(
      "--keep",
      "of a design of data/designs: its draws become data/ensembles/NAME.json, with the revision of their code",
    )
    .option("--retry-failed", "compute the points again that failed")
    .option(
      "--status",
      "say how far it is: done, running, failed and missing points, by shard and process; computes nothing",
    )
    .option("--json", "with --status: everything as JSON")
    .option("--accept <version...>", "take points of this other code or data as they are")
    .option(
      "--on <scheduler>",
      "slurm: submit the shards, follow them and collect; with --dry-run also pbs, lsf, kubernetes, parallel",
    )
    .option("--dry-run", "print the scheduler's script, and submit nothing")
    .option("--attach", "follow again what was submitted to Slurm")
    .option("--cancel", "end what was submitted to Slurm; what is done stays")
    .option("--partition <name>", "where the scheduler may run it (a queue of PBS or LSF)")
    .option("--account <name>", "who pays (a project of LSF)")
    .option("--qos <name>", "Slurm's quality of service")
    .option("--constraint <features>", "features that Slurm's nodes must have")
    .option(
      "--time <time>",
      "the longest that a task may take: 30 (minutes), 2:00:00, 1-12:00:00 (default: four times what is expected)",
    )
    .option("--mem <size>", "a task's memory: 4G")
    .option("--max-tasks <n>", "tasks of an array at most (default: 100, and what the scheduler takes)")
    .option("--task-minutes <minutes>", "how long a task should take (default: 5)")
    .option("--setup <line>", "a line of your own before a task's command: 'module load nodejs/20'")
    .option("--prefix <command>", "what stands before a task's command: 'apptainer exec lab.sif'")
    .option("--image <name>", "Kubernetes: the image with Node.js (default: node:20)")
    .option("--claim <name>", "Kubernetes: the volume claim with laboratory and folder (default: shared)")
    .option("--poll <seconds>", "how often Slurm is asked (default: 5)")
    .option(
      "--patience <seconds>",
      "how long a running task may give no sign of life until its points are submitted again (default: 120; five times that until its first)",
    )
    .addHelpText("after", format)
    .action((file: string, flags: ClusterFlags) => sweepAction(file, flags));
}
