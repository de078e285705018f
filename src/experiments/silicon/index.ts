// Question: on a machine whose latencies are measured, does the model say what the same workload does there?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claims } from "./claims.js";
import { Config, pointsOf, type SiliconPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, type SiliconRow, simulate } from "./rows.js";

/** Machines that somebody measured with test/bench/silicon, and what the model predicts of them from their latencies. */
export const silicon: Experiment<ReturnType<typeof Config>, SiliconPoint, SiliconRow> = defineExperiment({
  name: "silicon",
  place: [9, 1],
  title: "Held against silicon",
  question: "Does the model say what the same workload does on a machine whose latencies are measured?",
  config: Config,
  points: pointsOf,
  label: ({ machine, variant, lock, cores }) => `${machine}: ${variant}, ${lock}, ${cores} cores`,
  simulate,
  columns,
  figures,
  claims: (rows, { replications }, facts) => claims(rows, replications, facts),
});

export { type KeptPredictions, keptPredictions, recordingHash } from "./kept.js";
export { hostOf } from "./machine.js";
export { type RecordedMachine, recordedMachine, recordedMachines, undisturbed } from "./recorded.js";
export { sharedTime } from "./shared-time.js";
