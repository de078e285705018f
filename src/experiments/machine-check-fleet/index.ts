// Question: what does the bug cost a fleet? Every input is an assumption: no published rate stands behind them, so they are swept.

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, type FleetPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type FleetRow, simulate } from "./rows.js";

/** How many hosts a fleet loses in a year to survivable machine checks that hit a guest. */
export const machineCheckFleet: Experiment<typeof Config, FleetPoint, FleetRow> = defineExperiment({
  name: "machine-check-fleet",
  place: [5, 4],
  title: "The bug in a fleet",
  question: "How many hosts die a year of machine checks they would have survived?",
  config: Config,
  points: pointsOf,
  label: ({ rule, clear }) => `${rule}, ${100 * clear} % of the guests with MCE clear`,
  simulate,
  columns,
  figures,
  claims: () => [],
});
