// Question: from the first transaction on, when is the host in its steady state?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, pointsOf, startOf, type WarmupPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, simulate, type WarmupRow } from "./rows.js";

/** From the first transaction on: when is the host in its steady state? */
export const warmup: Experiment<typeof Config, WarmupPoint, WarmupRow> = defineExperiment({
  name: "warm-up",
  place: [2, 5],
  title: "From the first transaction to the steady state",
  question: "After how many transactions is the simulated host in its steady state?",
  config: Config,
  points: pointsOf,
  label: ({ run }) => `${run.variant}, ${startOf(run.agedTurns)}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { WarmupConfig } from "./config.js";
