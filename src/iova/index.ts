/**
 * The IOVA allocators: who gets which pages of a device's address space.
 *
 * Each is a real data structure behind one interface ({@link IovaAllocator}): the red-black tree of Linux v4.3, the variant that merges
 * abutting nodes, the per-CPU magazines of v4.9, the bitmap pools of lib/iommu-common, and what stands in Linux today (rcache6, with fq6 its
 * flush queue). They really run; a {@link Memory} hears of every
 * line that they touch (without one, searches take shorter ways to the same answers), and a {@link Cpu} runs each operation as a program that takes and gives back its locks.
 *
 * Units: sizes in pages of 4 KiB, addresses of IOVAs as page frame numbers (pfn), inclusive ranges [lo, hi]; simulated memory in bytes.
 * Invariants: no page is handed out twice; ranges are disjoint; the same calls give the same result, with and without a memory attached.
 * Sources: Linux v4.3 drivers/iommu/iova.c and lib/iommu-common.c, v4.9 for the magazines (records K1–K26 of data/published); Linux 6.18
 * drivers/iommu/iova.c and dma-iommu.c for rcache6 and fq6.
 */
export {
  type AllocatorOptions,
  atOnce,
  type Cpu,
  type IovaAllocator,
  IovaError,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
  runToEnd,
} from "./allocator.js";
export type { FailureMemory, TreeCounts, TreeRules } from "./anchored-tree.js";
export type { CacheCounts, Rcache6Statistics } from "./cache-statistics.js";
export { DeferredQueue, type DeferredRange, flushDelayMs, highWaterMark, PerCpuDeferredQueues } from "./deferred.js";
export { FlushRings, type RingEntry, ringSlots, ringTimeoutMs } from "./flush-rings.js";
export { MagazineAllocator, type MagazineOptions } from "./magazines.js";
export { LineCounter, lineBytes, type Memory } from "./memory.js";
export { MergedTreeAllocator } from "./merged.js";
export { dma32Pfn, formatPfn, noPfn, pagesOrder, parsePfn, roundUpPages, topPfn } from "./pfn.js";
export { PoolAllocator, type PoolOptions, poolOfCpu } from "./pools.js";
export type { Depth } from "./range-tree.js";
export { RbTreeAllocator } from "./rbtree.js";
export {
  type CacheRules,
  cacheRules,
  depotDelayMs,
  Rcache6Allocator,
  type Rcache6Options,
} from "./rcache6.js";
export { type DmaRules, newestRelease, releaseSteps, rulesOf } from "./releases.js";
export {
  type AllocatorName,
  allocatorFor,
  allocatorNames,
  type FlushEvent,
  formatEvents,
  formatReplay,
  type ReplayOptions,
  type ReplayResult,
  replay,
} from "./replay.js";
export {
  type CacheEvent,
  type CacheReplay,
  type DriverStatistics,
  fixtureTotals,
  formatCacheEvents,
} from "./replay6.js";
export { delayTicks, firingTick } from "./timer-wheel.js";
export { parseTrace, type ReplayTrace, ReplayTraceError, type TraceConfig, traceDefaults } from "./trace.js";
export type { TreeOptions, Uncharged } from "./tree-allocator.js";
