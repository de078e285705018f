/**
 * A simulated server: drivers that map their rings and buffers at boot, and TCP_RR traffic, or recorded requests, on the host's cores.
 *
 * `simulateHost` runs one host under one load through the kernel's DMA API and measures throughput, locks and where the cycles went.
 * `simulateRequests` makes recorded requests on the same cores, as they were recorded or faster.
 * What can be set is the table of knobs ({@link knobs}): one line each, from which schemas, help, columns, legends and sensitivities are made.
 *
 * `simulateRings` runs the small load that a program of the project runs on real machines.
 *
 * `simulatePackets` runs a card's packets instead: the card works beside the cores, through the translation hardware that they invalidate.
 *
 * Units: core cycles inside, microseconds in options whose name says so. Invariants: the same argument gives the same result everywhere;
 * the parts of the cores' time sum to one.
 */

export { type WorkloadAssumption, workloadAssumptions } from "./assumptions.js";
export type { Exposure } from "./exposure.js";
export { type IoLoad, type IoResult, simulateIo } from "./io-loop.js";
export {
  type Accepts,
  type Assumption,
  assumptions,
  changeOf,
  type HostRun,
  hostOfDefaults,
  hostRunDefaults,
  type Knob,
  type KnobName,
  type KnobValue,
  keptReceiveBuffers,
  knobNamed,
  knobs,
  publishedStackCycles,
  type RangeEnds,
  type Settings,
  type ShownKnobName,
  smallAssumptions,
  together,
} from "./knobs.js";
export {
  type BootMap,
  type DriverProfile,
  type DriverProfileName,
  driverProfile,
  driverProfiles,
  type NicSetup,
  nicBootMaps,
} from "./nic.js";
export type { AddressReuse } from "./packet-server.js";
export type { PageSharing } from "./pages.js";
export { type LoadResult, type LoadScale, type RecordedLoad, simulateRequests } from "./requests.js";
export { type RingLoad, type RingResult, simulateRings } from "./ring-load.js";
export { type HostResult, hostRun, simulateHost } from "./simulate.js";
export { type PacketResult, type PacketRun, simulatePackets } from "./simulate-packets.js";
export { type AgeSample, ageStorage, type StorageAgeing } from "./storage-ageing.js";
export { type Flows, TcpRr, type TcpRrOptions } from "./tcp-rr.js";
