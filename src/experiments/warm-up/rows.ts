import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { hostRun } from "../../host/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { startOf, type WarmupPoint } from "./config.js";

/** Runs one point. */
export function simulate({ run }: WarmupPoint, basis: Basis) {
  return hostRun(run, basis).slices.map((throughput, i) => ({
    variant: run.variant,
    title: `${variant(run.variant).title}, ${startOf(run.agedTurns)}`,
    agedTurns: run.agedTurns,
    transaction: Math.round((run.transactions * (i + 1)) / run.slices),
    throughput,
  }));
}

/** A row of the warm-up curve. */
export type WarmupRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<WarmupRow>, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same with the start, as figures name it" },
  agedTurns: { unit: "turns", description: "replacements of every receive buffer before the start" },
  transaction: { unit: "transactions", description: "end of the slice" },
  throughput: { unit: "transactions/s", description: "throughput of the slice" },
};
