/**
 * A cache of translations: the IOTLB, or one level of the paging-structure caches.
 * Sets × ways entries; a set is chosen by the low part of the page number, so that contiguous pages spread over all sets.
 */
import { KeyIndex } from "./key-index.js";

/** Which entry of a full set makes room. */
export type Replacement = "lru" | "fifo" | "random";

/** Shape of a translation cache. */
export interface TranslationCacheConfig {
  /** How many translations it holds; 0 means that there is no such cache. */
  entries: number;
  /** Entries a set; equal to `entries` means fully associative. */
  ways: number;
  replacement: Replacement;
}

/** What every translation cache offers. Keys are whole numbers below 2^53; values are page numbers. */
export interface TranslationCache {
  /** The cached value, or -1. A hit refreshes the entry where the replacement is LRU. */
  find(key: number, index: number): number;
  /** Puts an entry in (or refreshes it), and returns the key that had to leave, or -1. */
  insert(key: number, index: number, value: number): number;
  /** Drops an entry; true if it was there. */
  invalidate(key: number, index: number): boolean;
  /** Drops the entries with the keys `low`, `low + step` … up to `high`. */
  dropRange(low: number, high: number, step: number): void;
  /** Drops everything. */
  clear(): void;
  /** Entries in use. */
  readonly used: number;
  readonly entries: number;
}

/**
 * Makes a cache of this shape.
 * @throws RangeError when the ways do not divide the entries.
 */
export function translationCache(config: TranslationCacheConfig): TranslationCache {
  const { entries, ways, replacement } = config;
  if (!Number.isInteger(entries) || entries < 0) throw new RangeError(`entries: ${entries}; a whole number from 0`);
  if (entries > 0 && (!Number.isInteger(ways) || ways < 1 || entries % ways !== 0)) {
    throw new RangeError(`ways: ${ways} do not divide ${entries} entries`);
  }
  return entries === ways || entries === 0
    ? new FullyAssociative(entries, replacement)
    : new SetAssociative(entries, ways, replacement);
}

/** A fixed sequence of pseudo-random choices for random replacement (xorshift, Marsaglia 2003), the same in every run. */
class Chooser {
  private state = 0x2545f491;
  below(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % limit;
  }
}

/** One set: a hash index finds the entry, a linked list in typed arrays keeps the order of use. */
class FullyAssociative implements TranslationCache {
  used = 0;
  private readonly index: KeyIndex;
  private readonly keys: Float64Array;
  private readonly values: Float64Array;
  private readonly newer: Int32Array;
  private readonly older: Int32Array;
  private newest = -1;
  private oldest = -1;
  private free: number[] = [];
  private readonly chooser = new Chooser();

  constructor(
    readonly entries: number,
    private readonly replacement: Replacement,
  ) {
    this.index = new KeyIndex(entries);
    this.keys = new Float64Array(entries);
    this.values = new Float64Array(entries);
    this.newer = new Int32Array(entries);
    this.older = new Int32Array(entries);
  }

  private unlink(slot: number): void {
    const newer = this.newer[slot];
    const older = this.older[slot];
    if (newer >= 0) this.older[newer] = older;
    else this.newest = older;
    if (older >= 0) this.newer[older] = newer;
    else this.oldest = newer;
  }

  private pushNewest(slot: number): void {
    this.newer[slot] = -1;
    this.older[slot] = this.newest;
    if (this.newest >= 0) this.newer[this.newest] = slot;
    else this.oldest = slot;
    this.newest = slot;
  }

  find(key: number): number {
    // The entry used last is asked for again most often: the upper levels of a walk.
    if (this.newest >= 0 && this.keys[this.newest] === key) return this.values[this.newest];
    const slot = this.index.get(key);
    if (slot < 0) return -1;
    this.refresh(slot);
    return this.values[slot];
  }

  private refresh(slot: number): void {
    if (this.replacement === "lru" && slot !== this.newest) {
      this.unlink(slot);
      this.pushNewest(slot);
    }
  }

