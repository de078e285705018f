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

/** Number of bits that are set. */
function bitCount(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** The pages of a tree's ranges. Every pfn given to it is an integer; those of one page are at or below its top where nothing else is said. */
export class PageIndex {
  /** One bit a page: it is in a range. */
  private used = new Int32Array(pagesAtFirst / 32);
  /** One bit a page: a range starts (has its lowest page) here. */
  private starts = new Int32Array(pagesAtFirst / 32);
  /** By page: the node of the range that starts here; stale where none does. */
  private nodes = new Int32Array(pagesAtFirst);

  /** @param top the highest pfn of the index, below 2^31 */
  constructor(readonly top: number) {}

  /** A range of a node that is not in the index yet; what lies above the top is left out. */
  add(node: number, lo: number, hi: number): void {
    if (lo > this.top) return;
    const at = (this.top - lo) | 0;
    if (at >= this.nodes.length) this.grow(at);
    this.nodes[at] = node;
    this.starts[at >>> 5] |= 1 << at;
    if (lo === hi) this.used[at >>> 5] |= 1 << at;
    else this.mark(lo, hi, true);
  }

  /** Takes a range out. */
  remove(lo: number, hi: number): void {
    if (lo > this.top) return;
    const at = (this.top - lo) | 0;
    this.starts[at >>> 5] &= ~(1 << at);
    if (lo === hi) this.used[at >>> 5] &= ~(1 << at);
    else this.mark(lo, hi, false);
  }

  /** The range [lo, hi] of a node becomes [newLo, newHi]; the two overlap. */
  resize(node: number, lo: number, hi: number, newLo: number, newHi: number): void {
    if (newLo < lo) this.mark(newLo, lo - 1, true);
    else if (newLo > lo) this.mark(lo, newLo - 1, false);
    if (newHi > hi) this.mark(hi + 1, newHi, true);
    else if (newHi < hi) this.mark(newHi + 1, hi, false);
    if (newLo === lo) return;
    if (lo <= this.top) this.starts[(this.top - lo) >>> 5] &= ~(1 << (this.top - lo));
    if (newLo > this.top) return;
    const at = (this.top - newLo) | 0;
    if (at >= this.nodes.length) this.grow(at);
    this.nodes[at] = node;
    this.starts[at >>> 5] |= 1 << at;
  }

  /** The node whose range starts at this pfn, where one does. */
  startingAt(pfn: number): number {
    return this.nodes[this.top - pfn];
  }

  /** The node whose range holds the pfn, or `none`. */
  holding(pfn: number, none: number): number {
    const { used, starts } = this;
    const at = (this.top - pfn) | 0;
    let word = at >>> 5;
    if (word >= used.length || (used[word] & (1 << at)) === 0) return none;
    // The lowest page of the range is the next start, downwards.
    let bits = starts[word] & (-1 << at);
    while (bits === 0) bits = starts[++word];
    return this.nodes[(word << 5) + 31 - Math.clz32(bits & -bits)];
  }

  /** The highest free page at or below the pfn; −1 where there is none. */
  freeBelow(pfn: number): number {
    const { used } = this;
    const at = (this.top - pfn) | 0;
    let word = at >>> 5;
    if (word >= used.length) return pfn;
    let bits = ~used[word] & (-1 << at);
    while (bits === 0) {
      if (++word >= used.length) return this.top - (word << 5);
      bits = ~used[word];
    }
    return this.top - ((word << 5) + 31 - Math.clz32(bits & -bits));
  }

  /** The highest page in use in [lo, hi]; −1 where all are free. */
  usedBelow(hi: number, lo: number): number {
    const { used } = this;
    const last = (this.top - lo) | 0;
    const at = (this.top - hi) | 0;
    let word = at >>> 5;
    if (word >= used.length) return -1;
    let bits = used[word] & (-1 << at);
    while (bits === 0) {
      if (++word > last >>> 5 || word >= used.length) return -1;
      bits = used[word];
    }
    const found = (word << 5) + 31 - Math.clz32(bits & -bits);
    return found <= last ? this.top - found : -1;
  }

  /** How many ranges start in [lo, hi]. */
  countStarts(lo: number, hi: number): number {
    const { starts } = this;
    const at = (this.top - hi) | 0;
    const last = (this.top - lo) | 0;
    const lastWord = Math.min(last >>> 5, starts.length - 1);
    let word = at >>> 5;
    if (word > lastWord) return 0;
    let bits = starts[word] & (-1 << at);
    let count = 0;
    while (word < lastWord) {
      count += bitCount(bits);
      bits = starts[++word];
    }
    return count + bitCount(word === last >>> 5 ? bits & (-1 >>> (31 - (last & 31))) : bits);
  }

  /** Sets or clears the use of [lo, hi], as far as it is not above the top. */
  private mark(lo: number, hi: number, inUse: boolean): void {
    if (lo > this.top) return;
    const at = (this.top - (hi < this.top ? hi : this.top)) | 0;
    const last = (this.top - lo) | 0;
    if (last >= this.nodes.length) this.grow(last);
    const { used } = this;
    const word = at >>> 5;
    const lastWord = last >>> 5;
    const head = -1 << at;
    const tail = -1 >>> (31 - (last & 31));
    if (word === lastWord) {
      if (inUse) used[word] |= head & tail;
      else used[word] &= ~(head & tail);
      return;
    }
    if (inUse) {
      used[word] |= head;
      used[lastWord] |= tail;
    } else {
      used[word] &= ~head;
      used[lastWord] &= ~tail;
    }
    if (lastWord - word > 1) used.fill(inUse ? -1 : 0, word + 1, lastWord);
  }

  private grow(at: number): void {
    let pages = this.nodes.length;
    while (pages <= at) pages *= 2;
    const longer = (old: Int32Array, length: number): Int32Array => {
      const array = new Int32Array(length);
      array.set(old);
      return array;
    };
    this.used = longer(this.used, pages / 32);
    this.starts = longer(this.starts, pages / 32);
    this.nodes = longer(this.nodes, pages);
  }
}
