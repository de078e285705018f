// Question: what can a device that goes on touching what was unmapped still reach, and what does it cost to keep it from that?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn } from "./claims.js";
import { Config, pointsOf, type SafetyPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, type SafetyRow, simulate } from "./rows.js";

/** Every way of mapping on one axis: what stays in reach after an unmap, and throughput. */
export const safety: Experiment<typeof Config, SafetyPoint, SafetyRow> = defineExperiment({
  name: "safety",
  place: [7, 2],
  title: "What is still in reach after an unmap",
  question: "What can a device reach that goes on touching what was unmapped, and what does it cost to prevent it?",
  config: Config,
  points: pointsOf,
  label: ({ run, replication }) => `${run.variant}, ${run.cores} cores, run ${replication + 1}`,
  simulate,
  columns,
  figures,
  claims: (rows, _, facts) => askAll(claimsOn(facts), rows, { facts, experiment: "safety" }),
});

export type { SafetyPoint } from "./config.js";
export type { SafetyRow } from "./rows.js";
