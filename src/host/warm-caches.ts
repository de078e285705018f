import type { DmaApi } from "../dma/index.js";
import { ringSlots } from "../iova/index.js";

/** Fills the caches of Linux ≥ 4.15 as hours of traffic would have done, all CPUs together, so that none takes from the depot what another has just put there: three magazines a CPU. */
export function fillCaches(api: DmaApi, cores: number): void {
  const each = Array.from({ length: cores }, (_, core) =>
    Array.from({ length: 3 * 127 }, (_, i) => api.mapAtBoot(core, i + 1, 1, 3)),
  );
  for (const [core, pfns] of each.entries()) for (const pfn of pfns) api.unmapAtBoot(core, pfn, 1);
}

/**
 * Fills each CPU's ring of unmaps to another height, so that they do not all become full at once: traffic has been going for a while. One ring for all is
 * found half full.
 */
export function fillRings(api: DmaApi, cores: number, single = false, pages = 1): void {
  for (let core = 0; core < cores; core++) {
    const entries = single
      ? Math.ceil(ringSlots.single / 2 / cores)
      : Math.floor(((core + 0.5) * (ringSlots.perCpu - 1)) / cores);
    for (let i = 0; i < entries; i++) {
      const pfn = api.mapAtBoot(core, i + 1, pages, 3);
      if (api.queueAtBoot(core, pfn, pages)) continue;
      api.unmapAtBoot(core, pfn, pages);
      break;
    }
  }
}
