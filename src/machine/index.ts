/**
 * The host: cores, coherent caches, memory and locks, in simulated core cycles.
 *
 * - {@link Machine}: `read`, `write` and `atomic` of an address by a CPU change the caches' state and cost what coherence makes them cost.
 *   Private L1 and L2 a core (neither contains the other), an L3 a socket that contains them all (a line that leaves the L3 leaves the
 *   private caches too), true least-recently-used replacement everywhere, ownership by directory after MESI: the L3 keeps a bit a core
 *   that may hold a line; clean lines leave the private caches silently, so that a bit can outlive the copy; modified ones are written back.
 *   Between sockets a line is either one socket's alone or shared and clean. Not modelled: TLBs, prefetchers, the store buffer
 *   (beyond a store that hits), bandwidth limits, the distance between a core and an L3 slice.
 * - {@link ClusteredMachine}: the same for hosts of up to 128 cores, with clusters of cores in a socket; coarser, and says so.
 * - {@link ContendedLine} and the locks ({@link makeLock}): what happens in time when several CPUs want one line. A line's home serves one
 *   request after another; locks are state machines on the event queue made of such lines.
 * - Regions and allocators: where things lie. Addresses are bytes in the modelled memory, below 2 GiB; a line has 64 bytes.
 * - Presets ({@link machineConfig}): hosts of data/hardware, every value with its source or marked as an assumption with a range.
 * - PCIe links (pcie/): framing, splitting, credits; their time is in picoseconds.
 *
 * A CPU is a logical processor; SMT siblings share the caches of their core. All costs are whole core cycles.
 */
export {
  checkMachineConfig,
  directoryCores,
  lineBytes,
  type MachineConfig,
  MachineConfigError,
  MachineConfigSchema,
  mostCores,
} from "./config.js";
export { ContendedLine, type LineListener } from "./locks/contended-line.js";
export { type LockKind, lockKinds, makeLock } from "./locks/index.js";
export { LockStatistics, type LockStatRow } from "./locks/lock-statistics.js";
export { McsLock } from "./locks/mcs.js";
export { QueuedLock } from "./locks/queued.js";
export { type Arbiter, type LockOptions, type LockSimulation, SpinLock } from "./locks/spin-lock.js";
export { TestAndSetLock } from "./locks/test-and-set.js";
export { TicketLock } from "./locks/ticket.js";
export { lineTime, pingPong } from "./measure/line-transfer.js";
export { type LockLoad, type LockLoadResult, runLockLoad, ticketLockModel } from "./measure/lock-load.js";
export { type ChaseSpec, pointerChase, randomCycle } from "./measure/pointer-chase.js";
export { ClusteredMachine } from "./memory/clustered-machine.js";
export type { HostMachine } from "./memory/host-machine.js";
export { type AccessKind, accessKinds, type LineState, Machine } from "./memory/machine.js";
export { frameBytes, PhysicalMemory, type Region, type RegionSpec } from "./memory/regions.js";
export * from "./pcie/index.js";
export {
  type HardwareField,
  type HardwareFile,
  type HardwareValue,
  hostAssumptions,
  largePresetNames,
  machineConfig,
  makeMachine,
  preset,
  presetNames,
} from "./presets.js";
