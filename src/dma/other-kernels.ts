/** Where a variant differs from v4.3: the same functions, overridden. */
import type { Behaviour } from "../engine/index.js";
import { invalidationOf } from "../iommu/index.js";
import type { IovaOperation } from "../iova/index.js";
import type { Core } from "./core.js";
import type { FlushQueue } from "./flush-queue.js";
import { type DmaPrograms, type DomainParts, IntelIommu } from "./intel-iommu.js";
import { checkPages, listPages } from "./mapped-ranges.js";
import type { Segment } from "./options.js";
import * as S from "./steps.js";

/** As many pages as an address space can have: 2^52. */
const everyPage = 4_503_599_627_370_496;

/** The tree's lock is the allocator's only one. */
const iova_rbtree_lock = 0;

/** The 2015 thread's wording: the tree lock is held over the invalidations; a flush invalidates entry by entry. */
export class ThreadWording extends IntelIommu {
  override *intel_unmap(core: Core, pfn: number, pages: number): Behaviour {
    if (this.domain.variant.policy !== "strict") return yield* super.intel_unmap(core, pfn, pages);
    checkPages(pages);
    core.enter(S.CONTEXT_UNMAP);
    this.domain.counts.unmaps++;
    yield core.at(S.STEP_UNMAP_API).spend(this.domain.costs.apiCycles);
    const iova = this.range(core, pfn, pages);
    let freelist: readonly number[] = [];
    yield core.at(S.STEP_FIND).acquire(iova_rbtree_lock);
    yield* this.allocator.find_iova(iova, core.at(S.STEP_FIND).underLock);
    if (this.found(iova)) {
      freelist = this.domain_unmap(iova);
      yield core.at(S.STEP_PTE_CLEAR).charge();
      yield* this.domain.invalidation.iommu_flush_iotlb_psi(core, iova.pfn, iova.pages, freelist.length === 0);
      yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE).underLock);
    }
    yield core.at(S.STEP_FREE).release(iova_rbtree_lock);
    if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    this.returned(core, iova);
  }

  override *flush_unmaps(core: Core): Behaviour {
    const { invalidation, counts, timer, queues } = this.domain;
    const queue = queues[0];
    const caller = core.context;
    core.context = S.CONTEXT_FLUSH;
    yield core.at(S.STEP_FREE).acquire(iova_rbtree_lock);
    for (let i = 0; i < queue.entries.length; i++) {
      const { iova, freelist } = queue.entries[i];
      this.readEntry(queue, i);
      yield core.at(S.STEP_FREE).charge();
      yield* invalidation.qi_submit_sync(core, invalidationOf(0, iova.pfn, iova.pages, false));
      if (invalidation.visitsDevices) yield* invalidation.iommu_flush_dev_iotlb(core, iova.pfn, iova.pages);
      iova.cpu = core.id;
      yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE).underLock);
      if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    }
    // There is no whole flush, which would count itself.
    if (queue.entries.length > 0) counts.flushes++;
    queue.entries.length = 0;
    timer.disarm();
    yield core.at(S.STEP_FREE).release(iova_rbtree_lock);
    core.context = caller;
  }
}

/**
 * Linux v4.9: a flush table, a lock and a timer for each CPU; the one whose table is full flushes all of them, before it takes its own lock. A
 * timer flushes its own table only.
 */
export class PerCpuTables extends IntelIommu {
  override *add_unmap(core: Core, iova: IovaOperation, freelist: readonly number[]): Behaviour {
    const queue = this.domain.queues[core.id];
    if (queue.entries.length >= this.domain.flushEntries) yield* this.flush_unmaps_all(core);
    yield core.at(S.STEP_APPEND).acquire(queue.lock);
    this.append(queue, iova, freelist);
    yield core.at(S.STEP_APPEND).charge();
    yield core.at(S.STEP_APPEND).release(queue.lock);
  }

  /** Each table under its own lock. */
  *flush_unmaps_all(core: Core): Behaviour {
    const caller = core.context;
    core.context = S.CONTEXT_FLUSH;
    for (const queue of this.domain.queues) {
      yield core.at(S.STEP_APPEND).acquire(queue.lock);
      yield* this.flush_unmaps(core, queue);
      yield core.at(S.STEP_APPEND).release(queue.lock);
    }
    core.context = caller;
  }

