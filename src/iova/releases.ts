/**
 * What the DMA layer's allocator was in the releases between v4.15 and 6.18: the rules that differ, by the release that brought them.
 *
 * The steps and their releases are those of the kernel's history (drivers/iommu/iova.c and dma-iommu.c): 4.15 the anchored tree, and a 32-bit address
 * tried first without a drain; 4.20 a remembered failure; 5.11 the second pass, and the drain of the depots; 5.18 that any low free forgets a failure;
 * 6.0 magazines of 127; 6.6 that the 32-bit try ends for good where it failed once; 6.7 depots without bound, trimmed.
 * From memory, unverified: that before 5.18 only a free at or above the remembered node forgot a failure ("near"). The sources read say that 5.18 made it
 * any free below 4 GiB, and not what stood there before.
 * Assumption: the search inside a magazine, and the rounding of requests, are 6.18's in all of them; the releases that brought those are not in the sources read.
 */
import { type CacheRules, cacheRules } from "./rcache6.js";

/** The rules of a release for allocator, caches and the choice of the limit. */
export interface DmaRules extends CacheRules {
  /** For a device that reaches above 4 GiB: try below it first "always" (4.15 to 6.5), or "until it fails" once (6.6). */
  lowFirst: "always" | "until it fails";
}

const oldest: DmaRules = {
  magazineSize: 128,
  depotLimit: 32,
  drainsDepots: false,
  largestCached: cacheRules.largestCached,
  failureMemory: "never remembered",
  secondPass: false,
  lowFirst: "always",
};

/** What each release changed, oldest first. */
const steps: readonly { since: string; rules: Partial<DmaRules> }[] = [
  { since: "4.15", rules: oldest },
  { since: "4.20", rules: { failureMemory: "near" } },
  { since: "5.11", rules: { secondPass: true, drainsDepots: true } },
  { since: "5.18", rules: { failureMemory: "any" } },
  { since: "6.0", rules: { magazineSize: 127 } },
  { since: "6.6", rules: { lowFirst: "until it fails" } },
  { since: "6.7", rules: { ...cacheRules } },
];

/** The newest release whose source was read; later ones have the same rules up to the generic page table of 6.19. */
export const newestRelease = "6.18";

/** The releases that changed a rule, oldest first. */
export const releaseSteps: readonly string[] = steps.map(({ since }) => since);

/**
 * The rules of a release: those of every step up to it.
 * @param release as Linux numbers them, such as "5.15"
 * @throws RangeError for a text that is no release, or one before 4.15 (v4.9 and v4.3 are the allocators "magazines" and "rbtree") or after 6.19
 * @example rulesOf("5.15").magazineSize // 128
 */
export function rulesOf(release: string): DmaRules {
  const wanted = numberOf(release);
  if (wanted === undefined || wanted < numberOf("4.15")! || wanted > numberOf(newestRelease)!)
    throw new RangeError(
      `The release is "${release.slice(0, 20)}"; one from 4.15 to ${newestRelease} is accepted, such as 5.15 (the rules changed in ${releaseSteps.join(", ")}).`,
    );
  const passed = steps.filter(({ since }) => numberOf(since)! <= wanted);
  return Object.assign({ ...oldest }, ...passed.map(({ rules }) => rules));
}

function numberOf(release: string): number | undefined {
  const match = /^v?(\d)\.(\d{1,2})(\.\d{1,3})?$/.exec(release);
  return match ? Number(match[1]) * 100 + Number(match[2]) : undefined;
}
