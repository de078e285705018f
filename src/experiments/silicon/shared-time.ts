/** What cores cost each other where each has a table of its own and one of them flushes all: measured, and by several predictions. */
import type { ColumnTable } from "arquero";
import { tableOf } from "../frame/experiment.js";
import { heavier } from "./figures.js";
import type { SiliconRow } from "./rows.js";

const variant = "magazines-deferred";

/** A core's time for a transaction alone, and with all cores at work, in ns. */
function times(rate: (row: SiliconRow) => number, rows: readonly SiliconRow[]) {
  const ends = heavier(rows).filter((row) => row.variant === variant && row.lock === "queued" && row.draw === 0);
  const at = (cores: number): number => {
    const row = ends.find((one) => one.cores === cores);
    return row === undefined ? Number.NaN : (1e9 * cores) / rate(row);
  };
  const cores = Math.max(...ends.map((row) => row.cores));
  return { cores, alone: at(1), together: at(cores) };
}

/**
 * Magazines with deferred unmaps under the heavier load: where the time of a transaction goes when all cores work. A core whose table is full
 * flushes the tables of all, and the others wait for it, so that each entry costs every core what `an entry` says: what a transaction takes more than
 * alone, over the cores.
 * @param predictions rows of the same machine by what they assume; the first also gives what was measured
 * @example sharedTime({ "as predicted": usual.rows, "20 lines ahead": streamed.rows })
 */
export function sharedTime(predictions: Readonly<Record<string, readonly SiliconRow[]>>): ColumnTable {
  const all = Object.entries(predictions);
  if (all.length === 0) throw new RangeError("sharedTime takes one prediction or more; got none.");
  const measured = times((row) => row.measured, all[0][1]);
  const rows = [
    { name: "measured", ...measured },
    ...all.map(([name, rows]) => ({ name, ...times((row) => row.predicted, rows) })),
  ].map(({ name, cores, alone, together }) => ({
    name,
    alone,
    together,
    entry: (together - alone) / cores,
    ratio: measured.together / together,
  }));
  return tableOf(rows, {
    name: { unit: "", description: "what was measured, or what a prediction assumes" },
    alone: { unit: "ns", description: "a transaction on one core" },
    together: { unit: "ns", description: "a core's transaction with all cores at work" },
    entry: { unit: "ns", description: "what an entry of a table costs every core: the difference, over the cores" },
    ratio: { unit: "×", description: "throughput on all cores, predicted over measured" },
  });
}
