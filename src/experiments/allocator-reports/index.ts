// Question: what did the public reports on slow allocations see, and what does each cure change?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, pointsOf, type ReportPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, type ReportRow, simulate } from "./rows.js";

/** The public reports, each with its fault and its cure. */
export const allocatorReports: Experiment<typeof Config, ReportPoint, ReportRow> = defineExperiment({
  name: "allocator-reports",
  place: [8, 1],
  title: "Public reports of slow allocations",
  question: "What did the public reports on slow IOVA allocations see, and what does each cure change?",
  config: Config,
  points: pointsOf,
  label: ({ report, role }) => `${report}, ${role}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { ReportPoint } from "./config.js";
export type { ReportRow } from "./rows.js";
