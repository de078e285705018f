/**
 * What software writes for the IOMMU to walk: second-level page tables as real 512-entry tables, and static 1:1 tables of any page size.
 *
 * They know addresses and entries, and no time: whoever drives them charges each access through a {@link TableMemory}.
 * Follows Linux v4.3's intel-iommu.c (records K8–K20).
 * Units: pages of 4 KiB ("pfn" is a page number), physical addresses in bytes.
 */

export * from "./dynamic/index.js";
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
