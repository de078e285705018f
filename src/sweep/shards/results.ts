import { join } from "node:path";
import type { ColumnTable } from "arquero";
import { type Row, tableOf } from "../../experiments/index.js";
import { StoreError, writeWhole } from "../../files/index.js";
import { drawsOf, ensembleFrom, ensembleText } from "../design.js";
import type { Sensitivity } from "../sensitivity.js";
import { arrowBytes, sweepConfigurations } from "../sweep.js";
import type { Gathered } from "./collect.js";
import { shardText } from "./shard.js";
import type { Work } from "./work.js";

/** What a sweep's results came to. */
export interface Written {
  configurations: number;
  points: number;
  /** The file with the result, and how many rows (of a design: draws) it has. */
  file: string;
  rows: number;
  sensitivity?: Sensitivity;
}

/**
 * Writes the results of a sweep whose points are all there: table.arrow and runs.json, or ensemble.json of a design, and provenance.arrow. Bytes
 * depend on the rows alone (an ensemble's date and version aside), not on who computed which.
 * @param version the revision that an ensemble names
 * @throws StoreError where points are missing, or a file cannot be written
 */
export async function writeResults(folder: string, work: Work, gathered: Gathered, version: string): Promise<Written> {
  const { plan, rows, missing } = gathered;
  if (missing.length > 0) throw new StoreError(missingText(folder, work, gathered));
  const about = { configurations: work.configurations.length, points: plan.configurations.flat().length };
  writeWhole(join(folder, "provenance.arrow"), arrowBytes(provenance(gathered)));
  if (work.design) {
    const { design, draws } = work.design;
    const own = plan.configurations.map((hashes) => hashes.flatMap((hash) => rows.get(hash)?.rows ?? []));
    const last = [...rows.values()].reduce((latest, { entry }) => Math.max(latest, entry.t), 0);
    const date = new Date(last).toISOString().slice(0, 10);
    const read = [...rows.values()].flatMap(({ entry: { segment, r } }) => Object.keys(segment.reads.get(r) ?? {}));
    const ensemble = ensembleFrom(drawsOf(design, draws), own, read, { version, date });
    const file = join(folder, "ensemble.json");
    writeWhole(file, ensembleText(ensemble));
    return { ...about, file, rows: ensemble.draws.length };
  }
  const { experiment, configurations } = work;
  const { runs, table } = await sweepConfigurations(experiment, configurations, {
    known: new Map([...rows].map(([hash, own]) => [hash, own.rows])),
    remembered: false,
  });
  const file = join(folder, "table.arrow");
  writeWhole(file, arrowBytes(table));
  const listed = runs.map(({ hash, config, run }, i) => ({
    hash,
    varied: configurations[i].varied,
    config,
    claims: run.claims,
  }));
  writeWhole(join(folder, "runs.json"), `${JSON.stringify({ experiment: experiment.name, runs: listed }, null, 1)}\n`);
  const written = { ...about, file, rows: table.numRows() };
  if (!work.sensitivity) return written;
  const sensitivity = work.sensitivity.analyse(runs.map(({ run }) => run));
  const { output, effects, figure } = sensitivity;
  const { data, layout, caption } = figure;
  const whole = { experiment: experiment.name, output, effects, figure: { data, layout, caption } };
  writeWhole(join(folder, "sensitivity.json"), `${JSON.stringify(whole, null, 1)}\n`);
  return { ...written, sensitivity };
}

/** What is missing, and what to do. */
export function missingText(folder: string, work: Work, { plan, states, missing }: Gathered): string {
  const label = (hash: string): string => work.experiment.label(plan.point(hash));
  const failed = missing.filter((hash) => states.failed.has(hash));
  const why = failed
    .slice(0, 5)
    .map((hash) => `${label(hash)}: ${states.failed.get(hash)?.message.split("\n")[0]}`)
    .join("; ");
  const said =
    failed.length > 0 ? ` ${failed.length} of them failed (${why}); --retry-failed computes these again.` : "";
  return `${folder}: ${missing.length} of ${plan.points.length} points are not there.${said} The same command without --collect computes what is missing; --status says more.`;
}

const columns = {
  configuration: { unit: "", description: "which configuration, counted from 0" },
  point: { unit: "", description: "the point's hash" },
  code: { unit: "", description: "the code that computed it" },
  data: { unit: "", description: "the data beside that code" },
  node: { unit: "", description: "version of Node.js" },
  host: { unit: "", description: "the machine" },
  shard: { unit: "", description: "the part of the sweep" },
  seconds: { unit: "s", description: "how long the point took; none where it was kept from before" },
  finished: { unit: "", description: "when, by that machine's clock" },
};

/** Where each row comes from, row by row as in the table. */
export function provenance({
  plan,
  rows,
}: { plan: Pick<Gathered["plan"], "configurations"> } & Pick<Gathered, "rows">): ColumnTable {
  const all = plan.configurations.flatMap((hashes, configuration) =>
    hashes.flatMap((point): Row[] => {
      const own = rows.get(point);
      const head = own?.entry.segment.head;
      if (!own || !head) return [];
      const { code, data, node, host } = head;
      const row = {
        configuration,
        point,
        code,
        data,
        node,
        host,
        shard: shardText(head.shard),
        seconds: own.entry.s,
        finished: new Date(own.entry.t).toISOString(),
      };
      return Array.from({ length: own.rows.length }, () => row);
    }),
  );
  return tableOf(all, columns);
}
