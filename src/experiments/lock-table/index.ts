// Question: how often is each lock taken, how long is it held, and how long is it waited for?

import type { HostRun } from "../../host/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { label, runsOf } from "../map-anatomy/config.js";
import { Config } from "./config.js";
import { figures } from "./figures.js";
import { columns, type LockTableRow, simulate } from "./rows.js";

/** The lock table in the columns of Linux's lock_stat, with the distributions of waits and holds. */
export const lockTable: Experiment<typeof Config, HostRun, LockTableRow> = defineExperiment({
  name: "lock-table",
  place: [2, 3],
  title: "The locks of dma_map and dma_unmap, as lock_stat shows them",
  question: "How often is each lock taken, how long is it held, and how long is it waited for?",
  config: Config,
  points: runsOf,
  label,
  simulate,
  columns,
  figures,
  claims: () => [],
});
