import type { SpinLock } from "../machine/index.js";
import type { DmaCosts } from "./costs.js";
import type { Variant } from "./variants.js";

/** Makes a lock of the kind under study, at an address or on a line of its own. */
export type LockMaker = (name: string, address: number | undefined, irqSave: boolean) => SpinLock;

/** How a domain's DMA API is set up. */
export interface DmaOptions {
  variant: Variant;
  /** Cores that map and unmap, numbered from 0; each is a CPU of the machine. */
  cores: number;
  costs: DmaCosts;
  makeLock: LockMaker;
  /** The device caches translations itself (ATS): each invalidation is followed by one to the device. */
  ats: boolean;
  /** The IOMMU's page walks snoop the CPU caches; if not, changed lines are flushed. */
  coherent: boolean;
  /** Slots of the deferred flush table (v4.3: 250). */
  flushEntries: number;
  /** The deferred flush timer (v4.3: 10 ms) and the kernel's tick, in cycles. */
  flushTimerCycles: number;
  tickCycles: number;
  /** Width of the addresses that the device can send, in bits: more than 32 tries below 4 GiB first, then above. */
  deviceBits: number;
  /** How fast a processor copies, for bounce buffers (default: {@link copyBytesPerCycle}). */
  copyBytesPerCycle?: number | undefined;
  /** Ranges that may be live at once, for the size of the simulated memory. */
  maxRanges: number;
}

/**
 * How fast a processor copies between two buffers of a packet, in bytes a cycle. Assumed: 8, the 20 GB/s or so of one core on lines that are not in its
 * caches; from 2 (a cold buffer of the other socket) to 32 (both in the L1).
 */
export const copyBytesPerCycle = 8;

/** Whom the DMA API tells of what it needs. */
export interface DmaClient {
  /** The deferred flush timer has expired on this core: run `DmaApi.flush` when it next can run a softirq. */
  dmaTimer(core: number): void;
}

/** Totals since the last reset. */
export interface DmaCounts {
  maps: number;
  unmaps: number;
  failedMaps: number;
  flushes: number;
  timerFlushes: number;
  flushedEntries: number;
  /** Turns of the invalidation poll. */
  pollTurns: number;
  /** Table pages that unmaps collected and freed. */
  freedTables: number;
  /** Invalidations sent to the IOMMU, devices' included. */
  invalidations: number;
  /** Unmaps of addresses that were not mapped ("Driver unmaps unmapped page"). */
  strayUnmaps: number;
  /** Dynamic 1:1: maps that had to take an address from the fallback's allocator. */
  fallbacks: number;
  /** Dynamic 1:1: unmaps of pages that somebody else still maps, and which so had nothing to flush. */
  sharedUnmaps: number;
  /** Dynamic 1:1: compare-exchanges that found another entry than expected. */
  failedExchanges: number;
}

/** Counts before anything has happened. */
export const noCounts = (): DmaCounts => ({
  maps: 0,
  unmaps: 0,
  failedMaps: 0,
  flushes: 0,
  timerFlushes: 0,
  flushedEntries: 0,
  pollTurns: 0,
  freedTables: 0,
  invalidations: 0,
  strayUnmaps: 0,
  fallbacks: 0,
  sharedUnmaps: 0,
  failedExchanges: 0,
});

/** A piece of a scatter list: `pages` pages of memory from page `frame` on. */
export interface Segment {
  frame: number;
  pages: number;
}

/** A call that Linux answers with silent damage, or with a size that no mapping has: nothing was changed. */
export class DmaError extends Error {
  override name = "DmaError";
}
