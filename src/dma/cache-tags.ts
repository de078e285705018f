import type { Behaviour } from "../engine/index.js";
import { type Invalidation, invalidationOf } from "../iommu/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { Core } from "./core.js";
import type { DmaCosts } from "./costs.js";
import { WHOLE_DEVICE } from "./flush-rules.js";
import type { DmaCounts } from "./options.js";
import type { InvalidationHardware } from "./queued-invalidation.js";
import { STEP_QI_POLL, STEP_QI_SUBMIT } from "./steps.js";

/** How a domain's translations are taken out of the hardware's caches: what the DMA layer asks of an IOMMU's driver. */
export interface TlbSync {
  /**
   * A range is unmapped and must be out of every cache before this returns.
   * @param leafOnly no table was unlinked: the paging-structure caches may keep what they have
   */
  iotlb_sync(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour;
  /** Everything of the domain must be out. */
  flush_iotlb_all(core: Core): Behaviour;
}

/** What an IOMMU's driver needs to invalidate. */
export interface SyncParts {
  unit: InvalidationHardware;
  memory: ChargedMemory;
  costs: DmaCosts;
  counts: DmaCounts;
  /** The device caches translations itself. */
  ats: boolean;
  /** Number of the lock of the IOMMU's queue or command buffer. */
  queueLock: number;
  /** Number of the domain's lock that is held over a whole invalidation; undefined where there is none. */
  domainLock: number | undefined;
  /** Number of the lock that is held while a device's own cache is invalidated; undefined where there is none of its own. */
  deviceLock?: number | undefined;
  /** Address of the domain's list of caches: read at every invalidation. */
  tags: number;
  /** A microsecond, in cycles. */
  microsecond: number;
  clock: { readonly now: number };
}

/**
 * VT-d from v5.x to 6.18 (drivers/iommu/intel/cache.c and dmar.c): every cache that may hold a domain's translations has a tag in a list.
 *
 * Since 6.10 the list's spinlock is held, with interrupts off, over the whole flush and its wait: two cores that unmap in one strict domain take
 * turns, and one invalidation of a domain is under way at most. Before, the same descriptors went out without that lock; but as in v4.3 the
 * list of a domain's devices was locked while a device's own cache was invalidated, the wait included (that this held up to 6.9 is from memory).
 * Since 6.12 the descriptors of an IOMMU go out together, with one wait (the device's own cache is a second descriptor); before, each had its own.
 *
 * The hint that a flush may keep the paging-structure caches got lost on its way to the descriptor until 6.19 (record MF21). Its repair is in the
 * stable releases of December 2025, so in 6.18.2, but in no 6.18.0: the variants of 6.18 lose it, those of 6.18.2 do not.
 */
export class CacheTags implements TlbSync {
  /**
   * @param batched one wait for all descriptors (6.12)
   * @param hints the descriptor says where the paging-structure caches may stay (6.19, and 6.18.2)
   */
  constructor(
    private readonly parts: SyncParts,
    private readonly batched: boolean,
    private readonly hints: boolean,
  ) {}

  iotlb_sync(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour {
    return this.cache_tag_flush_range(core, pfn, pages, leafOnly);
  }

  flush_iotlb_all(core: Core): Behaviour {
    return this.cache_tag_flush_all(core);
  }

  *cache_tag_flush_range(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour {
    const flush = invalidationOf(0, pfn, pages, this.hints && leafOnly);
    const order = flush.kind === "pages" ? flush.order : 0;
    yield* this.flush(core, flush, { kind: "device", device: 0, pfn, order });
  }

  *cache_tag_flush_all(core: Core): Behaviour {
    yield* this.flush(core, { kind: "domain", domain: 0 }, { kind: "device", device: 0, pfn: 0, order: WHOLE_DEVICE });
  }

  private *flush(core: Core, iotlb: Invalidation, device: Invalidation): Behaviour {
    const { domainLock, deviceLock, memory, tags, ats } = this.parts;
    if (domainLock !== undefined) yield core.at(STEP_QI_SUBMIT).acquire(domainLock);
    memory.read(tags);
    if (!ats) yield* this.qi_submit_sync(core, [iotlb]);
    else if (this.batched) yield* this.qi_submit_sync(core, [iotlb, device]);
    else {
      yield* this.qi_submit_sync(core, [iotlb]);
      if (deviceLock !== undefined) yield core.at(STEP_QI_SUBMIT).acquire(deviceLock);
      yield* this.qi_submit_sync(core, [device]);
      if (deviceLock !== undefined) yield core.at(STEP_QI_POLL).release(deviceLock);
    }
    if (domainLock !== undefined) yield core.at(STEP_QI_POLL).release(domainLock);
  }

  /**
   * The descriptors and one wait under the queue's lock; then the poll, which drops and retakes the lock each turn, with interrupts off from
   * the first to the last. (Each retake is charged as the first one is, which turns them off: some forty cycles a turn too many.)
   */
  *qi_submit_sync(core: Core, requests: readonly Invalidation[]): Behaviour {
    const { unit, memory, costs, counts, queueLock } = this.parts;
    const { queue } = unit;
    yield core.at(STEP_QI_SUBMIT).acquire(queueLock);
    const waits: number[] = [];
    for (const request of requests) {
      while (!queue.hasRoom) {
        yield core.at(STEP_QI_POLL).relax(queueLock, costs.relaxCycles);
        yield core.at(STEP_QI_SUBMIT).acquire(queueLock);
      }
      memory.write(queue.slotAddress(queue.nextSlot));
      memory.write(unit.statusAddress(queue.nextSlot));
      waits.push(unit.submit(request));
      counts.invalidations++;
    }
    memory.spend(costs.tailWriteCycles);
    yield core.at(STEP_QI_SUBMIT).charge();
    const last = waits[waits.length - 1];
    for (;;) {
      memory.read(unit.statusAddress(last));
      counts.pollTurns++;
      const done = queue.isDone(last);
      if (done) for (const wait of waits) queue.reclaim(wait);
      else memory.spend(costs.faultReadCycles); // qi_check_fault
      yield core.at(STEP_QI_POLL).charge();
      if (done) break;
      yield core.at(STEP_QI_POLL).relax(queueLock, costs.relaxCycles, true);
      yield core.at(STEP_QI_POLL).acquire(queueLock);
    }
    yield core.at(STEP_QI_POLL).release(queueLock);
  }
}
