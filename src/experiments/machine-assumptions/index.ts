// Question: which of the host's assumed values does the collapse of the ticket lock rest on?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { type AssumptionPoint, Config, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { type AssumptionRow, columns, simulate } from "./rows.js";

/** What all cores of a host get through a lock, as a share of what one socket's cores do, at both ends of every assumed value. */
export const assumptionSweep: Experiment<typeof Config, AssumptionPoint, AssumptionRow> = defineExperiment({
  name: "machine-assumptions",
  place: [1, 4],
  title: "What the collapse rests on",
  question: "Which assumed values of the host does the collapse of a lock rest on?",
  config: Config,
  points: pointsOf,
  label: ({ field, end }) => (field === "" ? "the host as it is" : `${field}, ${end}`),
  simulate,
  columns,
  figures,
  claims: () => [],
});
