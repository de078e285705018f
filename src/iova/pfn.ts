/**
 * Page frame numbers of IOVAs, as plain numbers.
 *
 * Linux computes with unsigned 64-bit words and lets them wrap. A JavaScript number holds integers exactly below 2^53 only, and BigInt is
 * too slow for a search loop, so the space is held with its unreachable middle cut out:
 *
 *     pfn in Linux                    held as
 *     0 … 2^52 − 1                    the same number
 *     2^64 − 2^52 … 2^64 − 1          pfn − 2^64 + 2^53, that is 2^52 … 2^53 − 1
 *
 * Order is kept, every value is an exact number, and "x mod P" for a power of two P ≤ 2^52 is the same on both sides, so a search needs
 * no special case but one: below pfn 0 lies {@link topPfn}. No device can ask for the missing middle (VT-d addresses have 57 bits at most,
 * pfns 45).
 */

/** The highest pfn, 2^64 − 1 in Linux; also the limit of a request without one. */
export const topPfn: number = Number.MAX_SAFE_INTEGER;

/** The first held value that stands for the upper end of the 64-bit space. */
const upperStart = 0x10_0000_0000_0000;

/** The result of a request that failed. */
export const noPfn = -1;

/** The highest pfn below 4 GiB: Linux's DMA_32BIT_PFN, the limit for which the tree remembers its last node. */
export const dma32Pfn = 0xfffff;

/** Largest request, in pages, that the allocators take: 2^31 pages are 8 TiB. Linux rounds a page count in an unsigned int. */
export const maxPages = 0x8000_0000;

/**
 * The pfn as Linux would print it.
 * @example formatPfn(topPfn) // "18446744073709551615"
 */
export function formatPfn(pfn: number): string {
  return pfn < upperStart ? String(pfn) : ((1n << 64n) - (1n << 53n) + BigInt(pfn)).toString();
}

/**
 * Reads a pfn written in decimal; "-1" is the highest.
 * @returns the held value, or undefined where the text is no pfn or lies in the part of the space that no device reaches
 */
export function parsePfn(text: string): number | undefined {
  if (text === "-1") return topPfn;
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const exact = BigInt(text);
  if (exact < BigInt(upperStart)) return Number(exact);
  const held = exact - (1n << 64n) + (1n << 53n);
  return held >= BigInt(upperStart) && held <= BigInt(topPfn) ? Number(held) : undefined;
}

/**
 * The smallest power of two that is not below the page count (Linux's roundup_pow_of_two).
 * @param pages 1 … 2^31
 * @example roundUpPages(5) // 8
 */
export function roundUpPages(pages: number): number {
  return pages <= 1 ? 1 : (1 << (32 - Math.clz32(pages - 1))) >>> 0;
}

/** The exponent of the smallest power of two that is not below the page count. @example pagesOrder(5) // 3 */
export function pagesOrder(pages: number): number {
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

/** Throws unless the page count is one that an allocator can take. */
export function checkPages(pages: number): void {
  if (!Number.isInteger(pages) || pages < 1 || pages > maxPages) {
    throw new RangeError(`A request is for ${pages} pages; a whole number from 1 to 2^31 is accepted.`);
  }
}
