// Question: which way of mapping should one choose, for which device, and which measurement would change that?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { type ChoicePoint, Config, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { type CapacityRow, columns, simulate } from "./rows.js";

/** Device trust × buffer reuse × cores × rate: what each way carries, and which to choose. */
export const choice: Experiment<typeof Config, ChoicePoint, CapacityRow> = defineExperiment({
  name: "choice",
  place: [9, 1],
  title: "What to choose",
  question: "Which way of mapping should one choose for a device, and which measurement would change that?",
  config: Config,
  points: pointsOf,
  label: ({ way, assumption, run }) => `${way}, ${run.cores} cores, ${assumption}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export { type Choice, choices } from "./cells.js";
export type { ChoicePoint } from "./config.js";
export type { CapacityRow } from "./rows.js";
export { type Reuse, type Trust, ways as choiceWays } from "./ways.js";
