/**
 * Meet the machine: what a load costs (the latency staircase), what it takes to hand over a line (the transfer matrix), and what that makes
 * of each kind of lock (throughput over cores, and a timeline of one lock's line).
 */
export { assumptionSweep } from "./assumptions.js";
export { memoryLatency } from "./latency.js";
export { lockScaling } from "./locks.js";
export { lockTimeline } from "./timeline.js";
export { lineTransfer } from "./transfer.js";
