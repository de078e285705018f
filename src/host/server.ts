import { DmaApi, type DmaClient, type DmaCosts, dmaCosts, type Part, type Variant, variant } from "../dma/index.js";
import { Processes, Simulation, Streams } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import {
  type HostMachine,
  type LockStatRow,
  type MachineConfig,
  machineConfig,
  makeMachine,
} from "../machine/index.js";
import type { ServerLoad } from "./cores.js";
import { dmaOptions } from "./dma-options.js";
import type { HostRun } from "./knobs.js";

/** What every simulated server is put together from, whatever its load is. */
export interface ServerParts {
  config: MachineConfig;
  machine: HostMachine;
  simulation: Simulation;
  processes: Processes;
  /** What a run leaves to chance. */
  streams: Streams;
  variant: Variant;
  costs: DmaCosts;
  /** Cores that map and unmap. */
  cores: number;
  /** Ranges that may be live at once. */
  maxRanges: number;
}

/** How large a server is. */
export interface ServerSize {
  /** Cores that map and unmap (default: the run's). */
  cores?: number;
  maxRanges: number;
  /** Bytes of simulated memory that it needs at least (default: the machine's own). */
  bytes?: (config: MachineConfig, variant: Variant) => number;
}

/**
 * Puts a server together: the machine with its clock, the way of mapping and its costs.
 * @throws RangeError where the host does not have so many cores
 */
export function serverParts(
  run: HostRun,
  facts: Facts,
  { cores = run.cores, maxRanges, bytes }: ServerSize,
): ServerParts {
  const config = machineConfig(facts, run.machine, run.machineOverrides);
  const most = config.sockets * config.coresPerSocket;
  // The machine has hardware threads beyond them, which would be measured as if they were cores.
  if (!Number.isInteger(cores) || cores < 1 || cores > most)
    throw new RangeError(`cores: accepts a whole number from 1 to the ${most} cores of ${run.machine}; got ${cores}`);
  const named = variant(run.variant);
  const own = run.uncharged === undefined ? named : { ...named, uncharged: run.uncharged };
  const simulation = new Simulation();
  return {
    config,
    machine: makeMachine(config, bytes?.(config, own)),
    simulation,
    processes: new Processes(simulation),
    streams: new Streams(run.seed),
    variant: own,
    costs: { ...dmaCosts(facts, config), ...run.costs },
    cores,
    maxRanges,
  };
}

/** The DMA API of such a server, as its run describes it. @param client told when the timer of the deferred flush expires */
export const dmaApiOf = (run: HostRun, parts: ServerParts, client: DmaClient): DmaApi =>
  new DmaApi(
    parts.machine,
    parts.processes,
    dmaOptions(run, { ...parts, arbiter: parts.streams.stream("lock arbiter") }),
    client,
  );

/** Makes the server's DMA API, and has the load use it. */
export function useDmaApi(run: HostRun, parts: ServerParts, load: ServerLoad): DmaApi {
  const api = dmaApiOf(run, parts, load.cores);
  load.api = api;
  load.cores.api = api;
  return api;
}

/** Runs a load until it has done so much. @param maxEvents a run that takes more is left unfinished */
export function advanceTo(load: ServerLoad, simulation: Simulation, count: number, maxEvents?: number): void {
  load.stopAt = count;
  if (load.done < count) simulation.run(maxEvents === undefined ? {} : { maxEvents });
}

/** Shares of the time of so many cores by what it went into, up to now; they sum to one. @param cycles since the last reset */
export function sharesOfTime(api: DmaApi, now: number, cycles: number): Record<Part, number> {
  api.accounts.settle(now);
  const parts = api.accounts.byPart();
  for (const part of Object.keys(parts) as Part[]) parts[part] /= cycles;
  return parts;
}

/** Locks that were taken since the last reset, each as a row of lock_stat. */
export const takenLocks = (api: DmaApi): LockStatRow[] =>
  api.locks.map((lock) => lock.statistics.columns()).filter((row) => row.acquisitions > 0);

/** An allocator's totals. */
interface Totals {
  visits: number;
  allocations: number;
}

/** Nodes that an allocation examined between two totals, in the mean; 0 where there was none. */
export function visitsPerMap(before: Totals | undefined, after: Totals | undefined): number {
  if (before === undefined || after === undefined || after.allocations <= before.allocations) return 0;
  return (after.visits - before.visits) / (after.allocations - before.allocations);
}
