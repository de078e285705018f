import type { ColumnTable } from "arquero";
import { StoreError } from "../../files/index.js";
import { quoted } from "../cluster/script.js";
import { sweepConfigurations } from "../sweep.js";
import { gather } from "./collect.js";
import { manifestOf } from "./folder.js";
import { provenance } from "./results.js";
import { type SweepStatus, statusText, sweepStatus } from "./status.js";
import { Version } from "./version.js";
import { readWork } from "./work.js";

/** What there is of a sweep. As the last value of a cell it shows how far it is, and what is missing. */
export interface SweepResult {
  /** The rows of the configurations whose points are all there: as in table.arrow, of a design with draw, repetition and run. */
  table: ColumnTable;
  /** For each row the code, machine, shard and seconds behind it. */
  provenance: ColumnTable;
  status: SweepStatus;
  /** The configurations that have no rows yet: which, counted from 0, what was varied in them, and how many of their points are missing. */
  missing: { configuration: number; varied: Record<string, unknown>; points: number }[];
}

/** How many missing configurations are named where a result is shown. */
const mostShown = 10;

/**
 * Reads what a sweep has left in its folder, while it runs too.
 *
 * ```ts
 * const { table, missing } = await sweepResult("../results/sweeps/measured-host");
 * ```
 * @public
 * @param options `accept`: versions of code and data, as `--status` names them, whose points count although this is another one
 * @throws StoreError where the folder is none of a sweep, or its points are of other code or data
 */
export async function sweepResult(path: string, options: { accept?: readonly string[] } = {}): Promise<SweepResult> {
  const manifest = manifestOf(path);
  if (manifest === undefined)
    throw new StoreError(`${path}: expected the folder of a sweep, with its sweep.json; there is none.`);
  const work = readWork(JSON.stringify(manifest.file), `${path}/sweep.json`, manifest.draws);
  const version = new Version(undefined, options.accept);
  const status = sweepStatus(path, work, version);
  const { plan, rows } = gather(path, work, version);
  const left = plan.configurations.map((hashes) => hashes.filter((hash) => !rows.has(hash)).length);
  const there = plan.configurations.filter((_, i) => left[i] === 0);
  const { table } = await sweepConfigurations(
    work.experiment,
    work.configurations.filter((_, i) => left[i] === 0),
    { known: new Map([...rows].map(([hash, own]) => [hash, own.rows])), remembered: false },
  );
  const missing = work.configurations.flatMap(({ varied }, configuration) =>
    left[configuration] === 0 ? [] : [{ configuration, varied, points: left[configuration] }],
  );
  const result = { table, provenance: provenance({ plan: { configurations: there }, rows }), status, missing };
  return Object.defineProperty(result, Symbol.for("Jupyter.display"), {
    value: () => ({ "text/plain": resultText(path, result) }),
  });
}

function resultText(path: string, { table, status, missing }: SweepResult): string {
  const lines = missing
    .slice(0, mostShown)
    .map(
      ({ configuration, varied, points }) =>
        `missing: configuration ${configuration} ${JSON.stringify(varied)}, ${points} points`,
    );
  if (missing.length > mostShown) lines.push(`… and ${missing.length - mostShown} more`);
  if (missing.length > 0) lines.push(`npx iommu-lab sweep ${quoted(path)} computes what is missing.`);
  return `${statusText(path, status)}${table.numRows()} rows in the table.\n${lines.join("\n")}`.trimEnd();
}

/** A command that a notebook does not run. */
export interface SubmitCommand {
  command: string;
}

/**
 * The command that submits a sweep to a cluster. A cell submits nothing: run again with its notebook, it would do so each time.
 * @public
 * @param flags the command's options by their names
 * @example submitSweep("data/designs/measured-host.json", { on: "slurm", partition: "short" }).command
 * // "npx iommu-lab sweep data/designs/measured-host.json --on slurm --partition short"
 */
export function submitSweep(
  file: string,
  flags: Readonly<Record<string, string | number | boolean>> = {},
): SubmitCommand {
  const words = Object.entries<string | number | boolean>({ on: "slurm", ...flags }).flatMap(([name, value]) =>
    value === false ? [] : [`--${name}`, ...(value === true ? [] : [quoted(String(value))])],
  );
  const command = ["npx iommu-lab sweep", quoted(file), ...words].join(" ");
  return Object.defineProperty({ command }, Symbol.for("Jupyter.display"), {
    value: () => ({ "text/plain": `A notebook submits nothing. In a terminal:\n${command}` }),
  });
}
