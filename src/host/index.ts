/**
 * A simulated server: drivers that map their rings and buffers at boot, and TCP_RR traffic on the host's cores.
 *
 * `simulateHost` runs one host under one load through the kernel's DMA API and measures throughput, locks and where the cycles went.
 * What is assumed about the load has a value, a reason and a range in data/workload.
 *
 * Units: core cycles inside, microseconds in options whose name says so. Invariants: the same argument gives the same result everywhere;
 * the parts of the cores' time sum to one.
 */
export { type AssumedField, assumedFields, type WorkloadAssumption, workloadAssumptions } from "./assumptions.js";
export {
  type BootMap,
  type DriverProfile,
  type DriverProfileName,
  driverProfile,
  driverProfiles,
  type NicSetup,
  nicBootMaps,
} from "./nic.js";
export { type HostResult, type HostRun, hostRunDefaults, publishedStackCycles, simulateHost } from "./simulate.js";
export { type Flows, TcpRr, type TcpRrOptions } from "./tcp-rr.js";
