import { type Behaviour, ready } from "../engine/index.js";
import { invalidationOf } from "../iommu/index.js";
import { type IovaAllocator, noPfn, operation, roundUpPages } from "../iova/index.js";
import {
  type Access,
  afterFlush,
  aliasOf,
  EMPTY,
  type EntryMemory,
  isAlias,
  mapPages,
  PAGE_BYTES,
  PTE_BYTES,
  runToEnd,
  type Steps,
  sweep,
  takeDown,
  unmapPages,
} from "../pagetables/index.js";
import type { Core } from "./core.js";
import type { FlushQueue } from "./flush-queue.js";
import type { DmaPrograms, DomainParts } from "./intel-iommu.js";
import { checkPages, listPages } from "./mapped-ranges.js";
import type { Segment } from "./options.js";
import * as S from "./steps.js";

/** The fallback's range ends where the aliases begin: its addresses are handed out from there downwards, above memory. */
const fallbackLimit = 0x3_ffff_ffff;
const LINE_BYTES = 64;

/**
 * Dynamic 1:1 behind the DMA API: no allocator and no lock on the way, but compare-exchanges on entries that other cores may want, too.
 *
 * The programs are those of `pagetables`, step by step: each read and each compare-exchange is charged to its core as an access to the
 * entry's line, and takes effect when it is paid for; meanwhile other cores go on. What is proved of the programs is what runs here.
 * What two cores contend for is a line: of eight leaves, or of the entry that counts a table's.
 */
export class DynamicOneToOne implements DmaPrograms {
  /** Pages of which each core's call under way has stored the leaf, and those of which it has cleared it. */
  private readonly stored: number[][] = [];
  private readonly cleared: number[][] = [];
  /** Pages that the hardware can reach: a leaf may stand in a table that is not linked any more, and be stored anew elsewhere. */
  private readonly live = new Set<number>();
  /** Who cleared a page last: until it is flushed, another core may have mapped and cleared it again. */
  private readonly clearedBy = new Map<number, number>();

  constructor(
    private readonly domain: DomainParts,
    private readonly allocator: IovaAllocator,
    private readonly entries: EntryMemory,
  ) {}

