// Question: do the published measurements of later kernels look the same here? Predictions with margins, written down before they ran.

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, type HeldPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type HeldRow, simulate } from "./rows.js";

/** Predictions of published measurements, hits and misses in one table. */
export const held: Experiment<typeof Config, HeldPoint, HeldRow> = defineExperiment({
  name: "held",
  place: [8, 5],
  title: "Held against what was published",
  question: "Do the published measurements of later kernels look the same here?",
  config: Config,
  points: pointsOf,
  label: ({ id }) => id,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { HeldPoint } from "./config.js";
export type { HeldRow } from "./rows.js";
