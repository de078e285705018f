import type { DmaApi, Variant } from "../dma/index.js";
import type { MachineConfig } from "../machine/index.js";
import { fillCaches, fillRings } from "./warm-caches.js";

/** Microseconds as cycles of a machine. */
export const cyclesOf =
  ({ gigahertz }: Pick<MachineConfig, "gigahertz">) =>
  (microseconds: number): number =>
    Math.round(microseconds * 1000 * gigahertz);

/** Leaves the caches of addresses as hours of traffic would have done: the steady state begins with them full. */
export function fillAddressCaches(api: DmaApi, { allocator, linux, policy, reuse }: Variant, cores: number): void {
  if (policy === "lazy") fillRings(api, cores, linux?.singleRing === "large");
  if (allocator === "magazines") fillMagazines(api, cores);
  // Both magazines of each CPU full, and one more a CPU in the depot: what its trimming leaves there.
  if (linux && reuse !== "bounce") fillCaches(api, cores);
}

/** Fills both magazines of each CPU. */
function fillMagazines(api: DmaApi, cores: number): void {
  for (let core = 0; core < cores; core++) {
    const pfns = Array.from({ length: 256 }, (_, i) => api.mapAtBoot(core, i + 1, 1, 3));
    for (const pfn of pfns) api.unmapAtBoot(core, pfn, 1);
  }
}
