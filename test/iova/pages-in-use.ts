/** The pages in use, as a set; a page that is entered twice, or lies outside, is an error. */
export class PagesInUse {
  readonly live = new Map<number, number>();
  private readonly used = new Set<number>();

  /** @param lowest the first page that may be given out */
  constructor(private readonly lowest = 0) {}

  /** Enters a range that an allocator gave out. */
  add(pfn: number, pages: number, limit: number): void {
    if (pfn < this.lowest || pfn + pages - 1 > limit)
      throw new Error(`${pages} pages from ${pfn} are not all within [${this.lowest}, ${limit}]`);
    for (let page = pfn; page < pfn + pages; page++) {
      // A plain comparison: the assertion library's is most of a property's time.
      if (this.used.has(page)) throw new Error(`page ${page} was given out twice`);
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
