/** What {@link Rcache6Allocator} counts. */
import type { IovaStatistics } from "./allocator.js";

/** Counts of the caches, each from the start on. */
export interface CacheCounts {
  /** Acquisitions of the CPU caches' and the depots' locks; of the tree's, those under a CPU cache's or a depot's. */
  cpuLocks: number;
  depotLocks: number;
  treeInCpu: number;
  treeInDepot: number;
  /** Requests that asked a cache, and slots of magazines that were looked at and lay above the limit. */
  lookups: number;
  scanSkips: number;
  /** Exchanges of loaded and previous, by an allocation and by a free. */
  swapsGet: number;
  swapsPut: number;
  /** Magazines that went to a depot, came from one to a CPU, and were trimmed; ranges trimmed; works that found nothing to do. */
  depotPuts: number;
  depotGets: number;
  depotTrims: number;
  trimFreed: number;
  worksIdle: number;
  /** Drains of all caches after a failure. */
  drains: number;
}

/** All zero. */
export function cacheCounts(): CacheCounts {
  return {
    cpuLocks: 0,
    depotLocks: 0,
    treeInCpu: 0,
    treeInDepot: 0,
    lookups: 0,
    scanSkips: 0,
    swapsGet: 0,
    swapsPut: 0,
    depotPuts: 0,
    depotGets: 0,
    depotTrims: 0,
    trimFreed: 0,
    worksIdle: 0,
    drains: 0,
  };
}

/** Totals of the allocator: those of every allocator, of its caches, and of its tree. */
export interface Rcache6Statistics extends IovaStatistics, CacheCounts {
  /** Acquisitions of the tree's lock. */
  treeLocks: number;
  /** Magazines that exist, and the most there ever were. */
  magazines: number;
  peakMagazines: number;
  /** Ranges in magazines. */
  cached: number;
  /** Magazines in each size class's depot, and the most there ever were. */
  depots: number[];
  peakDepots: number[];
  /** Second passes, requests refused because of a remembered failure, pointer moves to the node at a limit. */
  retries: number;
  earlyFull: number;
  limitSteps: number;
  /** Nodes compared to find a range and to find the place of one; nodes removed. */
  findSteps: number;
  insertSteps: number;
  removed: number;
  /** Size that is known not to fit below 4 GiB; 2^20 for none. */
  max32: number;
}
