/**
 * The translating part of a DMA-remapping unit: IOTLB, paging-structure caches, and page walks that read the table's entries through the
 * host's memory. It holds state and says how long a walk takes; who waits for whom is the business of the stream that drives it.
 */
import type { PageBytes } from "../pagetables/index.js";
import type { Invalidation } from "./invalidation-queue.js";
import { type TranslationCache, type TranslationCacheConfig, translationCache } from "./translation-cache.js";
import type { WalkMemory } from "./walk-memory.js";

/** Shape of a remapping unit's caches and walkers. */
export interface TranslationUnitConfig {
  iotlb: TranslationCacheConfig;
  /** One IOTLB for all page sizes, or one of that shape for each size. */
  iotlbBySize: "shared" | "separate";
  /** Paging-structure caches: entries of levels 2, 3 and 4, each of this shape. */
  structureCaches: TranslationCacheConfig;
  /** Walks at a time. */
  walkers: number;
  /** Shortest time between the beginnings of two walks, picoseconds (default 0). */
  walkIntervalPs?: number;
  /** Time of a walk beside its reads, picoseconds. */
  walkFixedPs: number;
}

/** What the thread wished to see: "currently we don't have a lot of visibility at all". */
export interface TranslationCounters {
  lookups: number;
  hits: number;
  misses: number;
  walks: number;
  faults: number;
  /** Walks by the number of entries that they read: index 1 to 4. */
  walksByDepth: number[];
  /** Hits in the paging-structure caches, by level of the entry found: index 2 to 4. */
  structureHits: number[];
  /** Sum, lowest and highest of the walks' durations, picoseconds. */
  walkPs: number;
  shortestWalkPs: number;
  longestWalkPs: number;
}

const sizeCode = (page: PageBytes): number => (page === 4096 ? 0 : page === 2097152 ? 1 : 2);
/** One over the bytes that an entry of a level covers: powers of two, so that multiplying is exact, and faster than dividing. */
const structureShare: readonly number[] = [0, 0, 1 / 2097152, 1 / 1073741824, 1 / 549755813888];
const pageShare = (page: PageBytes): number =>
  page === 4096 ? 1 / 4096 : page === 2097152 ? 1 / 2097152 : 1 / 1073741824;

/**
 * A table as the walker reads it. It may change at any time: software writes entries and does not ask, and what the caches still hold is
 * then stale until it is invalidated.
 */
export interface WalkedTable {
  /** Leaf sizes in use, smallest first. */
  readonly sizes: readonly PageBytes[];
  /** The bytes of the leaf that maps an address now, or 0 where nothing does. */
  leafBytes(address: number): PageBytes | 0;
  /** Where a mapped address leads now: the number of the page, of its leaf's size. */
  frame(address: number): number;
  /** Physical address of the entry that a walk reads at a level (4 = root … 1), or -1 where the walk has ended before it. */
  entryAddress(level: 1 | 2 | 3 | 4, address: number): number;
}

/** A range of more keys than this is looked for in the cache, not key by key. */
const keyByKey = 16;

/** Drops the keys `number × step + code` of a range of numbers from a cache. */
function drop(cache: TranslationCache, first: number, last: number, step: number, code: number): void {
  if (last - first >= keyByKey) cache.dropRange(first * step + code, last * step + code, step);
  else for (let number = first; number <= last; number++) cache.invalidate(number * step + code, number);
}

/** What a walk found. */
export interface WalkResult {
  durationPs: number;
  /** Entries read. */
  depth: number;
  /** Leaf that maps the address; 0 is a fault. */
  leafBytes: PageBytes | 0;
}

const noCounts = (): TranslationCounters => ({
  lookups: 0,
  hits: 0,
  misses: 0,
  walks: 0,
  faults: 0,
  walksByDepth: [0, 0, 0, 0, 0],
  structureHits: [0, 0, 0, 0, 0],
  walkPs: 0,
  shortestWalkPs: Number.POSITIVE_INFINITY,
  longestWalkPs: 0,
});

/** One remapping unit over one table. */
export class TranslationUnit {
  counters: TranslationCounters = noCounts();
  private readonly iotlbs: TranslationCache[];
  private readonly structures: (TranslationCache | undefined)[];
  private readonly sizes: readonly PageBytes[];
  private readonly found: WalkResult = { durationPs: 0, depth: 0, leafBytes: 0 };

  constructor(
    readonly config: TranslationUnitConfig,
    readonly table: WalkedTable,
    readonly memory: WalkMemory,
  ) {
    if (!Number.isInteger(config.walkers) || config.walkers < 1) {
      throw new RangeError(`walkers: ${config.walkers}; at least 1 is needed`);
    }
    const shared = translationCache(config.iotlb);
    this.iotlbs = [0, 1, 2].map((code) =>
      config.iotlbBySize === "shared" || code === 0 ? shared : translationCache(config.iotlb),
    );
    this.structures = [2, 3, 4].map(() => translationCache(config.structureCaches));
    this.structures.unshift(undefined, undefined);
    this.sizes = table.sizes;
  }

