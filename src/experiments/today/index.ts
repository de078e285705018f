// Question: what did each change since 2015 bring, and what would one choose today?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, pointsOf, type TodayPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, simulate, type TodayRow } from "./rows.js";

/** From 2015 to today: throughput, exposure, locks, visits and memory of the same requests. */
export const today: Experiment<typeof Config, TodayPoint, TodayRow> = defineExperiment({
  name: "today",
  place: [8, 2],
  title: "From 2015 to today",
  question: "What did each change since 2015 bring for the same requests, and what would one choose today?",
  config: Config,
  points: pointsOf,
  label: ({ run, replication }) => `${run.machine}, ${run.variant}, ${run.cores} cores, run ${replication + 1}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { TodayPoint } from "./config.js";
export { poolPolicies, steps as todaySteps, strictSteps as todayStrictSteps, type TodayPolicy } from "./policies.js";
export type { TodayRow } from "./rows.js";
