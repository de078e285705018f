import { expect } from "vitest";

/** The pages in use, as a set; a page that is entered twice is a failure. */
export class PagesInUse {
  readonly live = new Map<number, number>();
  private readonly used = new Set<number>();

  /** @param lowest the first page that may be given out */
  constructor(private readonly lowest = 0) {}

  /** Enters a range that an allocator gave out. */
  add(pfn: number, pages: number, limit: number): void {
    expect(pfn).toBeGreaterThanOrEqual(this.lowest);
    expect(pfn + pages - 1).toBeLessThanOrEqual(limit);
    for (let page = pfn; page < pfn + pages; page++) {
      expect(this.used.has(page)).toBe(false);
      this.used.add(page);
    }
    this.live.set(pfn, pages);
  }

  /** Takes one of the ranges out, by its rank. */
  take(rank: number): [number, number] | undefined {
    if (this.live.size === 0) return undefined;
    const [pfn, pages] = [...this.live][rank % this.live.size];
    this.live.delete(pfn);
    for (let page = pfn; page < pfn + pages; page++) this.used.delete(page);
    return [pfn, pages];
  }
}
