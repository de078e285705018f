// Question: who dies when a machine check lands, for each rule, each setting of the bit and each phase?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claims } from "./claims.js";
import { Config, pointsOf, type TablePoint } from "./config.js";
import { figures } from "./figures.js";
import { type CaseRow, columns, simulate } from "./rows.js";

/** Who dies when a machine check lands: every rule, every setting of the bit, every phase. */
export const machineCheck: Experiment<typeof Config, TablePoint, CaseRow> = defineExperiment({
  name: "machine-check",
  place: [5, 1],
  title: "The CR4.MCE crash",
  question: "When a machine check lands while a guest runs, does the host live?",
  config: Config,
  points: pointsOf,
  label: ({ rule, hostMce, guestMce }) => `${rule}, host ${hostMce}, guest ${guestMce}`,
  simulate,
  columns,
  figures,
  claims: (rows, _, facts) => askAll(claims, rows, { facts, experiment: "machine-check" }),
});

export { mceClaims } from "./quotes.js";
export { explainDifference, recordedMachineChecks } from "./recorded.js";
export { machineCheckTimeline } from "./timeline.js";
