// Question: how much work gets through one lock as cores are added, for each kind of lock, and what does the cache line have to do with it?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn } from "./claims.js";
import { Config, type LockPoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { quantitiesOf } from "./quantities.js";
import { columns, type LockRow, simulate } from "./rows.js";

/** Throughput of one lock over cores, for each kind of lock, beside the published model of the ticket lock. */
export const lockScaling: Experiment<typeof Config, LockPoint, LockRow> = defineExperiment({
  name: "machine-locks",
  place: [1, 3],
  title: "One lock, more and more cores",
  question: "How much work gets through a lock as cores are added, and how does that depend on the kind of lock?",
  config: Config,
  points: pointsOf,
  label: ({ cores, placement }) => `${cores} cores, ${placement}`,
  simulate,
  columns,
  figures,
  quantities: quantitiesOf,
  claims: (rows, settings, facts) => askAll(claimsOn(settings, facts), rows, { facts, experiment: "machine-locks" }),
});

export { lockTimeline } from "./timeline.js";
