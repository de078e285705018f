import type { Behaviour, Wait } from "../engine/index.js";
import { type IovaAllocator, type IovaOperation, noPfn, operation, roundUpPages } from "../iova/index.js";
import type { EntryMemory, SecondLevelPageTable } from "../pagetables/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { Core } from "./core.js";
import type { DmaCosts } from "./costs.js";
import type { FlushQueue, FlushTimer } from "./flush-queue.js";
import { checkPages, listPages, type MappedRanges } from "./mapped-ranges.js";
import type { DmaCounts, Segment } from "./options.js";
import type { PageReferences } from "./page-references.js";
import type { QueuedInvalidation } from "./queued-invalidation.js";
import * as S from "./steps.js";
import type { TranslationWatch } from "./translation-watch.js";
import type { Variant } from "./variants.js";

/** What the programs of a domain work on. */
export interface DomainParts {
  variant: Variant;
  costs: DmaCosts;
  counts: DmaCounts;
  memory: ChargedMemory;
  pageTable: SecondLevelPageTable;
  /** References on memory pages, where the variant holds them. */
  references: PageReferences | undefined;
  /** The tables of dynamic 1:1, where the variant is that. */
  entries: EntryMemory | undefined;
  /** Page walks snoop the CPU caches; if not, changed entries are flushed to memory. */
  coherent: boolean;
  watch: TranslationWatch;
  mapped: MappedRanges;
  invalidation: QueuedInvalidation;
  /** The deferred flush table (one a CPU since v4.7, run here as 4.9), its size, its timer. */
  queues: readonly FlushQueue[];
  flushEntries: number;
  /** The device caches translations itself: each invalidation is followed by one to the device. */
  ats: boolean;
  timer: Pick<FlushTimer, "arm" | "disarm">;
  /** Highest pages of an IOVA, in the order in which they are tried: below 4 GiB, then all that the device reaches. */
  limits: readonly number[];
  clock: { readonly now: number };
}

/** The calls of the DMA API, each a program that a core's process runs by `yield*`. */
export interface DmaPrograms {
  /** Maps `pages` pages from memory page `frame` on. @returns the IOVA page, {@link noPfn} where there is none free */
  intel_map_page(core: Core, frame: number, pages: number, permission: number): Behaviour<number>;
  /** Maps a scatter list: one range for the sum of its pieces. @returns as above */
  intel_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number>;
  /** Unmaps. `pages` is what the driver says. */
  intel_unmap(core: Core, pfn: number, pages: number): Behaviour;
  /** The timer's softirq. */
  flush_unmaps_timeout(core: Core): Behaviour;
}

/**
 * drivers/iommu/intel-iommu.c of Linux v4.3: one function for each of its functions, with the same names, in the same order of locks.
 * What takes no time and no lock is an ordinary method. The variants ({@link Variant}) override what they do otherwise.
 */
export class IntelIommu implements DmaPrograms {
  constructor(
    protected readonly domain: DomainParts,
    protected readonly allocator: IovaAllocator,
  ) {}

  intel_map_page(core: Core, frame: number, pages: number, permission: number): Behaviour<number> {
    return this.__intel_map_single(core, frame, pages, permission);
  }

  *__intel_map_single(core: Core, frame: number, pages: number, permission: number): Behaviour<number> {
    checkPages(pages);
    core.enter(S.CONTEXT_MAP);
    this.domain.counts.maps++;
    yield core.at(S.STEP_MAP_API).spend(this.domain.costs.apiCycles);
    const pfn = yield* this.intel_alloc_iova(core, roundUpPages(pages));
    if (pfn !== noPfn) {
      this.domain_pfn_mapping(pfn, frame, pages, permission);
      this.mapped(pfn, pages);
      yield core.at(S.STEP_PTE_WRITE).charge();
    }
    core.leave();
    return pfn;
  }

