/**
 * Which pages below the 32-bit limit are in use, and by which node: what a plain search needs of a tree, without walking it.
 *
 * Linux finds a free place and a mapped page by walking the tree, and that walk is what the simulation charges, node by node
 * ({@link Memory}). Its *answer* can be had sooner: two bits a page say whether the page is in a range and whether a range starts there, and
 * a word a page says which node that is. "The first gap at or below" is then a scan of words, 32 pages at a time; "how many nodes lie
 * between" a count of bits (test/bench/iova shows what it buys). A range of many pages costs a word for each 32 of them.
 *
 * Data layout. Pages are numbered from the index's top downwards, in the direction of the search. The arrays are as long as the lowest range
 * needs; beyond them all is free. What lies above the top is not here.
 */
const pagesAtFirst = 4096;

/** Number of bits that are set in each four of a word. */
function fourBitSums(word: number): number {
  const x = word - ((word >>> 1) & 0x5555_5555);
  return (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
}

/** Number of bits that are set. */
function bitCount(word: number): number {
  const x = fourBitSums(word);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Where a block of 1, 2, 4, 8, 16 or 32 pages may begin in a word, so that it is aligned to its size. */
const aligned: ArrayLike<number> = Int32Array.of(-1, 0x5555_5555, 0x1111_1111, 0x0101_0101, 0x0001_0001, 1);

/** Words of {@link PageIndex} for 32 pages: which are in use, and in which a range starts. */
const STARTS = 1;

/** The pages of a tree's ranges. Every pfn given to it is an integer; those of one page are at or below its top where nothing else is said. */
export class PageIndex {
  /** Two words for 32 pages: a bit for each page in use, then a bit for each in which a range starts (has its lowest page). */
  private bits = new Int32Array(pagesAtFirst / 16);
  /** By page: the node of the range that starts here; stale where none does. */
  private nodes = new Int32Array(pagesAtFirst);

  /** Whether a block that is aligned as a pfn is aligned in the words too. */
  readonly hasBlocks: boolean;

  /** @param top the highest pfn of the index, below 2^31 */
  constructor(readonly top: number) {
    this.hasBlocks = (top & 31) === 31;
  }

  /** A range of a node that is not in the index yet; what lies above the top is left out. */
  add(node: number, lo: number, hi: number): void {
    if (lo > this.top) return;
    const at = (this.top - lo) | 0;
    if (at >= this.nodes.length) this.grow(at);
    this.nodes[at] = node;
    const { bits } = this;
    const word = (at >>> 5) << 1;
    bits[word + STARTS] |= 1 << at;
    if (lo === hi) bits[word] |= 1 << at;
    else this.mark(lo, hi, true);
  }

  /** Takes a range out. */
  remove(lo: number, hi: number): void {
    if (lo > this.top) return;
    const { bits } = this;
    const at = (this.top - lo) | 0;
    const word = (at >>> 5) << 1;
    bits[word + STARTS] &= ~(1 << at);
    if (lo === hi) bits[word] &= ~(1 << at);
    else this.mark(lo, hi, false);
  }

  /** The range [lo, hi] of a node becomes [newLo, newHi]; the two overlap. */
  resize(node: number, lo: number, hi: number, newLo: number, newHi: number): void {
    if (newLo < lo) this.mark(newLo, lo - 1, true);
    else if (newLo > lo) this.mark(lo, newLo - 1, false);
    if (newHi > hi) this.mark(hi + 1, newHi, true);
    else if (newHi < hi) this.mark(newHi + 1, hi, false);
    if (newLo === lo) return;
    if (lo <= this.top) {
      const old = (this.top - lo) | 0;
      this.bits[((old >>> 5) << 1) + STARTS] &= ~(1 << old);
    }
    if (newLo > this.top) return;
    const at = (this.top - newLo) | 0;
    if (at >= this.nodes.length) this.grow(at);
    this.nodes[at] = node;
    this.bits[((at >>> 5) << 1) + STARTS] |= 1 << at;
  }

  /** The node whose range starts at this pfn, where one does. */
  startingAt(pfn: number): number {
    return this.nodes[(this.top - pfn) | 0];
  }

  /** The node whose range holds the pfn, or `none`. */
  holding(pfn: number, none: number): number {
    const { bits } = this;
    const at = (this.top - pfn) | 0;
    let word = (at >>> 5) << 1;
    if (word >= bits.length || (bits[word] & (1 << at)) === 0) return none;
    // The lowest page of the range is the next start, downwards.
    let found = bits[word + STARTS] & (-1 << at);
    while (found === 0) {
      word += 2;
      found = bits[word + STARTS];
    }
    return this.nodes[(word << 4) + 31 - Math.clz32(found & -found)];
  }

  /** The highest free page at or below the pfn; −1 where there is none. */
  freeBelow(pfn: number): number {
    const { bits } = this;
    const at = (this.top - pfn) | 0;
    let word = (at >>> 5) << 1;
    if (word >= bits.length) return pfn;
    let found = ~bits[word] & (-1 << at);
    while (found === 0) {
      word += 2;
      if (word >= bits.length) return this.top - (word << 4);
      found = ~bits[word];
    }
    return this.top - ((word << 4) + 31 - Math.clz32(found & -found));
  }

  /** The highest page in use in [lo, hi]; −1 where all are free. */
  usedBelow(hi: number, lo: number): number {
    const { bits } = this;
    const last = (this.top - lo) | 0;
    const at = (this.top - hi) | 0;
    const lastWord = Math.min((last >>> 5) << 1, bits.length - 2);
    let word = (at >>> 5) << 1;
    if (word > lastWord) return -1;
    let found = bits[word] & (-1 << at);
    while (found === 0) {
      word += 2;
      if (word > lastWord) return -1;
      found = bits[word];
    }
    const page = (word << 4) + 31 - Math.clz32(found & -found);
    return page <= last ? this.top - page : -1;
  }

  /**
   * The lowest page of the highest free block that lies at or below the pfn and is aligned to its size; below `floor` where there is none. Needs {@link hasBlocks}.
   * @param size 1, 2, 4, 8, 16 or 32 pages
   */
  blockBelow(size: number, pfn: number, floor = 0): number {
    const { bits } = this;
    const places = aligned[31 - Math.clz32(size)];
    const at = (this.top - pfn) | 0;
    let word = (at >>> 5) << 1;
    let free = (word < bits.length ? ~bits[word] : -1) & (-1 << at);
    for (;;) {
      // After each step a bit says that twice as many pages from it on are free.
      for (let run = 1; run < size; run <<= 1) free &= free >>> run;
      free &= places;
      if (free !== 0) break;
      word += 2;
      if (this.top - (word << 4) < floor) return floor - 1;
      free = word < bits.length ? ~bits[word] : -1;
    }
    return this.top - ((word << 4) + 31 - Math.clz32(free & -free)) - size + 1;
  }

  /**
   * The highest place for a range: its lowest page, a multiple of `period`, with all its pages free and at or below `pfn`; −1 where there is none at
   * or above `floor`.
   * @param period a power of two, at least the size
   */
  placeBelow(size: number, period: number, pfn: number, floor: number): number {
    if (size <= 32 && size === period && this.hasBlocks) {
      const lo = this.blockBelow(size, pfn, floor);
      return lo < floor ? -1 : lo;
    }
    if (size > 32 && (this.top + 1) % period === 0) return this.largePlaceBelow(size, period, pfn, floor);
    let last = pfn;
    for (;;) {
      const free = this.freeBelow(last);
      // Aligned below the free page: the range ends at it or below.
      const lo = free + 1 - size < 0 ? -1 : ((free + 1 - size) & -period) >>> 0;
      if (lo < floor) return -1;
      const used = this.usedBelow(free, lo);
      if (used < 0) return lo;
      last = used - 1;
    }
  }

  /** The same for more than 32 pages: a block of `period` pages is so many words, of which the range needs the last ones. */
  private largePlaceBelow(size: number, period: number, pfn: number, floor: number): number {
    const { bits } = this;
    const mask = (size & 31) === 0 ? 0 : -1 << (32 - (size & 31));
    const full = (size >>> 5) << 1;
    let end = (Math.floor((this.top - pfn + size - 1) / period) + 1) * period;
    for (; ; end += period) {
      const lo = this.top + 1 - end;
      if (lo < floor) return -1;
      const last = (end >>> 4) - 2;
      let word = last;
      while (word > last - full && (word >= bits.length || bits[word] === 0)) word -= 2;
      if (word > last - full) continue;
      if (mask === 0 || word >= bits.length || (bits[word] & mask) === 0) return lo;
    }
  }

  /** The highest range that starts at or below the pfn: its node; `none` where there is none. */
  startBelow(pfn: number, none: number): number {
    const { bits } = this;
    const at = (this.top - pfn) | 0;
    let word = (at >>> 5) << 1;
    if (word >= bits.length) return none;
    let found = bits[word + STARTS] & (-1 << at);
    while (found === 0) {
      word += 2;
      if (word >= bits.length) return none;
      found = bits[word + STARTS];
    }
    return this.nodes[(word << 4) + 31 - Math.clz32(found & -found)];
  }

  /** The lowest page in use above the pfn and at or below `limit`; `limit` + 1 where there is none. */
  usedAbove(pfn: number, limit: number): number {
    const { bits } = this;
    const first = (this.top - limit) | 0;
    const last = (this.top - pfn - 1) | 0;
    if (last < first) return limit + 1;
    let word = (last >>> 5) << 1;
    let found = word < bits.length ? bits[word] & (-1 >>> (31 - (last & 31))) : 0;
    while (found === 0 && word << 4 > first) {
      word -= 2;
      found = word < bits.length ? bits[word] : 0;
    }
    const page = (word << 4) + 31 - Math.clz32(found);
    return found !== 0 && page >= first ? this.top - page : limit + 1;
  }

  /** How many ranges start in [lo, hi]. */
  countStarts(lo: number, hi: number): number {
    const { bits } = this;
    const last = (this.top - lo) | 0;
    const at = (this.top - hi) | 0;
    const endWord = (last >>> 5) << 1;
    const lastWord = Math.min(endWord, bits.length - 2);
    let word = (at >>> 5) << 1;
    if (word > lastWord) return 0;
    let counted = bits[word + STARTS] & (-1 << at);
    let count = 0;
    // Three words at once: their sums of four bits still fit into four.
    for (; word < lastWord - 4; word += 6) {
      const sums =
        (fourBitSums(counted) + fourBitSums(bits[word + 2 + STARTS]) + fourBitSums(bits[word + 4 + STARTS])) | 0;
      count += Math.imul((sums & 0x0f0f_0f0f) + ((sums >>> 4) & 0x0f0f_0f0f), 0x0101_0101) >>> 24;
      counted = bits[word + 6 + STARTS];
    }
    while (word < lastWord) {
      count += bitCount(counted);
      word += 2;
      counted = bits[word + STARTS];
    }
    return count + bitCount(word === endWord ? counted & (-1 >>> (31 - (last & 31))) : counted);
  }

  /** Sets or clears the use of [lo, hi], as far as it is not above the top. */
  private mark(lo: number, hi: number, inUse: boolean): void {
    if (lo > this.top) return;
    const at = (this.top - Math.min(hi, this.top)) | 0;
    const last = (this.top - lo) | 0;
    if (last >= this.nodes.length) this.grow(last);
    const { bits } = this;
    const lastWord = (last >>> 5) << 1;
    let mask = -1 << at;
    for (let word = (at >>> 5) << 1; word <= lastWord; word += 2) {
      if (word === lastWord) mask &= -1 >>> (31 - (last & 31));
      if (inUse) bits[word] |= mask;
      else bits[word] &= ~mask;
      mask = -1;
    }
  }

  private grow(at: number): void {
    let pages = this.nodes.length;
    while (pages <= at) pages *= 2;
    const bits = new Int32Array(pages / 16);
    bits.set(this.bits);
    this.bits = bits;
    const nodes = new Int32Array(pages);
    nodes.set(this.nodes);
    this.nodes = nodes;
  }
}
