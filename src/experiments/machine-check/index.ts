/**
 * Experiment 4: the CR4.MCE crash. Four questions, each an experiment: who dies (the full table), what each version of the patch covers
 * (every reachable state), what a CR4 read costs beside a copy in memory, and what the bug costs a fleet.
 */
export { mceClaims } from "./claims.js";
export { cr4ReadCost } from "./cr4-read-cost.js";
export { exploreSystem, machineCheckExploration } from "./exploration.js";
export { machineCheckFleet } from "./fleet.js";
export { explainDifference, recordedMachineChecks } from "./recorded.js";
export { machineCheck } from "./table.js";
export { machineCheckTimeline } from "./timeline.js";