  *intel_map_page(core: Core, frame: number, pages: number, permission: number): Behaviour<number> {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_MAP, S.STEP_MAP_API);
    this.domain.counts.maps++;
    const { table } = this.entries;
    let iova = aliasOf(frame, permission);
    const outcome = yield* this.charged(core, mapPages(table, core.id, iova, frame, pages, permission));
    if (outcome === "taken") iova = yield* this.fall_back(core, [{ frame, pages }], permission);
    this.end(core);
    return iova;
  }

  /** A list has one address for all its pieces: pieces that do not lie together in memory have it above memory. */
  *intel_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    checkPages(listPages(list));
    const [first] = list;
    if (list.every(({ frame }, i) => i === 0 || frame === list[i - 1].frame + list[i - 1].pages))
      return yield* this.intel_map_page(core, first.frame, listPages(list), permission);
    yield* this.begin(core, S.CONTEXT_MAP, S.STEP_MAP_API);
    this.domain.counts.maps++;
    const iova = yield* this.fall_back(core, list, permission);
    this.end(core);
    return iova;
  }

  /** An address of the allocator's, for this mapping alone. */
  *fall_back(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    const iova = operation(core.id);
    iova.pages = roundUpPages(listPages(list));
    iova.limit = fallbackLimit;
    yield* this.allocator.alloc_iova(iova, core.at(S.STEP_ALLOCATE));
    if (iova.pfn === noPfn) {
      this.domain.counts.failedMaps++;
      return noPfn;
    }
    this.domain.counts.fallbacks++;
    this.domain.mapped.add(iova.pfn, iova.pages);
    let at = iova.pfn;
    for (const { frame, pages } of list) {
      yield* this.charged(core, mapPages(this.entries.table, core.id, at, frame, pages, permission));
      at += pages;
    }
    return iova.pfn;
  }

  *intel_unmap(core: Core, pfn: number, pages: number): Behaviour {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_UNMAP, S.STEP_UNMAP_API);
    this.domain.counts.unmaps++;
    const { table } = this.entries;
    const own = !isAlias(pfn);
    if (own) this.domain.mapped.strike(pfn, roundUpPages(pages));
    const strict = this.domain.variant.policy === "strict";
    const taken = yield* this.charged(core, takeDown(table, core.id, pfn, pages, strict), S.STEP_PTE_CLEAR);
    if (taken.cleared === 0) this.domain.counts.sharedUnmaps++;
    else if (strict) {
      yield* this.flush(core, pfn, pages, taken.closed.length === 0);
      yield* this.charged(core, afterFlush(table, core.id, taken), S.STEP_PTE_CLEAR);
      if (own) yield* this.free_fallback(core, pfn, pages);
    } else yield* this.add_unmap(core, pfn, pages);
    this.returned(core);
    this.end(core);
  }

  *free_fallback(core: Core, pfn: number, pages: number): Behaviour {
    const iova = operation(core.id);
    iova.pfn = pfn;
    iova.pages = roundUpPages(pages);
    yield* this.allocator.find_iova(iova, core.at(S.STEP_FIND));
    yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE));
  }

  /** A flush table a CPU, as in v4.9: whose is full flushes all of them; its timer, only its own. */
  *add_unmap(core: Core, pfn: number, pages: number): Behaviour {
    const queue = this.domain.queues[core.id];
    if (queue.entries.length >= this.domain.flushEntries) yield* this.flush_unmaps_all(core);
    yield core.at(S.STEP_APPEND).acquire(queue.lock);
    const { memory, timer } = this.domain;
    for (const line of queue.lines(queue.entries.length)) memory.write(line);
    memory.write(queue.base);
    const iova = operation(core.id);
    iova.pfn = pfn;
    iova.pages = pages;
    queue.entries.push({ iova, freelist: [] });
    timer.arm(core.id);
    yield core.at(S.STEP_APPEND).charge();
    yield core.at(S.STEP_APPEND).release(queue.lock);
  }

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

  /** Empties a table under its lock: where that is asked for, the page tables of its pages are swept; one global invalidation, then what is empty goes. */
  *flush_unmaps(core: Core, queue: FlushQueue): Behaviour {
    const { counts, invalidation, timer, memory } = this.domain;
    if (queue.entries.length === 0) return;
    const { table } = this.entries;
    timer.disarm(queue.cpu);
    counts.flushes++;
    if (this.domain.variant.oneToOne?.cleanup === "swept") {
      const pages = queue.entries.flatMap(({ iova }) => Array.from({ length: iova.pages }, (_, i) => iova.pfn + i));
      const taken = yield* this.charged(core, sweep(table, core.id, pages), S.STEP_PTE_CLEAR);
      yield* invalidation.qi_flush_iotlb_global(core);
      yield* this.charged(core, afterFlush(table, core.id, taken), S.STEP_PTE_CLEAR);
    } else yield* invalidation.qi_flush_iotlb_global(core);
    for (const [i, { iova }] of queue.entries.entries()) {
      for (const line of queue.lines(i)) memory.read(line);
      counts.flushedEntries++;
      yield core.at(S.STEP_APPEND).charge();
      if (invalidation.visitsDevices) yield* invalidation.iommu_flush_dev_iotlb(core, iova.pfn, iova.pages);
      if (!isAlias(iova.pfn)) yield* this.free_fallback(core, iova.pfn, iova.pages);
    }
    queue.entries.length = 0;
  }

  *flush_unmaps_timeout(core: Core): Behaviour {
    yield* this.begin(core, S.CONTEXT_FLUSH);
    this.domain.counts.timerFlushes++;
    const queue = this.domain.queues[core.id];
    yield core.at(S.STEP_APPEND).acquire(queue.lock);
    yield* this.flush_unmaps(core, queue);
    yield core.at(S.STEP_APPEND).release(queue.lock);
    this.end(core);
  }

  /** Has the smallest aligned block that holds the range forgotten: memory pages need not be aligned to their number. */
  private flush(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour {
    let block = 1;
    while (Math.floor(pfn / block) !== Math.floor((pfn + pages - 1) / block)) block *= 2;
    return this.domain.invalidation.iommu_flush_iotlb_psi(core, pfn - (pfn % block), block, leafOnly);
  }

  /** Runs a program of the page table on a core, each step charged before it takes effect. */
  private *charged<T>(core: Core, program: Steps<T>, step = S.STEP_PTE_WRITE): Behaviour<T> {
    const { memory, costs } = this.domain;
    memory.spend(step === S.STEP_PTE_WRITE ? costs.pteMapCycles : costs.pteClearCycles);
    let result = 0;
    for (;;) {
      const { done, value } = program.next(result);
      if (done) return value;
      if (value.kind === "flush") {
        yield* this.flush(core, value.iova, value.pages, value.leafOnly);
        continue;
      }
      const { at } = value as { at?: number };
      if (value.kind === "read") memory.read(value.at * PTE_BYTES);
      else if (value.kind === "exchange") memory.atomic(value.at * PTE_BYTES);
      else memory.spend(costs.apiCycles);
      // A program has hundreds of steps where it looks through a table: those that need no event are not passed up through the calls.
      const wait = core.at(step).charge();
      if (wait !== ready) yield wait;
      result = this.take(core, value);
      if (value.kind === "allocate") {
        // alloc_pgtable_page hands out a zeroed page.
        for (let line = 0; line < PAGE_BYTES; line += LINE_BYTES) this.store(result * PAGE_BYTES + line);
        yield core.at(step).charge();
      } else if (value.kind === "exchange" && !this.domain.coherent) memory.flush((at as number) * PTE_BYTES);
    }
  }

  private store(address: number): void {
    this.domain.memory.write(address);
    if (!this.domain.coherent) this.domain.memory.flush(address);
  }

  /** A step takes effect; who watches translations hears of leaves. @returns the step's result */
  private take(core: { readonly id: number }, access: Access): number {
    const { watch, clock, counts } = this.domain;
    const { entries } = this;
    const result = entries.as(core.id).step(access);
    if (access.kind === "retire") counts.freedTables++;
    if (access.kind !== "exchange") return result;
    if (result !== access.expected) {
      counts.failedExchanges++;
      return result;
    }
    const { page } = access;
    if (page !== undefined && access.desired === EMPTY) {
      watch.cleared(page, 1);
      this.live.delete(page);
      this.clearedBy.set(page, core.id);
      this.cleared[core.id].push(page);
      return result;
    }
    if (page !== undefined && access.expected === EMPTY) this.stored[core.id].push(page);
    for (const each of this.stored[core.id]) {
      if (this.live.has(each) || entries.walk(each) === undefined) continue;
      this.live.add(each);
      watch.mapped(each, 1, clock.now);
    }
    return result;
  }

  /** Maps at once, outside simulated time. */
  map_at_boot(core: number, frame: number, pages: number, permission: number): number {
    const iova = aliasOf(frame, permission);
    const program = mapPages(this.entries.table, core, iova, frame, pages, permission);
    if (this.atOnce(core, program) === "taken")
      throw new Error(`memory page ${frame} can not be mapped once more at boot`);
    return iova;
  }

  /** Unmaps at once, outside simulated time. */
  unmap_at_boot(core: number, pfn: number, pages: number): void {
    if (!isAlias(pfn)) throw new Error(`IOVA page ${pfn} is the fallback's: it is unmapped in simulated time only`);
    this.atOnce(core, unmapPages(this.entries.table, core, pfn, pages));
    const { watch, clock } = this.domain;
    for (const page of this.cleared[core]) watch.invalidated(invalidationOf(0, page, 1, true), clock.now);
  }

  private atOnce<T>(core: number, program: Steps<T>): T {
    this.stored[core] = [];
    this.cleared[core] = [];
    return runToEnd(program, { step: (access) => this.take({ id: core }, access) });
  }

  private *begin(core: Core, context: number, step?: number): Behaviour {
    core.enter(context);
    this.stored[core.id] = [];
    this.cleared[core.id] = [];
    this.entries.begin(core.id);
    if (step !== undefined) yield core.at(step).spend(this.domain.costs.apiCycles);
  }

  private end(core: Core): void {
    this.entries.end(core.id);
    core.leave();
  }

  /** An unmap returns: in strict mode nothing that it cleared may be left in a cache. */
  private returned(core: Core): void {
    const { watch, variant, clock } = this.domain;
    for (const page of this.cleared[core.id]) {
      if (this.clearedBy.get(page) !== core.id) continue;
      this.clearedBy.delete(page);
      const stale = watch.returned(page, 1, clock.now);
      if (stale > 0 && variant.policy === "strict")
        throw new Error(`a translation of IOVA page ${page} survived its strict unmap`);
    }
  }
}
