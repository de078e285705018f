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
  /** A range is unmapped and must be out of every cache before this returns. */
  iotlb_sync(core: Core, pfn: number, pages: number): Behaviour;
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
 * turns, and one invalidation of a domain is under way at most. Before, the same descriptors went out without that lock (but for a device's own
 * cache: with ATS a lock was held over its wait, which is left out here). Since 6.12 the
 * descriptors of an IOMMU go out together, with one wait (the device's own cache is a second descriptor); before, each had its own.
 *
 * The hint that a flush may keep the paging-structure caches got lost on its way to the descriptor until 6.19, and was repaired in
 * 6.18.2 by a backport (record MF21): the variants of 6.18 are 6.18.0 in this, and it is not set here.
 */
export class CacheTags implements TlbSync {
  /** @param batched one wait for all descriptors (6.12) */
  constructor(
    private readonly parts: SyncParts,
    private readonly batched: boolean,
  ) {}

  iotlb_sync(core: Core, pfn: number, pages: number): Behaviour {
    return this.cache_tag_flush_range(core, pfn, pages);
  }

  flush_iotlb_all(core: Core): Behaviour {
    return this.cache_tag_flush_all(core);
  }

  *cache_tag_flush_range(core: Core, pfn: number, pages: number): Behaviour {
    const flush = invalidationOf(0, pfn, pages, false);
    const order = flush.kind === "pages" ? flush.order : 0;
    yield* this.flush(core, flush, { kind: "device", device: 0, pfn, order });
  }

  *cache_tag_flush_all(core: Core): Behaviour {
    yield* this.flush(core, { kind: "domain", domain: 0 }, { kind: "device", device: 0, pfn: 0, order: WHOLE_DEVICE });
  }

  private *flush(core: Core, iotlb: Invalidation, device: Invalidation): Behaviour {
    const { domainLock, memory, tags, ats } = this.parts;
    if (domainLock !== undefined) yield core.at(STEP_QI_SUBMIT).acquire(domainLock);
    memory.read(tags);
    if (!ats) yield* this.qi_submit_sync(core, [iotlb]);
    else if (this.batched) yield* this.qi_submit_sync(core, [iotlb, device]);
    else {
      yield* this.qi_submit_sync(core, [iotlb]);
      yield* this.qi_submit_sync(core, [device]);
    }
    if (domainLock !== undefined) yield core.at(STEP_QI_POLL).release(domainLock);
  }

  /** The descriptors and one wait under the queue's lock; then the poll, which drops and retakes the lock each turn. */
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
      yield core.at(STEP_QI_POLL).relax(queueLock, costs.relaxCycles);
      yield core.at(STEP_QI_POLL).acquire(queueLock);
    }
    yield core.at(STEP_QI_POLL).release(queueLock);
  }
}
