import type { Behaviour } from "../engine/index.js";
import { type Invalidation, invalidationOf } from "../iommu/index.js";
import type { SyncParts, TlbSync } from "./cache-tags.js";
import type { Core } from "./core.js";
import { STEP_QI_POLL, STEP_QI_SUBMIT } from "./steps.js";

/**
 * AMD's driver in 6.18 (drivers/iommu/amd/iommu.c): one command covers any range; its completion is waited for in steps of a microsecond, under
 * the lock of the IOMMU's command buffer, inside the domain's lock. All domains of an IOMMU take turns.
 */
export class AmdCommandBuffer implements TlbSync {
  /** @param parts with a domain's lock */
  constructor(private readonly parts: SyncParts & { domainLock: number }) {}

  iotlb_sync(core: Core, pfn: number, pages: number): Behaviour {
    return this.amd_iommu_domain_flush_pages(core, invalidationOf(0, pfn, pages, false));
  }

  flush_iotlb_all(core: Core): Behaviour {
    return this.amd_iommu_domain_flush_pages(core, { kind: "domain", domain: 0 });
  }

  *amd_iommu_domain_flush_pages(core: Core, command: Invalidation): Behaviour {
    const { domainLock, memory, tags } = this.parts;
    yield core.at(STEP_QI_SUBMIT).acquire(domainLock);
    memory.read(tags);
    yield* this.iommu_queue_command(core);
    yield* this.iommu_completion_wait(core, command);
    yield core.at(STEP_QI_POLL).release(domainLock);
  }

  /** The command goes into the buffer, and its tail to the register. */
  *iommu_queue_command(core: Core): Behaviour {
    const { unit, memory, costs, queueLock } = this.parts;
    yield core.at(STEP_QI_SUBMIT).acquire(queueLock);
    memory.write(unit.queue.slotAddress(unit.queue.nextSlot));
    memory.spend(costs.tailWriteCycles);
    yield core.at(STEP_QI_SUBMIT).release(queueLock);
  }

  /** A second command asks for a store when all before it are done; the lock is held until that store is seen. */
  *iommu_completion_wait(core: Core, command: Invalidation): Behaviour {
    const { unit, memory, costs, counts, queueLock, microsecond } = this.parts;
    yield core.at(STEP_QI_SUBMIT).acquire(queueLock);
    memory.write(unit.queue.slotAddress(unit.queue.nextSlot));
    memory.spend(costs.tailWriteCycles);
    yield core.at(STEP_QI_SUBMIT).charge();
    const wait = unit.submit(command);
    counts.invalidations++;
    for (;;) {
      memory.read(unit.statusAddress(wait));
      counts.pollTurns++;
      yield core.at(STEP_QI_POLL).charge();
      if (unit.queue.isDone(wait)) break;
      yield core.at(STEP_QI_POLL).spend(microsecond); // udelay(1)
    }
    unit.queue.reclaim(wait);
    yield core.at(STEP_QI_POLL).release(queueLock);
  }
}
