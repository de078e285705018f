import { contexts, variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { hostRun } from "../../host/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { AnatomyPoint } from "./config.js";

/** The cycles of every line of map, unmap and flush, per call: an unmap's share of the flushes included. */
export function simulate({ run, replication }: AnatomyPoint, basis: Basis) {
  const result = hostRun(run, basis);
  const { maps, unmaps } = result.counts;
  return result.steps
    .filter((s) => s.context !== "none")
    .map((s) => ({
      variant: run.variant,
      title: variant(run.variant).title,
      cores: run.cores,
      replication,
      call: s.context === "map" ? ("dma_map" as const) : ("dma_unmap" as const),
      within: s.context,
      function: s.step,
      part: s.part,
      cycles: s.cycles / Math.max(1, s.context === "map" ? maps : unmaps),
      what: s.what,
    }));
}

/** A row of the anatomy. */
export type MapAnatomyRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<MapAnatomyRow>, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  cores: { unit: "", description: "cores that run the workload" },
  replication: { unit: "", description: "number of the independent run" },
  call: { unit: "", description: "the driver's call" },
  within: {
    unit: "",
    description: `${contexts.slice(1).join(", ")}: a flush runs inside the unmap that fills the table`,
  },
  function: { unit: "", description: "function of Linux v4.3, or the lock that is waited for" },
  part: { unit: "", description: "part of the breakdown" },
  cycles: { unit: "cycles a call", description: "mean over all calls of the run" },
  what: { unit: "", description: "what happens there" },
};