  *intel_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    const size = listPages(list);
    checkPages(size);
    core.enter(S.CONTEXT_MAP);
    this.domain.counts.maps++;
    yield core.at(S.STEP_MAP_API).spend(this.domain.costs.apiCycles);
    const pfn = yield* this.intel_alloc_iova(core, roundUpPages(size));
    if (pfn !== noPfn) {
      // domain_sg_mapping
      let at = pfn;
      for (const { frame, pages } of list) {
        this.domain_pfn_mapping(at, frame, pages, permission);
        at += pages;
      }
      this.mapped(pfn, size);
      yield core.at(S.STEP_PTE_WRITE).charge();
    }
    core.leave();
    return pfn;
  }

  /** First below 4 GiB, then anywhere that the device reaches. */
  *intel_alloc_iova(core: Core, nrpages: number): Behaviour<number> {
    const iova = operation(core.id);
    iova.pages = nrpages;
    const { limits } = this.domain;
    for (let i = 0; i < limits.length; i++) {
      iova.limit = limits[i];
      yield* this.allocator.alloc_iova(iova, core.at(S.STEP_ALLOCATE));
      if (iova.pfn !== noPfn) return iova.pfn;
    }
    this.domain.counts.failedMaps++;
    return noPfn;
  }

  *intel_unmap(core: Core, pfn: number, pages: number): Behaviour {
    checkPages(pages);
    core.enter(S.CONTEXT_UNMAP);
    this.domain.counts.unmaps++;
    yield core.at(S.STEP_UNMAP_API).spend(this.domain.costs.apiCycles);
    const iova = this.range(core, pfn, pages);
    if (this.allocator.findsOnUnmap) {
      yield* this.allocator.find_iova(iova, core.at(S.STEP_FIND));
      if (!this.found(iova)) return this.returned(core, iova);
    }
    const freelist = this.domain_unmap(iova);
    yield core.at(S.STEP_PTE_CLEAR).charge();
    if (this.domain.variant.policy === "strict") {
      yield* this.domain.invalidation.iommu_flush_iotlb_psi(core, iova.pfn, iova.pages, freelist.length === 0);
      yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE));
      if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    } else {
      yield* this.add_unmap(core, iova, freelist);
    }
    this.returned(core, iova);
  }

  /** The 251st unmap pays for the flush, and is queued itself. */
  *add_unmap(core: Core, iova: IovaOperation, freelist: readonly number[]): Behaviour {
    const queue = this.domain.queues[0];
    yield core.at(S.STEP_APPEND).acquire(queue.lock); // async_umap_flush_lock
    if (queue.entries.length >= this.domain.flushEntries) yield* this.flush_unmaps(core);
    this.append(queue, iova, freelist);
    yield core.at(S.STEP_APPEND).charge();
    yield core.at(S.STEP_APPEND).release(queue.lock);
  }

  /**
   * Empties the table, under async_umap_flush_lock throughout: one global invalidation, then entry by entry, first in, first out, the
   * tree's lock inside.
   */
  *flush_unmaps(core: Core, queue: FlushQueue = this.domain.queues[0]): Behaviour {
    const { counts, invalidation, timer } = this.domain;
    const caller = core.context;
    core.context = S.CONTEXT_FLUSH;
    if (queue.entries.length > 0) {
      timer.disarm(queue.cpu);
      counts.flushes++;
      yield* invalidation.qi_flush_iotlb_global(core);
    }
    for (let i = 0; i < queue.entries.length; i++) {
      const { iova, freelist } = queue.entries[i];
      this.readEntry(queue, i);
      yield core.at(S.STEP_FREE).charge();
      if (invalidation.visitsDevices) yield* invalidation.iommu_flush_dev_iotlb(core, iova.pfn, iova.pages);
      this.flushed(queue, i);
      iova.cpu = core.id;
      yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE));
      if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    }
    queue.entries.length = 0;
    timer.disarm(queue.cpu);
    core.context = caller;
  }

  *flush_unmaps_timeout(core: Core): Behaviour {
    core.enter(S.CONTEXT_FLUSH);
    this.domain.counts.timerFlushes++;
    const queue = this.domain.queues[0];
    yield core.at(S.STEP_APPEND).acquire(queue.lock);
    yield* this.flush_unmaps(core);
    yield core.at(S.STEP_APPEND).release(queue.lock);
    core.leave();
  }

  // What takes no lock and does not wait.

  /** `__domain_mapping`: entries for the pages that are touched. */
  protected domain_pfn_mapping(pfn: number, frame: number, pages: number, permission: number): void {
    const { pageTable, memory, costs } = this.domain;
    pageTable.map(pfn, frame, pages, permission, memory);
    memory.spend(costs.pteMapCycles);
  }

  /** `dma_pte_clear_level`: clears the entries of the whole range. @returns the table pages that are no longer needed */
  protected domain_unmap(iova: IovaOperation): readonly number[] {
    const { pageTable, memory, costs, watch, mapped } = this.domain;
    mapped.strike(iova.pfn, iova.pages);
    const freelist = pageTable.unmap(iova.pfn, iova.pages, memory);
    watch.cleared(iova.pfn, iova.pages);
    memory.spend(costs.pteClearCycles);
    return freelist;
  }

  /** Frees the table pages that an unmap collected. */
  protected dma_free_pagelist(core: Core, freelist: readonly number[]): Wait {
    const { pageTable, counts, costs } = this.domain;
    pageTable.freeTables(freelist);
    counts.freedTables += freelist.length;
    return core.at(S.STEP_FREE_TABLES).spend(freelist.length * costs.apiCycles);
  }

  /** The end of `add_unmap`: the table's next slot, and the timer. */
  protected append(queue: FlushQueue, iova: IovaOperation, freelist: readonly number[]): void {
    const { memory, timer } = this.domain;
    for (const line of queue.lines(queue.entries.length)) memory.write(line);
    memory.write(queue.base);
    queue.entries.push({ iova, freelist });
    timer.arm(iova.cpu);
  }

  protected readEntry(queue: FlushQueue, i: number): void {
    for (const line of queue.lines(i)) this.domain.memory.read(line);
    this.domain.counts.flushedEntries++;
  }

  /** An entry of a table is out of every cache, the device's own included. */
  protected flushed(_queue: FlushQueue, _i: number): void {}

  // What Linux does not have: the simulation's checks and counts.

  /** The range that the driver names. */
  protected range(core: Core, pfn: number, pages: number): IovaOperation {
    const iova = operation(core.id);
    iova.pfn = pfn;
    iova.pages = roundUpPages(pages);
    return iova;
  }

  /** Takes over what a find has found. @returns whether there was anything: if not, v4.3 warns ("Driver unmaps unmapped page at PFN …") */
  protected found(iova: IovaOperation): boolean {
    if (!iova.found) {
      this.domain.counts.strayUnmaps++;
      return false;
    }
    if (this.domain.variant.allocator === "rbtree") {
      // v4.3's tree knows the length better than the driver.
      iova.pfn = iova.lo;
      iova.pages = iova.hi - iova.lo + 1;
    }
    return true;
  }

  protected mapped(pfn: number, pages: number): void {
    const { watch, mapped, clock } = this.domain;
    watch.mapped(pfn, pages, clock.now);
    mapped.add(pfn, roundUpPages(pages));
  }

  /** An unmap returns: in strict mode nothing of it may be left in a cache. */
  protected returned(core: Core, { pfn, pages }: IovaOperation): void {
    const { watch, variant, clock } = this.domain;
    const stale = watch.returned(pfn, pages, clock.now);
    if (stale > 0 && variant.policy === "strict")
      throw new Error(`a translation of IOVA page ${pfn} survived its strict unmap`);
    core.leave();
  }
}