  insert(key: number, _index: number, value: number): number {
    if (this.entries === 0) return -1;
    const present = this.newest >= 0 && this.keys[this.newest] === key ? this.newest : this.index.get(key);
    if (present >= 0) {
      this.values[present] = value;
      this.refresh(present);
      return -1;
    }
    let slot: number;
    let evicted = -1;
    if (this.free.length > 0) {
      slot = this.free.pop() as number;
      this.used += 1;
    } else if (this.used < this.entries) {
      slot = this.used++;
    } else {
      slot = this.replacement === "random" ? this.chooser.below(this.entries) : this.oldest;
      evicted = this.keys[slot];
      this.index.remove(evicted);
      this.unlink(slot);
    }
    this.keys[slot] = key;
    this.values[slot] = value;
    this.index.add(key, slot);
    this.pushNewest(slot);
    return evicted;
  }

  invalidate(key: number): boolean {
    const slot = this.index.get(key);
    if (slot < 0) return false;
    this.index.remove(key);
    this.unlink(slot);
    this.free.push(slot);
    this.used -= 1;
    return true;
  }

  dropRange(low: number, high: number, step: number): void {
    for (let slot = this.newest; slot >= 0; ) {
      const next = this.older[slot];
      const key = this.keys[slot];
      if (key >= low && key <= high && (key - low) % step === 0) this.invalidate(key);
      slot = next;
    }
  }

  clear(): void {
    this.index.clear();
    this.free = [];
    this.used = 0;
    this.newest = -1;
    this.oldest = -1;
  }
}

/** Several sets of a few ways each, searched one way after another. */
class SetAssociative implements TranslationCache {
  used = 0;
  private readonly sets: number;
  private readonly keys: Float64Array;
  private readonly values: Float64Array;
  /** When an entry was last used (LRU) or filled (FIFO). */
  private readonly stamp: Float64Array;
  private clock = 0;
  private readonly chooser = new Chooser();

  constructor(
    readonly entries: number,
    private readonly ways: number,
    private readonly replacement: Replacement,
  ) {
    this.sets = entries / ways;
    this.keys = new Float64Array(entries).fill(-1);
    this.values = new Float64Array(entries);
    this.stamp = new Float64Array(entries);
  }

  private slotOf(key: number, index: number): number {
    const first = (index % this.sets) * this.ways;
    for (let slot = first; slot < first + this.ways; slot++) if (this.keys[slot] === key) return slot;
    return -1;
  }

  find(key: number, index: number): number {
    const slot = this.slotOf(key, index);
    if (slot < 0) return -1;
    if (this.replacement === "lru") this.stamp[slot] = ++this.clock;
    return this.values[slot];
  }

  insert(key: number, index: number, value: number): number {
    let slot = this.slotOf(key, index);
    let evicted = -1;
    if (slot >= 0) {
      this.values[slot] = value;
      if (this.replacement === "lru") this.stamp[slot] = ++this.clock;
      return -1;
    }
    const first = (index % this.sets) * this.ways;
    slot = -1;
    for (let way = first; way < first + this.ways && slot < 0; way++) if (this.keys[way] < 0) slot = way;
    if (slot >= 0) this.used += 1;
    else {
      slot = first;
      if (this.replacement === "random") slot += this.chooser.below(this.ways);
      else for (let way = first + 1; way < first + this.ways; way++) if (this.stamp[way] < this.stamp[slot]) slot = way;
      evicted = this.keys[slot];
    }
    this.keys[slot] = key;
    this.values[slot] = value;
    this.stamp[slot] = ++this.clock;
    return evicted;
  }

  invalidate(key: number, index: number): boolean {
    const slot = this.slotOf(key, index);
    if (slot < 0) return false;
    this.keys[slot] = -1;
    this.used -= 1;
    return true;
  }

  dropRange(low: number, high: number, step: number): void {
    for (let slot = 0; slot < this.entries; slot++) {
      const key = this.keys[slot];
      if (key < low || key > high || (key - low) % step !== 0) continue;
      this.keys[slot] = -1;
      this.used -= 1;
    }
  }

  clear(): void {
    this.keys.fill(-1);
    this.used = 0;
  }
}
