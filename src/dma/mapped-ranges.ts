import { dma32Pfn, roundUpPages } from "../iova/index.js";
import type { AllocatorKind } from "./allocators.js";
import { DmaError, type Segment } from "./options.js";

const mostPages = 0x8000_0000;

/** @throws DmaError where this is no number of pages that a map can be of */
export function checkPages(pages: number): void {
  if (!Number.isInteger(pages) || pages < 1 || pages > mostPages)
    throw new DmaError(`pages: a whole number from 1 to 2^31 is accepted, got ${pages}`);
}

/** Pages of a scatter list. */
export const listPages = (list: readonly Segment[]): number => list.reduce((sum, { pages }) => sum + pages, 0);

/**
 * Length of every range that is mapped and whose unmap has not begun, by its first page.
 *
 * Linux keeps no such record beside its tree. It is a check on the caller, so that a wrong unmap is an error and never a wrong result; it
 * touches no simulated memory and costs no simulated time.
 */
export class MappedRanges {
  /** Lengths below 4 GiB, counted from there downwards, as long as the lowest range needs; 0 where none begins. (A map costs a sixth of an ageing.) */
  private low = new Uint32Array(1 << 14);
  private readonly high = new Map<number, number>();

  constructor(private readonly allocator: AllocatorKind | "none") {}

  add(pfn: number, pages: number): void {
    if (pfn > dma32Pfn) {
      this.high.set(pfn, pages);
      return;
    }
    const at = dma32Pfn - pfn;
    if (at >= this.low.length) {
      const longer = new Uint32Array(roundUpPages(at + 1));
      longer.set(this.low);
      this.low = longer;
    }
    this.low[at] = pages;
  }

  /** Strikes off a range whose unmap begins. @throws DmaError where it is not there, or has another length */
  strike(pfn: number, pages: number): void {
    const length = this.lengthAt(pfn);
    if (length === pages) {
      if (pfn > dma32Pfn) this.high.delete(pfn);
      else this.low[dma32Pfn - pfn] = 0;
      return;
    }
    const what = `An unmap of ${pages} page${pages === 1 ? "" : "s"} at IOVA page ${pfn}`;
    if (length !== undefined)
      throw new DmaError(
        `${what}, where ${length} were mapped: nothing was changed. The allocator "${this.allocator}" takes the length from the call, and would free other pages.`,
      );
    throw new DmaError(
      this.allocator === "rbtree"
        ? `${what}, whose unmap has begun already: nothing was changed. Linux v4.3 would free the range twice.`
        : `${what}, where no mapping begins (or no longer): nothing was changed. The allocator "${this.allocator}" frees what the call names: what is free, or another mapping's.`,
    );
  }

  private lengthAt(pfn: number): number | undefined {
    if (pfn > dma32Pfn) return this.high.get(pfn);
    const length = this.low[dma32Pfn - pfn];
    return length === 0 ? undefined : length;
  }
}
