import type { Behaviour } from "../engine/index.js";
import { type DmaRules, dma32Pfn, type FlushRings, type IovaAllocator, noPfn, operation } from "../iova/index.js";
import type { TlbSync } from "./cache-tags.js";
import type { Core } from "./core.js";
import type { DmaPrograms, DomainParts } from "./intel-iommu.js";
import { checkPages, listPages } from "./mapped-ranges.js";
import type { Segment } from "./options.js";
import * as S from "./steps.js";

/** Bytes of a ring's slot: pfn, pages, list head, counter. */
const SLOT_BYTES = 40;

/** The flush queue of a lazy domain: its rings, their locks and where they lie. */
export interface FlushQueueParts {
  rings: FlushRings;
  /** Number of each ring's lock. */
  locks: readonly number[];
  /** Address of each ring. */
  bases: readonly number[];
  /** Lines of the two counters of flushes and of the timer's mark. */
  started: number;
  finished: number;
  timerOn: number;
}

/** What a domain of Linux ≥ 4.15 has beside the older parts. */
export interface ModernParts {
  rules: DmaRules;
  sync: TlbSync;
  /** The hardware may remember absent entries: a map invalidates, too. */
  cachesAbsent: boolean;
  /** A table that an unmap covered is freed in the unmap, after a flush of its own (io-pgtable-arm, record MF10), in a lazy domain too. */
  freesTablesAtOnce: boolean;
  /** Undefined in a strict domain. */
  queue: FlushQueueParts | undefined;
  /** Address of what is kept of buffers that stay mapped: a line a CPU for the pool, then lines of its entries. */
  pool: number;
  /** How fast a processor copies. */
  copyBytesPerCycle: number;
}

/** Bytes of the pools' region: a CPU's line and its cache of 128 pages (page_pool). */
export const poolBytes = (cpus: number): number => cpus * 64 * 34;

/** Bytes of a ring with so many slots. */
export const ringBytes = (slots: number): number => 64 + slots * SLOT_BYTES;

/**
 * drivers/iommu/dma-iommu.c and iommu.c from v5.x to 6.18: one function for each of its functions, with their names and their order of locks.
 *
 * The allocator is {@link IovaAllocator} "rcache6" with the release's rules. Page tables are written without a lock (a table that is missing is
 * installed by compare-exchange; a leaf belongs to whoever owns its range). Strict: one invalidation, waited for, then the range is freed. Lazy: the
 * range goes into the CPU's ring; who fills it flushes the domain and frees its own entries, and a timer does the same for all.
 */
export class DmaIommu implements DmaPrograms {
  /** The device's addresses below 4 GiB are used up: they are not tried again (6.6). */
  private lowIsFull = false;
  /** The core on which the boot's first entry in a ring asks for the timer, which begins with simulated time. */
  armedAtBoot: number | undefined;
  /** Table pages that wait with their range for a flush. */
  private readonly freelists = new Map<number, readonly number[]>();
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;

  constructor(
    protected readonly domain: DomainParts,
    protected readonly allocator: IovaAllocator,
    protected readonly modern: ModernParts,
  ) {
    const rings = modern.queue?.rings.count ?? 0;
    this.heads = new Int32Array(rings);
    this.tails = new Int32Array(rings);
  }

  intel_map_page(core: Core, frame: number, pages: number, permission: number): Behaviour<number> {
    return this.iommu_dma_map_phys(core, frame, pages, permission);
  }

