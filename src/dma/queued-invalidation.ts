import type { Behaviour } from "../engine/index.js";
import { type Invalidation, type InvalidationUnit, invalidationOf } from "../iommu/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { Core } from "./core.js";
import type { DmaCosts } from "./costs.js";
import type { DmaCounts } from "./options.js";
import { STEP_QI_POLL, STEP_QI_SUBMIT } from "./steps.js";

/** What of the IOMMU's hardware an invalidation needs. */
export type InvalidationHardware = Pick<InvalidationUnit, "statusAddress" | "submit"> & {
  readonly queue: Pick<InvalidationUnit["queue"], "hasRoom" | "nextSlot" | "slotAddress" | "isDone" | "reclaim">;
};

/** What an invalidation needs: the hardware, what it costs, and the numbers of two locks. */
export interface InvalidationParts {
  unit: InvalidationHardware;
  memory: ChargedMemory;
  costs: DmaCosts;
  counts: DmaCounts;
  /** The device caches translations itself: each invalidation is followed by one to the device. */
  ats: boolean;
  /** The queue's lock. */
  q_lock: number;
  /** The lock of the list of devices that cache translations. */
  device_domain_lock: number;
}

/** What a core does to have a translation forgotten: Linux v4.3, dmar.c and intel-iommu.c. */
export class QueuedInvalidation {
  constructor(protected readonly parts: InvalidationParts) {}

  /** Has the IOTLB forget a range, and then the device its own copies. @param leafOnly no table page was unlinked ("ih") */
  *iommu_flush_iotlb_psi(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour {
    yield* this.qi_submit_sync(core, invalidationOf(0, pfn, pages, leafOnly));
    if (this.parts.ats) yield* this.iommu_flush_dev_iotlb(core, pfn, pages);
  }

  /** Has the IOTLB forget everything (DMA_TLB_GLOBAL_FLUSH). */
  qi_flush_iotlb_global(core: Core): Behaviour {
    return this.qi_submit_sync(core, { kind: "global" });
  }

  /** Has a device forget its own copies: the lock of the device list is held over the wait. */
  *iommu_flush_dev_iotlb(core: Core, pfn: number, pages: number): Behaviour {
    const { device_domain_lock } = this.parts;
    let order = 0;
    for (let covered = 1; covered < pages; covered *= 2) order++;
    yield core.at(STEP_QI_SUBMIT).acquire(device_domain_lock);
    yield* this.qi_submit_sync(core, { kind: "device", device: 0, pfn, order });
    yield core.at(STEP_QI_POLL).release(device_domain_lock);
  }

  /** Two descriptors and the tail register under the queue's lock; then the poll, which drops and retakes the lock each turn. */
  *qi_submit_sync(core: Core, request: Invalidation): Behaviour {
    const { unit, memory, costs, counts, q_lock } = this.parts;
    const { queue } = unit;
    yield core.at(STEP_QI_SUBMIT).acquire(q_lock);
    while (!queue.hasRoom) {
      yield core.at(STEP_QI_POLL).relax(q_lock, costs.relaxCycles);
      yield core.at(STEP_QI_SUBMIT).acquire(q_lock);
    }
    memory.write(queue.slotAddress(queue.nextSlot));
    memory.write(unit.statusAddress(queue.nextSlot));
    memory.spend(costs.tailWriteCycles);
    yield core.at(STEP_QI_SUBMIT).charge();
    const wait = unit.submit(request);
    counts.invalidations++;
    for (;;) {
      memory.read(unit.statusAddress(wait));
      counts.pollTurns++;
      const done = queue.isDone(wait);
      if (done) queue.reclaim(wait);
      else memory.spend(costs.faultReadCycles); // qi_check_fault
      yield core.at(STEP_QI_POLL).charge();
      if (done) break;
      yield core.at(STEP_QI_POLL).relax(q_lock, costs.relaxCycles);
      yield core.at(STEP_QI_POLL).acquire(q_lock);
    }
    yield core.at(STEP_QI_POLL).release(q_lock);
  }
}
