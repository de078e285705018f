/**
 * The kernel's DMA API: `dma_map` and `dma_unmap` for one device, as Linux v4.3's intel-iommu.c does them, lock by lock.
 *
 * {@link DmaApi} puts an IOVA allocator, the second-level page table, the invalidation queue and the deferred flush table together in the
 * order of the kernel, on simulated cores. The programs that cores run are generator functions (`IntelIommu`): one for each function
 * of Linux, with its name and its order of locks; {@link programSource} shows them. What a section costs is what the machine's caches say
 * its accesses cost; waiting for locks comes out.
 *
 * Variants ({@link variants}): no translation, strict and deferred as in v4.3, both as the 2015 thread words them (the tree lock held over
 * invalidations), merged nodes, magazines, pools; and Linux from 5.15 to 6.18, lazy and strict, on VT-d, AMD and SMMUv3 (`DmaIommu`). Accounting: {@link CycleAccounts} (every cycle of every core in exactly one step),
 * {@link TranslationWatch} (no address live twice; what stays reachable after an unmap, and how long).
 *
 * Units: core cycles; pages of 4 KiB. Invariants: page table and allocator agree after every operation; in strict mode no translation
 * survives an unmap's return (a violation throws).
 */
export { type AllocatorKind, makeAllocator } from "./allocators.js";
export { DmaApi, dmaBytes } from "./api.js";
export { type CallStep, callSteps } from "./call-steps.js";
export { ChargedMemory, type HostMemory } from "./charged-memory.js";
export { type CostSource, costSources, type DmaCosts, dmaCosts } from "./costs.js";
export { CycleAccounts, type StepTime } from "./cycle-accounts.js";
export { deviceCommands, type FlushRule, type FlushUnit, flushCommands, type Unmapped } from "./flush-rules.js";
export {
  copyBytesPerCycle,
  type DmaClient,
  type DmaCounts,
  DmaError,
  type DmaOptions,
  type LockMaker,
  type Segment,
} from "./options.js";
export { programSource } from "./programs.js";
export { type Context, contexts, type Part, parts, STEP_IDLE, STEP_STACK, type Step, steps } from "./steps.js";
export { type StaleListener, type StaleReport, TranslationWatch } from "./translation-watch.js";
export { type LinuxRelease, type Policy, type Variant, variant, variants } from "./variants.js";
