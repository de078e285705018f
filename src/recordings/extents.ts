/** A range of I/O virtual pages. */
export interface PageRange {
  /** First page. */
  iovaPfn: number;
  /** Length in pages of 4 KiB, at least 1. */
  pages: number;
}

/** A run of pages that is mapped without a gap, and how many maps it is made of. */
export interface Extent extends PageRange {
  maps: number;
}

/**
 * The intervals that remain when ranges that abut are merged, in ascending order.
 * Two ranges abut when one begins with the page after the other's last; the ranges must not overlap.
 * @example mergeAbutting([{ iovaPfn: 5, pages: 1 }, { iovaPfn: 3, pages: 2 }, { iovaPfn: 9, pages: 1 }])
 * // [{ iovaPfn: 3, pages: 3, maps: 2 }, { iovaPfn: 9, pages: 1, maps: 1 }]
 */
export function mergeAbutting(ranges: readonly PageRange[]): Extent[] {
  const sorted = [...ranges].sort((a, b) => a.iovaPfn - b.iovaPfn);
  const merged: Extent[] = [];
  for (const { iovaPfn, pages } of sorted) {
    const last = merged.at(-1);
    if (last && last.iovaPfn + last.pages === iovaPfn) {
      last.pages += pages;
      last.maps++;
    } else merged.push({ iovaPfn, pages, maps: 1 });
  }
  return merged;
}

/**
 * Counts, while ranges come and go, how many intervals remain when abutting ones are merged.
 *
 * The number of intervals is the number of ranges less the number of places where two of them touch, so two sets of page numbers
 * (where live ranges begin, and where they end) tell each change in constant time: nothing is sorted and no tree is kept.
 */
export class ExtentCounter {
  private readonly begins = new Set<number>();
  private readonly ends = new Set<number>();
  /** Number of live ranges. */
  live = 0;
  /** Number of intervals. */
  intervals = 0;

  /** A range comes. It must not overlap a live one. */
  add({ iovaPfn, pages }: PageRange): void {
    this.intervals += 1 - this.neighbours(iovaPfn, pages);
    this.live++;
    this.begins.add(iovaPfn);
    this.ends.add(iovaPfn + pages);
  }

  /** A live range goes. */
  remove({ iovaPfn, pages }: PageRange): void {
    this.begins.delete(iovaPfn);
    this.ends.delete(iovaPfn + pages);
    this.live--;
    this.intervals -= 1 - this.neighbours(iovaPfn, pages);
  }

  /** How many live ranges touch this one: 0, 1 or 2. */
  private neighbours(iovaPfn: number, pages: number): number {
    return (this.ends.has(iovaPfn) ? 1 : 0) + (this.begins.has(iovaPfn + pages) ? 1 : 0);
  }
}