  intel_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    return this.iommu_dma_map_sg(core, list, permission);
  }

  intel_unmap(core: Core, pfn: number, pages: number): Behaviour {
    return this.__iommu_dma_unmap(core, pfn, pages);
  }

  flush_unmaps_timeout(core: Core): Behaviour {
    return this.fq_flush_timeout(core);
  }

  *iommu_dma_map_phys(core: Core, frame: number, pages: number, permission: number): Behaviour<number> {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_MAP);
    const iova = yield* this.iommu_dma_alloc_iova(core, pages);
    if (iova !== noPfn) {
      this.iommu_map(iova, frame, pages, permission);
      this.mapped(iova, pages);
      yield core.at(S.STEP_PTE_WRITE).charge();
      yield* this.iotlb_sync_map(core, iova, pages);
    }
    core.leave();
    return iova;
  }

  /** One range for the whole list: one allocation, later one unmap and one invalidation. */
  *iommu_dma_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    const size = listPages(list);
    checkPages(size);
    yield* this.begin(core, S.CONTEXT_MAP);
    const iova = yield* this.iommu_dma_alloc_iova(core, size);
    if (iova !== noPfn) {
      let at = iova;
      for (const { frame, pages } of list) {
        this.iommu_map(at, frame, pages, permission);
        at += pages;
      }
      this.mapped(iova, size);
      yield core.at(S.STEP_PTE_WRITE).charge();
      yield* this.iotlb_sync_map(core, iova, size);
    }
    core.leave();
    return iova;
  }

  /**
   * The two-step API (6.16): one range for the whole transfer (dma_iova_try_alloc), an entry for each piece as it comes (dma_iova_link), one
   * synchronisation (dma_iova_sync: nothing on bare metal). Its end is one unmap, and with it one invalidation (dma_iova_destroy).
   */
  *dma_iova_link_all(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    const size = listPages(list);
    yield* this.begin(core, S.CONTEXT_MAP);
    const iova = yield* this.iommu_dma_alloc_iova(core, size);
    if (iova !== noPfn) {
      let at = iova;
      for (const { frame, pages } of list) {
        yield core.at(S.STEP_MAP_API).spend(this.domain.costs.apiCycles);
        this.iommu_map(at, frame, pages, permission);
        yield core.at(S.STEP_PTE_WRITE).charge();
        at += pages;
      }
      this.mapped(iova, size);
      yield* this.iotlb_sync_map(core, iova, size);
    }
    core.leave();
    return iova;
  }

  /** After a map: nothing, but for hardware that may remember that the entries were absent (a guest's). */
  *iotlb_sync_map(core: Core, pfn: number, pages: number): Behaviour {
    if (this.modern.cachesAbsent) yield* this.modern.sync.iotlb_sync(core, pfn, pages, true);
  }

  /** Below 4 GiB first, without a drain: for every request (4.15 to 6.5), or until that has failed once (6.6). */
  *iommu_dma_alloc_iova(core: Core, pages: number): Behaviour<number> {
    const { limits, counts } = this.domain;
    const op = operation(core.id);
    op.pages = pages;
    const last = limits[limits.length - 1];
    if (last > dma32Pfn && !this.lowIsFull) {
      op.limit = dma32Pfn;
      op.mayDrain = false;
      yield* this.allocator.alloc_iova(op, core.at(S.STEP_ALLOCATE));
      if (op.pfn !== noPfn) return op.pfn;
      this.lowIsFull = this.modern.rules.lowFirst === "until it fails";
    }
    op.limit = last;
    op.mayDrain = true;
    yield* this.allocator.alloc_iova(op, core.at(S.STEP_ALLOCATE));
    if (op.pfn === noPfn) counts.failedMaps++;
    return op.pfn;
  }

  /**
   * A table that one unmap covered is freed after the flush: with the ring's entry in a lazy domain. SMMUv3's tables (io-pgtable-arm) flush the walk
   * caches at once and free the table in the unmap, in lazy mode too (record MF10).
   */
  *__iommu_dma_unmap(core: Core, pfn: number, pages: number): Behaviour {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_UNMAP);
    let freelist = this.iommu_unmap_fast(pfn, pages);
    yield core.at(S.STEP_PTE_CLEAR).charge();
    const { queue, sync, freesTablesAtOnce } = this.modern;
    if (freesTablesAtOnce && freelist.length > 0) {
      yield* sync.iotlb_sync(core, pfn, pages, false);
      yield this.iommu_put_pages_list(core, freelist);
      freelist = [];
    }
    if (queue === undefined) {
      yield* sync.iotlb_sync(core, pfn, pages, freelist.length === 0);
      if (freelist.length > 0) yield this.iommu_put_pages_list(core, freelist);
      yield* this.free_iova_fast(core, pfn, pages);
    } else yield* this.queue_iova(core, queue, pfn, pages, freelist);
    this.returned(core, pfn, pages);
  }

  /** Into the CPU's ring. What somebody else's flush has covered meanwhile is freed first; a full ring makes this unmap flush. */
  *queue_iova(core: Core, queue: FlushQueueParts, pfn: number, pages: number, freelist: readonly number[]): Behaviour {
    const { rings, locks } = queue;
    const ring = rings.ringOf(core.id);
    yield core.at(S.STEP_APPEND).acquire(locks[ring]);
    yield* this.fq_ring_free_locked(core, queue, ring);
    if (rings.isFull(ring)) {
      yield* this.fq_flush_iotlb(core, queue);
      yield* this.fq_ring_free_locked(core, queue, ring);
    }
    this.append(queue, ring, pfn, pages, freelist);
    yield core.at(S.STEP_APPEND).charge();
    yield core.at(S.STEP_APPEND).release(locks[ring]);
    // Avoid false sharing on fq_timer_on (5.4): it is read first, and written only where it is 0.
    this.domain.memory.read(queue.timerOn);
    if (!rings.armed) {
      rings.armed = true;
      this.domain.memory.atomic(queue.timerOn);
      this.domain.timer.arm(core.id);
    }
    yield core.at(S.STEP_APPEND).charge();
  }

  /** One flush of the domain, waited for. The counters tell afterwards what it has covered. */
  *fq_flush_iotlb(core: Core, queue: FlushQueueParts): Behaviour {
    const { memory, counts } = this.domain;
    const caller = core.context;
    core.context = S.CONTEXT_FLUSH;
    counts.flushes++;
    memory.atomic(queue.started);
    queue.rings.started++;
    yield* this.modern.sync.flush_iotlb_all(core);
    memory.atomic(queue.finished);
    queue.rings.finished++;
    core.context = caller;
  }

  /** Frees what finished flushes cover, oldest first, into the cache of the CPU that runs this; under the ring's lock. */
  *fq_ring_free_locked(core: Core, queue: FlushQueueParts, ring: number): Behaviour {
    const { memory, counts } = this.domain;
    const { rings } = queue;
    memory.read(queue.finished);
    memory.read(queue.bases[ring]);
    for (;;) {
      const entry = rings.takeCovered(ring);
      if (entry === undefined) break;
      const { pfn, pages } = entry;
      memory.read(this.slot(queue, ring, this.heads[ring]++));
      memory.read(queue.finished);
      memory.write(queue.bases[ring]);
      counts.flushedEntries++;
      const freelist = this.freelists.get(pfn);
      if (freelist !== undefined) {
        this.freelists.delete(pfn);
        yield this.iommu_put_pages_list(core, freelist);
      }
      yield* this.free_iova_fast(core, pfn, pages);
    }
    yield core.at(S.STEP_APPEND).charge();
  }

  /** The timer's softirq: flushes, and then frees all CPUs' rings on this one. */
  *fq_flush_timeout(core: Core): Behaviour {
    const { queue } = this.modern;
    if (queue === undefined) return;
    core.enter(S.CONTEXT_FLUSH);
    this.domain.counts.timerFlushes++;
    queue.rings.armed = false;
    this.domain.memory.atomic(queue.timerOn);
    yield* this.fq_flush_iotlb(core, queue);
    for (let ring = 0; ring < queue.rings.count; ring++) {
      yield core.at(S.STEP_APPEND).acquire(queue.locks[ring]);
      yield* this.fq_ring_free_locked(core, queue, ring);
      yield core.at(S.STEP_APPEND).release(queue.locks[ring]);
    }
    core.leave();
  }

  *free_iova_fast(core: Core, pfn: number, pages: number): Behaviour {
    const op = operation(core.id);
    op.pfn = pfn;
    op.pages = pages;
    yield* this.allocator.__free_iova(op, core.at(S.STEP_FREE));
  }

  /**
   * A received page that stays mapped goes back to its pool (page_pool_put_page) and comes from it again when the ring is refilled
   * (page_pool_alloc_pages): a cache of the queue's own, without a lock, and the page's own line.
   * @param turn how many have gone round this CPU's pool: which place of the cache
   */
  *page_pool_recycle(core: Core, turn: number): Behaviour {
    const { memory } = this.domain;
    core.enter(S.CONTEXT_UNMAP);
    const line = this.modern.pool + core.id * 64 * 34;
    memory.write(line);
    memory.write(line + 64 + (turn % 128) * 8);
    memory.read(line + 64 + ((turn + 64) % 128) * 8);
    memory.spend(this.domain.costs.apiCycles);
    yield core.at(S.STEP_RECYCLE).charge();
    core.leave();
  }

  giveUpLow(): void {
    this.lowIsFull = true;
  }

  /** Outside simulated time: an unmap as it lies in a ring when a measurement begins. */
  queueAtBoot(core: number, pfn: number, pages: number): boolean {
    const { queue } = this.modern;
    if (queue === undefined || queue.rings.isFull(queue.rings.ringOf(core))) return false;
    const freelist = this.iommu_unmap_fast(pfn, pages);
    this.append(queue, queue.rings.ringOf(core), pfn, pages, freelist);
    this.domain.watch.returned(pfn, pages, this.domain.clock.now);
    if (!queue.rings.armed) {
      queue.rings.armed = true;
      this.armedAtBoot = core;
    }
    return true;
  }

  // What takes no lock and does not wait.

  protected *begin(core: Core, context: number): Behaviour {
    const { counts, costs } = this.domain;
    core.enter(context);
    if (context === S.CONTEXT_MAP) counts.maps++;
    else counts.unmaps++;
    yield core.at(context === S.CONTEXT_MAP ? S.STEP_MAP_API : S.STEP_UNMAP_API).spend(costs.apiCycles);
  }

  /** `iommu_map`: entries for the pages; no invalidation on hardware that caches no absent entries. */
  protected iommu_map(pfn: number, frame: number, pages: number, permission: number): void {
    const { pageTable, memory, costs } = this.domain;
    pageTable.map(pfn, frame, pages, permission, memory);
    memory.spend(costs.pteMapCycles);
  }

  /** `iommu_unmap_fast`: clears the entries. @returns table pages that this one call covered */
  protected iommu_unmap_fast(pfn: number, pages: number): readonly number[] {
    const { pageTable, memory, costs, watch, mapped } = this.domain;
    mapped.strike(pfn, pages);
    const freelist = pageTable.unmap(pfn, pages, memory);
    watch.cleared(pfn, pages);
    memory.spend(costs.pteClearCycles);
    return freelist;
  }

  protected iommu_put_pages_list(core: Core, freelist: readonly number[]) {
    const { pageTable, counts, costs } = this.domain;
    pageTable.freeTables(freelist);
    counts.freedTables += freelist.length;
    return core.at(S.STEP_FREE_TABLES).spend(freelist.length * costs.apiCycles);
  }

  private append(queue: FlushQueueParts, ring: number, pfn: number, pages: number, freelist: readonly number[]): void {
    const { memory } = this.domain;
    if (freelist.length > 0) this.freelists.set(pfn, freelist);
    queue.rings.append(ring, pfn, pages);
    memory.read(queue.started);
    memory.write(this.slot(queue, ring, this.tails[ring]++));
    memory.write(queue.bases[ring]);
  }

  private slot(queue: FlushQueueParts, ring: number, index: number): number {
    return queue.bases[ring] + 64 + (index % queue.rings.slots) * SLOT_BYTES;
  }

  protected mapped(pfn: number, pages: number): void {
    const { watch, mapped, clock } = this.domain;
    watch.mapped(pfn, pages, clock.now);
    mapped.add(pfn, pages);
  }

  protected returned(core: Core, pfn: number, pages: number): void {
    const { watch, clock } = this.domain;
    const stale = watch.returned(pfn, pages, clock.now);
    if (stale > 0 && this.modern.queue === undefined)
      throw new Error(`a translation of IOVA page ${pfn} survived its strict unmap`);
    core.leave();
  }
}
