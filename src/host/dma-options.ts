import type { DmaCosts, DmaOptions, Variant } from "../dma/index.js";
import type { RandomStream, Simulation } from "../engine/index.js";
import { type HostMachine, type MachineConfig, makeLock } from "../machine/index.js";
import type { HostRun } from "./knobs.js";

/** What a run's DMA API is made of, beside the run. */
export interface DmaParts {
  config: MachineConfig;
  machine: HostMachine;
  simulation: Simulation;
  variant: Variant;
  costs: DmaCosts;
  /** Cores that map and unmap. */
  cores: number;
  /** Who of several waiters gets a lock, where that is left to chance. */
  arbiter: RandomStream;
  /** Ranges that may be live at once. */
  maxRanges: number;
}

/** The DMA API of a host as its run describes it, whatever its load is. */
export function dmaOptions(run: HostRun, parts: DmaParts): DmaOptions {
  const { config, machine, simulation, variant, costs, cores, arbiter, maxRanges } = parts;
  const cycles = (microseconds: number): number => Math.round(microseconds * 1000 * config.gigahertz);
  return {
    variant,
    cores,
    costs,
    makeLock: (name, address, irqSave) =>
      makeLock(run.lock, machine, simulation, {
        name,
        irqSave,
        arbiter,
        handoffCycles: run.handoffCycles,
        ...(address === undefined ? {} : { address }),
      }),
    ats: run.ats,
    copyBytesPerCycle: run.copyBytesPerCycle,
    coherent: config.coherentWalks === 1,
    flushEntries: run.flushEntries,
    flushTimerCycles: cycles(run.flushMilliseconds * 1000),
    tickCycles: cycles(1000),
    deviceBits: 64,
    maxRanges,
  };
}
