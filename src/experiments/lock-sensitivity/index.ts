// Question: which assumption moves the result, and which has no influence?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, type Point, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type LockSensitivityRow, simulate } from "./rows.js";

/** One assumption at a time: what the throughput, as a share of IOMMU off, becomes at either end of its range. */
export const lockSensitivity: Experiment<typeof Config, Point, LockSensitivityRow> = defineExperiment({
  name: "lock-sensitivity",
  place: [2, 4],
  title: "Which assumption moves the result",
  question: "Which of the assumptions behind the lock-contention result moves it, and which has no influence?",
  config: Config,
  points: pointsOf,
  label: ({ assumption, setting }) => `${assumption}: ${setting}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { SensitivityConfig } from "./config.js";
