// Question: what should a flush invalidate, if a card's own transfers go through the caches that it empties?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn } from "./claims.js";
import { Config, type FlushingPoint, points } from "./config.js";
import { figures } from "./figures.js";
import { columns, type FlushingRow, simulate } from "./rows.js";

export { type InferredMiss, inferMissNs, type MissCounters } from "./counters.js";
export type { FlushingPoint, FlushingRow };

/** A card's packets through the real translation hardware, while cores map, unmap and invalidate by a rule. */
export const flushing: Experiment<typeof Config, FlushingPoint, FlushingRow> = defineExperiment({
  name: "flushing",
  place: [7, 3],
  title: "What to flush",
  question: "Page by page, joined ranges, the domain or everything: which flush lets a host take the most packets?",
  config: Config,
  points,
  label: ({ run, replication }) =>
    `${run.host.variant}${run.host.ats ? ", ATS" : ""}, ${run.nic.gbps} Gb/s, run ${replication + 1}`,
  simulate,
  columns,
  figures,
  claims: (rows, _, facts) => askAll(claimsOn(facts), rows, { facts, experiment: "flushing" }),
});
