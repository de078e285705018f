import type { Behaviour } from "../engine/index.js";
import { PAGE_BYTES } from "../pagetables/index.js";
import type { Core } from "./core.js";
import { DmaIommu } from "./dma-iommu.js";
import { checkPages, listPages } from "./mapped-ranges.js";
import type { Segment } from "./options.js";
import * as S from "./steps.js";

/**
 * Buffers of a pool that stays mapped, and copies: a map takes a slot of its CPU's area and, for what the device reads, copies into it; an unmap
 * copies out of it what the device wrote, and gives the slot back. Nothing is ever invalidated: the device never sees anything but the pool.
 *
 * Not in Linux: a series of 2021 proposed such a pool for guests (record MS33, not merged), and a driver may keep one itself. Linux's own bounce
 * buffers (kernel/dma/swiotlb.c, reached from iommu_dma_map_phys for an untrusted device's unaligned buffer) are another thing: each buffer is
 * copied and then mapped and invalidated as any other, and since 5.18 copied into for what the device writes, too, so that it never reads what
 * the slot held before. Slots here have the data of their own device's earlier requests and of nobody else, so that copy is left out.
 */
export class BouncePool extends DmaIommu {
  /** Free slots of each CPU, by their first page; last in, first out. */
  private readonly free = new Map<number, { pfn: number; pages: number }[]>();
  /** Slots in use: whose area they belong to. */
  private readonly owner = new Map<number, { core: number; pages: number; permission: number }>();

  override *iommu_dma_map_phys(core: Core, _frame: number, pages: number, permission: number): Behaviour<number> {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_MAP);
    const slot = yield* this.pool_take(core, pages);
    this.owner.set(slot, { core: core.id, pages, permission });
    if ((permission & 1) !== 0) yield* this.pool_copy(core, pages);
    core.leave();
    return slot;
  }

  override *iommu_dma_map_sg(core: Core, list: readonly Segment[], permission: number): Behaviour<number> {
    for (const { pages } of list) checkPages(pages);
    return yield* this.iommu_dma_map_phys(core, 0, listPages(list), permission);
  }

  override *__iommu_dma_unmap(core: Core, pfn: number, pages: number): Behaviour {
    checkPages(pages);
    yield* this.begin(core, S.CONTEXT_UNMAP);
    const used = this.owner.get(pfn);
    if (used === undefined) this.domain.counts.strayUnmaps++;
    else {
      this.owner.delete(pfn);
      if ((used.permission & 2) !== 0) yield* this.pool_copy(core, pages);
      this.domain.memory.write(this.area(used.core));
      this.areaOf(used.core, pages).push({ pfn, pages });
      yield core.at(S.STEP_RECYCLE).charge();
    }
    core.leave();
  }

  /** Outside simulated time: a map, and an unmap. */
  map_at_boot(core: number, pages: number, permission: number): number {
    let pfn = this.areaOf(core, pages).pop()?.pfn;
    if (pfn === undefined) {
      pfn = this.allocator.allocate(pages, this.domain.limits[0], core);
      this.iommu_map(pfn, pfn, pages, 3);
      this.mapped(pfn, pages);
    }
    this.owner.set(pfn, { core, pages, permission });
    return pfn;
  }

  unmap_at_boot(pfn: number): void {
    const used = this.owner.get(pfn);
    if (used === undefined) return;
    this.owner.delete(pfn);
    this.areaOf(used.core, used.pages).push({ pfn, pages: used.pages });
  }

  /** A slot of the CPU's area; where there is none left, the area grows by one that is mapped for good. */
  private *pool_take(core: Core, pages: number): Behaviour<number> {
    const { memory } = this.domain;
    memory.write(this.area(core.id));
    const slot = this.areaOf(core.id, pages).pop();
    yield core.at(S.STEP_RECYCLE).charge();
    if (slot !== undefined) return slot.pfn;
    const pfn = yield* this.iommu_dma_alloc_iova(core, pages);
    this.iommu_map(pfn, pfn, pages, 3);
    this.mapped(pfn, pages);
    yield core.at(S.STEP_PTE_WRITE).charge();
    return pfn;
  }

  private *pool_copy(core: Core, pages: number): Behaviour {
    yield core.at(S.STEP_COPY).spend(Math.round((pages * PAGE_BYTES) / this.modern.copyBytesPerCycle));
  }

  private areaOf(core: number, pages: number): { pfn: number; pages: number }[] {
    const key = core * 4096 + pages;
    let area = this.free.get(key);
    if (area === undefined) {
      area = [];
      this.free.set(key, area);
    }
    return area;
  }

  private area(core: number): number {
    return this.modern.pool + core * 64 * 34;
  }
}
