import type { RunCommand } from "../../dist/sweep/index.js";

/** How a task of the fake ends, and what it does before. */
export type FakeTask = (
  task: number,
  of: number,
  fake: FakeSlurm,
) => Promise<"COMPLETED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "CANCELLED">;

interface Job {
  id: string;
  /** The job that must end well before. */
  after: string | undefined;
  states: Map<number, string>;
}

/**
 * Slurm's commands as its manuals describe them, as far as a sweep needs them: arrays within MaxArraySize, dependencies, tasks that wait, run and
 * end as they are told to, a controller that is away, accounting that is off. A task moves by one state each time squeue is asked.
 */
export class FakeSlurm {
  readonly jobs: Job[] = [];
  /** How many of the next questions find no controller. */
  away = 0;
  accounting = true;
  /** Tasks, by name ("101_3"), that are for ever what they are said to be: a state, the time that squeue shows, a reason. */
  readonly stuck = new Map<string, string>();
  /** Whether even cancelled tasks stay that are stuck, as on a node that is dead. */
  deaf = false;

  constructor(
    private readonly task: FakeTask,
    private readonly maxArraySize = 1001,
  ) {}

  readonly run: RunCommand = async (command, args) => {
    const good = (stdout: string) => ({ status: 0, stdout, stderr: "" });
    const bad = (stderr: string) => ({ status: 1, stdout: "", stderr });
    if (this.away > 0 && command !== "sacct") {
      this.away--;
      return bad(`${command}: error: Unable to contact slurm controller (connect failure)\n`);
    }
    const value = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
    if (command === "scontrol")
      return args[1] === "config"
        ? good(`MaxArraySize            = ${this.maxArraySize}\n`)
        : good("JobState=FAILED Reason=x\n");
    if (command === "sbatch") {
      const script = await import("node:fs").then(({ readFileSync }) => readFileSync(args.at(-1) as string, "utf8"));
      const spec = value("array") ?? /^#SBATCH --array=(\S+)/m.exec(script)?.[1] ?? "0";
      const [first, last = first] = spec.split("-").map(Number);
      if (last >= this.maxArraySize)
        return bad("sbatch: error: Batch job submission failed: Invalid job array specification\n");
      const states = new Map(Array.from({ length: last - first + 1 }, (_, i) => [first + i, "PENDING"]));
      this.jobs.push({ id: `${100 + this.jobs.length}`, after: value("dependency")?.split(":")[1], states });
      return good(`${this.jobs.at(-1)?.id};lab\n`);
    }
    if (command === "squeue") {
      const lines = this.jobs.flatMap(({ id, states }) =>
        [...states]
          .filter(([, state]) => ["PENDING", "RUNNING"].includes(state))
          .map(([task, state]) => `${id}|${task}|${this.stuck.get(`${id}_${task}`) ?? `${state}|0:00|None`}`),
      );
      await this.step();
      return good(`${lines.join("\n")}\n`);
    }
    if (command === "sacct") {
      if (!this.accounting) return bad("Slurm accounting storage is disabled\n");
      const job = this.jobs.find(({ id }) => id === args[args.indexOf("-j") + 1]);
      return good([...(job?.states.values() ?? [])].join("\n"));
    }
    if (command === "scancel") {
      for (const { id, states } of this.jobs)
        for (const [task, state] of states) {
          const name = `${id}_${task}`;
          if (/ED$/.test(state) || !(args.includes(id) || args.includes(name))) continue;
          if (!(this.deaf && this.stuck.has(name))) states.set(task, "CANCELLED");
        }
      return good("");
    }
    return { status: 127, stdout: "", stderr: "" };
  };

  private async step(): Promise<void> {
    for (const job of this.jobs) {
      const before = this.jobs.find(({ id }) => id === job.after);
      const ends = before && [...before.states.values()];
      if (ends?.some((state) => ["PENDING", "RUNNING"].includes(state))) continue;
      for (const [task, state] of job.states) {
        if (this.stuck.has(`${job.id}_${task}`)) continue;
        if (state === "RUNNING") job.states.set(task, await this.task(task, job.states.size, this));
        else if (state === "PENDING")
          // What waits for a job that failed never runs, and is taken out (--kill-on-invalid-dep).
          job.states.set(task, ends?.some((end) => end !== "COMPLETED") ? "CANCELLED" : "RUNNING");
      }
    }
  }
}
