// Question: how long does it take to hand a cache line from one CPU to another, and on what does it depend?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn } from "./claims.js";
import { Config, pointsOf, type TransferPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, simulate, type TransferRow } from "./rows.js";

/** The line-transfer matrix: a compare-and-exchange ping-pong between every two CPUs. */
export const lineTransfer: Experiment<typeof Config, TransferPoint, TransferRow> = defineExperiment({
  name: "machine-transfer",
  place: [1, 2],
  title: "Handing over a cache line",
  question: "How long does it take to hand a line from one CPU to another?",
  config: Config,
  points: pointsOf,
  label: ({ cpu }) => `CPU ${cpu} against the others`,
  simulate,
  columns,
  figures,
  claims: (rows, { host }, facts) => askAll(claimsOn(host, facts), rows, { facts, experiment: "machine-transfer" }),
});
