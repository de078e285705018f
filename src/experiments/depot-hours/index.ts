// Question: how does a depot grow for hours of a load, and does it ever stop?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, type DepotHoursPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type DepotHoursRow, simulate } from "./rows.js";

/** Hours of a storage load over the allocator alone, request by request. */
export const depotHours: Experiment<typeof Config, DepotHoursPoint, DepotHoursRow> = defineExperiment({
  name: "depot-hours",
  place: [8, 4],
  title: "Depots over hours",
  question: "How does a depot grow for hours of a storage load, and does it ever stop?",
  config: Config,
  points: pointsOf,
  label: ({ release, mode, hours }) => `${release}, ${mode}, ${hours} h`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { DepotHoursPoint } from "./config.js";
export type { DepotHoursRow } from "./rows.js";
