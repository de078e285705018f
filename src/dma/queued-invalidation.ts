import type { Behaviour } from "../engine/index.js";
import { type Invalidation, type InvalidationUnit, invalidationOf } from "../iommu/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { Core } from "./core.js";
import type { DmaCosts } from "./costs.js";
import type { DmaCounts } from "./options.js";
import { STEP_DEVICES, STEP_QI_POLL, STEP_QI_SUBMIT } from "./steps.js";

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
  /** The lock of every domain's list of devices: one for the whole host. */
  device_domain_lock: number;
  /** Where the domain's list of devices lies: its head, and a line of each of the device's two structures. */
  devices: number;
  /** The kernel looks through that list even where no device has ATS. */
  looksForDeviceTlbs: boolean;
}

/** Head of the list, `struct device_domain_info`, and the PCI device's state of ATS. */
export const DEVICE_LINES = 3;

/** What a core does to have a translation forgotten: Linux v4.3, dmar.c and intel-iommu.c. */
export class QueuedInvalidation {
  constructor(protected readonly parts: InvalidationParts) {}

  /**
   * Has the IOTLB forget a range, and then the device its own copies.
   *
   * The hint that no table page was unlinked ("ih": the paging-structure caches may stay) is passed down and never reached the descriptor, from
   * the first driver for this queue (2009) until October 2025: every page-selective flush dropped these caches of its range too.
   * @param _leafOnly the hint, which is lost here
   */
  *iommu_flush_iotlb_psi(core: Core, pfn: number, pages: number, _leafOnly: boolean): Behaviour {
    yield* this.qi_submit_sync(core, invalidationOf(0, pfn, pages, false));
    if (this.visitsDevices) yield* this.iommu_flush_dev_iotlb(core, pfn, pages);
  }

  /** Whether {@link iommu_flush_dev_iotlb} does anything: a call that has nothing to do need not be made. */
  get visitsDevices(): boolean {
    return this.parts.ats || this.parts.looksForDeviceTlbs;
  }

  /** Has the IOTLB forget everything (DMA_TLB_GLOBAL_FLUSH). */
  qi_flush_iotlb_global(core: Core): Behaviour {
    return this.qi_submit_sync(core, { kind: "global" });
  }

  /** Has the domain's devices with ATS forget their own copies: the lock of the device list is held meanwhile, and taken to look for them. */
  *iommu_flush_dev_iotlb(core: Core, pfn: number, pages: number): Behaviour {
    const { device_domain_lock, devices, memory, ats } = this.parts;
    yield core.at(STEP_DEVICES).acquire(device_domain_lock);
    for (let line = 0; line < DEVICE_LINES; line++) memory.read(devices + line * 64);
    yield core.at(STEP_DEVICES).charge();
    if (ats) {
      let order = 0;
      for (let covered = 1; covered < pages; covered *= 2) order++;
      yield* this.qi_submit_sync(core, { kind: "device", device: 0, pfn, order });
    }
    yield core.at(STEP_DEVICES).release(device_domain_lock);
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
    // The uncached write of the tail register leaves the core after the descriptors.
    memory.drain();
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
