/**
 * The IOMMU (Intel VT-d, as of 2015).
 *
 * The software side: second-level page tables as real 512-entry tables, and the queued-invalidation ring. They know addresses and
 * order, and no time: whoever drives them charges each access through a {@link TableMemory}.
 *
 * Follows Linux v4.3's intel-iommu.c and dmar.c (records K8–K20).
 * Units: pages of 4 KiB ("pfn" is a page number), physical addresses in bytes.
 */
export { type Invalidation, InvalidationQueue, invalidationOf, MAX_ADDRESS_MASK } from "./invalidation-queue.js";
/*
 * The hardware side: IOTLB, paging-structure caches and page walks over 1:1 tables of any size.
 */
export { KeyIndex } from "./key-index.js";
export {
  faultReason,
  OneToOneTable,
  oneToOne,
  type PageBytes,
  pageBytes,
  type Region,
  walkEntries,
} from "./one-to-one.js";
export {
  PageTableError,
  type PageTableOptions,
  SecondLevelPageTable,
  silentMemory,
  type TableMemory,
} from "./page-table.js";
export {
  PAGE_BYTES,
  type Permission,
  PTE_BYTES,
  PTE_LARGE,
  PTE_READ,
  PTE_SNOOP,
  PTE_WRITE,
  PTES_PER_TABLE,
  type Pte,
} from "./pte.js";
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
  type WalkResult,
} from "./translation-unit.js";
export { type WalkMemory, type WalkMemoryConfig, walkMemory } from "./walk-memory.js";