  override *flush_unmaps_timeout(core: Core): Behaviour {
    core.enter(S.CONTEXT_FLUSH);
    this.domain.counts.timerFlushes++;
    const queue = this.domain.queues[core.id];
    yield core.at(S.STEP_APPEND).acquire(queue.lock);
    yield* this.flush_unmaps(core, queue);
    yield core.at(S.STEP_APPEND).release(queue.lock);
    core.leave();
  }
}

/**
 * Strict-ish, as the thread wants it: `get_page` at the map, `put_page` when the flush is complete. Otherwise as v4.9. Linux does neither; the
 * page that a driver frees in between goes back to its core's free list only with the put.
 */
export class StrictIsh extends PerCpuTables {
  /** Memory pages of ranges that are unmapped and not flushed. */
  private readonly waiting = new Map<IovaOperation, number[]>();

  protected override domain_pfn_mapping(pfn: number, frame: number, pages: number, permission: number): void {
    super.domain_pfn_mapping(pfn, frame, pages, permission);
    const { references, memory } = this.domain;
    for (let page = frame; page < frame + pages; page++) {
      memory.atomic(references!.address(page));
      references!.get(page);
    }
  }

  protected override domain_unmap(iova: IovaOperation): readonly number[] {
    const { pageTable } = this.domain;
    const frames: number[] = [];
    for (let page = iova.pfn; page < iova.pfn + iova.pages; page++) {
      const leaf = pageTable.lookup(page);
      if (leaf) frames.push(leaf.pfn);
    }
    this.waiting.set(iova, frames);
    return super.domain_unmap(iova);
  }

  protected override flushed(queue: FlushQueue, i: number): void {
    const { iova } = queue.entries[i];
    const { references, memory } = this.domain;
    for (const frame of this.waiting.get(iova) ?? []) {
      memory.atomic(references!.address(frame));
      references!.put(frame);
    }
    this.waiting.delete(iova);
  }
}

/** lib/iommu-common: nothing is invalidated at an unmap; the pools flush when a search starts over. */
export class FlushOnWrap extends IntelIommu {
  override *intel_unmap(core: Core, pfn: number, pages: number): Behaviour {
    checkPages(pages);
    core.enter(S.CONTEXT_UNMAP);
    this.domain.counts.unmaps++;
    yield core.at(S.STEP_UNMAP_API).spend(this.domain.costs.apiCycles);
    const iova = this.range(core, pfn, pages);
    const freelist = this.domain_unmap(iova);
    yield core.at(S.STEP_PTE_CLEAR).charge();
    yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE));
    if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    this.returned(core, iova);
  }

  /** lazy_flush, called under the pool's lock in the middle of an allocation. */
  *lazy_flush(core: Core): Behaviour {
    const step = core.present;
    this.domain.counts.flushes++;
    const { invalidation, ats } = this.domain;
    yield* invalidation.qi_flush_iotlb_global(core);
    // The card's own copies, too: sparc's flush, which this is after, has no such cards.
    if (ats) yield* invalidation.iommu_flush_dev_iotlb(core, 0, everyPage);
    core.at(step);
  }
}

/** Nothing is translated: the bus address is the memory address (`nommu_map_page`). */
export class NoTranslation implements DmaPrograms {
  constructor(private readonly domain: Pick<DomainParts, "costs" | "counts">) {}

  *intel_map_page(core: Core, frame: number, pages: number): Behaviour<number> {
    checkPages(pages);
    core.enter(S.CONTEXT_MAP);
    this.domain.counts.maps++;
    yield core.at(S.STEP_MAP_API).spend(this.domain.costs.apiCycles);
    core.leave();
    return frame;
  }

  intel_map_sg(core: Core, list: readonly Segment[]): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    return this.intel_map_page(core, list.length > 0 ? list[0].frame : 0, listPages(list));
  }

  *intel_unmap(core: Core, _pfn: number, pages: number): Behaviour {
    checkPages(pages);
    core.enter(S.CONTEXT_UNMAP);
    this.domain.counts.unmaps++;
    yield core.at(S.STEP_UNMAP_API).spend(this.domain.costs.apiCycles);
    core.leave();
  }

  *flush_unmaps_timeout(): Behaviour {}
}