  /** A key that names the page of an address, for telling whether two requests wait for the same walk. */
  pageKey(address: number): number {
    const page = this.table.leafBytes(address) || 4096;
    return Math.floor(address * pageShare(page)) * 4 + sizeCode(page);
  }

  /** Looks an address up in the IOTLB, all sizes at once: the translated address, or -1 on a miss. */
  lookup(address: number): number {
    this.counters.lookups += 1;
    for (const page of this.sizes) {
      const number = Math.floor(address * pageShare(page));
      const frame = this.iotlbs[sizeCode(page)].find(number * 4 + sizeCode(page), number);
      if (frame >= 0) {
        this.counters.hits += 1;
        return frame * page + (address - number * page);
      }
    }
    this.counters.misses += 1;
    return -1;
  }

  /**
   * Walks the table for an address that missed: from the lowest entry that a paging-structure cache holds, reading one entry a level.
   * The result object is reused by the next walk. The translation is not in the IOTLB until `fill`.
   */
  walk(address: number): WalkResult {
    const { counters, table } = this;
    const found = this.found;
    const leafBytes = table.leafBytes(address);
    const leaf = leafBytes === 4096 ? 1 : leafBytes === 2097152 ? 2 : leafBytes === 1073741824 ? 3 : 1;
    let level = 4;
    for (let cached = leaf + 1; cached <= 4; cached++) {
      const number = Math.floor(address * structureShare[cached]);
      if ((this.structures[cached] as TranslationCache).find(number, number) >= 0) {
        counters.structureHits[cached] += 1;
        level = cached - 1;
        break;
      }
    }
    let duration = this.config.walkFixedPs;
    let depth = 0;
    for (; level >= leaf; level--) {
      const entry = table.entryAddress(level as 1 | 2 | 3 | 4, address);
      if (entry < 0) break;
      duration += this.memory.readPs(entry);
      depth += 1;
    }
    counters.walks += 1;
    counters.walksByDepth[depth] += 1;
    counters.walkPs += duration;
    if (duration < counters.shortestWalkPs) counters.shortestWalkPs = duration;
    if (duration > counters.longestWalkPs) counters.longestWalkPs = duration;
    if (leafBytes === 0) counters.faults += 1;
    found.durationPs = duration;
    found.depth = depth;
    found.leafBytes = leafBytes;
    return found;
  }

  /** Puts the translation that a walk found into the IOTLB, and the tables it went through into the paging-structure caches. */
  fill(address: number): void {
    const page = this.table.leafBytes(address);
    if (page === 0) return;
    const number = Math.floor(address * pageShare(page));
    this.iotlbs[sizeCode(page)].insert(number * 4 + sizeCode(page), number, this.table.frame(address));
    for (let level = page === 4096 ? 2 : page === 2097152 ? 3 : 4; level <= 4; level++) {
      const block = Math.floor(address * structureShare[level]);
      (this.structures[level] as TranslationCache).insert(block, block, block);
    }
  }

  /**
   * Obeys an invalidation: afterwards nothing that it reaches is cached. One of a range drops the walks' intermediate entries of that range
   * too, unless it says that no table was unlinked. What a device caches itself is not reached from here.
   */
  invalidate(what: Invalidation): void {
    if (what.kind === "device") return;
    if (what.kind !== "pages") {
      for (const cache of this.iotlbs) cache.clear();
      for (const cache of this.structures) cache?.clear();
      return;
    }
    let pages = 1;
    for (let order = 0; order < what.order; order++) pages *= 2;
    const start = (what.pfn - (what.pfn % pages)) * 4096;
    const last = start + pages * 4096 - 1;
    // A larger page that overlaps the range goes as a whole.
    for (const page of this.sizes) {
      const code = sizeCode(page);
      drop(this.iotlbs[code], Math.floor(start * pageShare(page)), Math.floor(last * pageShare(page)), 4, code);
    }
    if (what.leafOnly) return;
    for (const [level, share] of structureShare.entries()) {
      const cache = this.structures[level];
      if (cache) drop(cache, Math.floor(start * share), Math.floor(last * share), 1, 0);
    }
  }

  /** Fills the caches with what so many translations leave in them, outside of time, and starts the counters afresh. */
  prime(count: number, nextAddress: () => number): void {
    for (let i = 0; i < count; i++) {
      const address = nextAddress();
      if (this.lookup(address) < 0 && this.walk(address).leafBytes > 0) this.fill(address);
    }
    this.counters = noCounts();
  }

  /** Entries of the IOTLB in use (of all of them, where each size has its own). */
  get occupancy(): number {
    return [...new Set(this.iotlbs)].reduce((sum, cache) => sum + cache.used, 0);
  }
}
