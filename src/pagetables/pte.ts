/**
 * The second-level page-table entry of VT-d: 64 bits, kept as two 32-bit halves (records K16 and K17).
 * R is bit 0, W bit 1, PS (this entry maps a large page) bit 7, SNP bit 11, the address bits 51:12.
 */

/** Bytes of a base page, and of a table. */
export const PAGE_BYTES = 4096;
/** Entries of a table. */
export const PTES_PER_TABLE = 512;
/** Bytes of an entry; eight share a 64-byte cache line. */
export const PTE_BYTES = 8;

/** The device may read (bit 0). */
export const PTE_READ = 1;
/** The device may write (bit 1). */
export const PTE_WRITE = 2;
/** The entry maps a superpage (bit 7). */
export const PTE_LARGE = 1 << 7;
/** Accesses snoop the caches (bit 11). @public */
export const PTE_SNOOP = 1 << 11;

/** Permissions of a mapping: what the device may do. @public */
export type Permission = typeof PTE_READ | typeof PTE_WRITE | 3;

/** A decoded entry. */
export interface Pte {
  /** Frame (or table) it points to, as a page number. */
  pfn: number;
  /** R and W as {@link PTE_READ} and {@link PTE_WRITE}; 0: not present. */
  permission: number;
  /** It maps a large page rather than pointing to a table. */
  large: boolean;
}

const PFN_LOW = 1 << 20;

/** The low half of an entry. */
export function pteLow(pfn: number, flags: number): number {
  return (((pfn % PFN_LOW) << 12) | flags) >>> 0;
}

/** The high half of an entry. */
export function pteHigh(pfn: number): number {
  return Math.floor(pfn / PFN_LOW) & 0xfffff;
}

/** The page number in an entry. */
export function ptePfn(low: number, high: number): number {
  return (high & 0xfffff) * PFN_LOW + (low >>> 12);
}
