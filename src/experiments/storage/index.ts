// Question: what does mapping cost requests of storage and of network cards, after hours of them, and what did the public reports see?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { Config, pointsOf, type StoragePoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, type StorageRow, simulate } from "./rows.js";

/** Requests of storage and of network cards, with caches of addresses that hours of them have aged. */
export const storage: Experiment<typeof Config, StoragePoint, StorageRow> = defineExperiment({
  name: "storage",
  place: [8, 3],
  title: "Requests of storage and of network cards",
  question: "What does mapping cost requests of storage and of network cards, after hours of them?",
  config: Config,
  points: pointsOf,
  label: ({ load, pages, run, role, report }) =>
    `${report === "" ? load : `${report}, ${role}`}, ${pages * 4} KiB, ${run.variant}, ${run.cores} cores`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { StoragePoint } from "./config.js";
export type { StorageRow } from "./rows.js";
