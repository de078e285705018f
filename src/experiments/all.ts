// Every experiment, one line each: what its folder exports is the door's, and what of it is an experiment can be run by name.

export * from "./allocator-reports/index.js";
export * from "./choice/index.js";
export * from "./cr4-read-cost/index.js";
export * from "./depot-hours/index.js";
export * from "./flushing/index.js";
export * from "./held/index.js";
export * from "./lock-contention/index.js";
export * from "./lock-sensitivity/index.js";
export * from "./lock-table/index.js";
export * from "./machine-assumptions/index.js";
export * from "./machine-check/index.js";
export * from "./machine-check-exploration/index.js";
export * from "./machine-check-fleet/index.js";
export * from "./machine-latency/index.js";
export * from "./machine-locks/index.js";
export * from "./machine-transfer/index.js";
export * from "./map-anatomy/index.js";
export * from "./merged-nodes/index.js";
export * from "./one-to-one-exploration/index.js";
export * from "./page-sizes/index.js";
export * from "./safety/index.js";
export * from "./silicon/index.js";
export * from "./storage/index.js";
export * from "./today/index.js";
export * from "./warm-up/index.js";
