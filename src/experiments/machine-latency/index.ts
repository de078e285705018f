// Question: how long does one load take, when the next address stands in the line it fetches, and more and more lines are in use?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn } from "./claims.js";
import { Config, type LatencyPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type LatencyRow, simulate } from "./rows.js";

/** The latency staircase: a load of a pointer chase, over the memory that it runs through. */
export const memoryLatency: Experiment<typeof Config, LatencyPoint, LatencyRow> = defineExperiment({
  name: "machine-latency",
  place: [1, 1],
  title: "The latency staircase",
  question: "How long does a load take when the memory in use outgrows one cache after another?",
  config: Config,
  points: pointsOf,
  label: ({ sizeKiB, home }) => `${sizeKiB} KiB of ${home === 0 ? "local" : "remote"} memory`,
  simulate,
  columns,
  figures,
  claims: (rows, { host }, facts) => askAll(claimsOn(host, facts), rows, { facts, experiment: "machine-latency" }),
});
