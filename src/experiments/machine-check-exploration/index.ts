// Question: which promises hold in every reachable state, and what is the shortest way to break the others?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claims } from "./claims.js";
import { Config, type ExplorationPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type ExplorationRow, simulate } from "./rows.js";

/** Every promise about CR4.MCE, checked in every reachable state of small systems. */
export const machineCheckExploration: Experiment<typeof Config, ExplorationPoint, ExplorationRow> = defineExperiment({
  name: "machine-check-exploration",
  place: [5, 2],
  title: "What each version of the patch covers",
  question: "Which promises about CR4.MCE hold in every reachable state, and how are the others broken?",
  config: Config,
  points: pointsOf,
  label: ({ situation, system }) => `${system.rule}, host CR4 ${system.hostCr4}, ${situation}`,
  simulate,
  columns,
  figures,
  claims: (rows, _, facts) => askAll(claims, rows, { facts, experiment: "machine-check-exploration" }),
});

export { exploreSystem } from "./rows.js";
