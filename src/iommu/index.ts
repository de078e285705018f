/**
 * What the IOMMU's hardware does (Intel VT-d): IOTLB, paging-structure caches and page walks, the queued-invalidation ring and the time that
 * an invalidation takes.
 *
 * The ring and the caches know addresses and order, and no time: whoever drives them charges each access. {@link InvalidationUnit} is the
 * one part on the simulated clock. Follows the VT-d specification and Linux v4.3's dmar.c (records K8–K20).
 * Units: physical and I/O virtual addresses in bytes; core cycles where time is meant.
 */
export { type Invalidation, InvalidationQueue, invalidationOf, MAX_ADDRESS_MASK } from "./invalidation-queue.js";
export { InvalidationUnit, type InvalidationWatch, type IommuTiming } from "./invalidation-unit.js";
export { KeyIndex } from "./key-index.js";
export {
  type Replacement,
  type TranslationCache,
  type TranslationCacheConfig,
  translationCache,
} from "./translation-cache.js";
export {
  type TranslationCounters,
  TranslationUnit,
  type TranslationUnitConfig,
  type WalkedTable,
  type WalkResult,
} from "./translation-unit.js";
export { type WalkMemory, type WalkMemoryConfig, walkMemory } from "./walk-memory.js";
