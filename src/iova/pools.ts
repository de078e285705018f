/**
 * The bitmap pools of Linux v4.3's lib/iommu-common.c ("Break up monolithic iommu table/lock into finer graularity pools and lock",
 * S. Varadhan 2015; records K23–K26): one table of bits cut into pools, each with a lock and a hint.
 *
 * A CPU always goes to the pool that its number hashes to, and waits there if the lock is taken; other pools are tried only when that one
 * has no room. Freed entries stay in the TLB until a search comes to the end of its pool and starts over, which flushes.
 *
 * Data layout: a line for the table's head, a line for each pool (lock, start, end, hint), then the bitmap. The pfn of an entry is
 * `tableBase` + its index. A request's `limit` is the device's mask in pages.
 */
import type { Behaviour } from "../engine/index.js";
import {
  type AllocatorOptions,
  type Cpu,
  checkRange,
  type IovaAllocator,
  IovaError,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
} from "./allocator.js";
import { Bitmap } from "./bitmap.js";
import { CheckedAllocator } from "./checked-allocator.js";
import { lineBytes, type Memory } from "./memory.js";
import { checkPages, noPfn, roundUpPages, topPfn } from "./pfn.js";

/** Above this many pages a request goes to the large pool (iommu_large_alloc). */
const largestSmall = 15;
/** Most pools, and the number that 0 stands for (IOMMU_NR_POOLS). */
const mostPools = 16;

/** Most entries of a table. */
const maxEntries = 0x1000_0000;

/** Options of the pools. */
export interface PoolOptions extends AllocatorOptions {
  /** Bits of the table (default 2^18: a gigabyte of IOVAs). */
  entries?: number;
  /** Number of pools, a power of two up to 16 (default 16). */
  pools?: number;
  /** A pool for each CPU, whatever their number, which Linux has not (its hash has 4 bits): for the question of how many are enough. */
  poolPerCpu?: boolean;
  /** Keep the top quarter of the table for requests of more than 15 pages (default false, as sparc sun4v). */
  largePool?: boolean;
  /** log2 of the bytes of a page (default 12; sparc has 13): says where the 4 GiB boundaries are that no range may cross. */
  pageShift?: number;
  /** pfn of the first entry (default 0). */
  tableBase?: number;
  /** Count the boundary from 0 and take the table as its size. */
  noSpanCheck?: boolean;
  /** Whether a flush callback exists (default true). */
  flushCallback?: boolean;
  /** Align each range to its size, rounded up to a power of two (default false). */
  aligned?: boolean;
}

/** The pool that a CPU's number hashes to (hash_32 with 4 bits). @example poolOfCpu(13, 16) // 0, as CPU 0 */
export function poolOfCpu(cpu: number, pools: number): number {
  return (Math.imul(cpu, 0x9e370001) >>> 28) & (pools - 1);
}

/** The allocator of lib/iommu-common: one bitmap, cut into pools with a lock each. */
export class PoolAllocator extends CheckedAllocator implements IovaAllocator {
  readonly name = "pools";
  readonly locks: readonly IovaLock[];
  private readonly memory: Memory | null;
  private readonly base: number;
  private readonly pools: number;
  private readonly poolPerCpu: boolean;
  private readonly poolSize: number;
  private readonly entries: number;
  private readonly largePool: boolean;
  private readonly tableBase: number;
  private readonly boundary: number;
  private readonly boundaryBase: number;
  private readonly flushCallback: boolean;
  private readonly aligned: boolean;
  private readonly map: Bitmap;
  /** First entry, last bound and hint of each pool; the large pool comes last. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly hints: number[] = [];
  private needFlush = false;
  private allocations = 0;
  private failures = 0;
  private frees = 0;
  private flushes = 0;

  /** @throws RangeError naming the option that is not valid */
  constructor(options: PoolOptions = {}) {
    super(topPfn);
    this.memory = options.memory ?? null;
    this.base = options.base ?? 0;
    this.poolPerCpu = options.poolPerCpu ?? false;
    this.pools = this.poolPerCpu ? roundUpPages(options.cpus ?? 1) : (options.pools ?? mostPools);
    this.entries = options.entries ?? 1 << 18;
    this.largePool = options.largePool ?? false;
    this.tableBase = options.tableBase ?? 0;
    this.flushCallback = options.flushCallback ?? true;
    this.aligned = options.aligned ?? false;
    const shift = options.pageShift ?? 12;
    if (!this.poolPerCpu && ![1, 2, 4, 8, mostPools].includes(this.pools)) {
      throw new RangeError(`pools is ${this.pools}; 1, 2, 4, 8 or 16 is accepted.`);
    }
    if (!(Number.isInteger(this.entries) && this.entries >= 1 && this.entries <= maxEntries)) {
      throw new RangeError(`entries is ${this.entries}; a whole number from 1 to 2^28 is accepted.`);
    }
    if (!(Number.isInteger(shift) && shift >= 0 && shift <= 32)) {
      throw new RangeError(`pageShift is ${shift}; a whole number from 0 to 32 is accepted.`);
    }
    this.poolSize = Math.floor((this.largePool ? Math.floor((this.entries * 3) / 4) : this.entries) / this.pools);
    for (let p = 0; p < this.pools; p++) {
      this.starts.push(p * this.poolSize);
      this.ends.push((p + 1) * this.poolSize - 1);
    }
    if (this.largePool) {
      this.starts.push(this.pools * this.poolSize);
      this.ends.push(this.entries);
    }
    this.hints.push(...this.starts);
    const noSpanCheck = options.noSpanCheck ?? false;
    this.boundary = noSpanCheck ? this.poolSize * this.pools : shift === 0 ? 0x1_0000_0000 : (1 << (32 - shift)) >>> 0;
    this.boundaryBase = noSpanCheck ? 0 : this.tableBase;
    if (noSpanCheck && roundUpPages(this.boundary) !== this.boundary) {
      throw new RangeError(
        `noSpanCheck takes the pools' size of ${this.boundary} entries as a boundary; Linux accepts a power of two only.`,
      );
    }
    this.locks = this.starts.map((_, p) => ({
      name: p < this.pools ? `iommu_pool lock ${p}` : "iommu_pool lock (large pool)",
      address: this.poolLine(p),
    }));
    this.map = new Bitmap(this.entries, this.memory, this.poolLine(Math.max(this.pools, mostPools) + 1));
  }

  /** iommu_tbl_range_alloc. */
  *alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    checkPages(op.pages);
    op.pfn = noPfn;
    op.visits = 0; // searches that failed: "pass" in Linux
    op.hit = 0;
    op.flushes = 0;
    if (op.limit < this.tableBase) {
      throw new IovaError(
        `A request with the limit ${op.limit} lies below the table, which starts at page ${this.tableBase}: Linux would search outside its bitmap.`,
      );
    }
    const large = this.largePool && op.pages > largestSmall;
    let next = this.poolPerCpu ? op.cpu & (this.pools - 1) : poolOfCpu(op.cpu, this.pools);
    let pool = large ? this.pools : next;
    yield cpu.acquire(pool);
    for (;;) {
      this.readPool(pool);
      let end = this.ends[pool];
      let start = this.hints[pool];
      if (start >= end) start = this.starts[pool];
      if (end + this.tableBase > op.limit) {
        // The device reaches only a part: first try the hint cut to the mask, which may lie outside the pool; then pool 0.
        end = op.limit - this.tableBase + 1;
        start = (start & (op.limit % 0x1_0000_0000)) >>> 0;
        if (start >= end || op.visits > 0) {
          yield cpu.release(pool);
          pool = 0;
          yield cpu.acquire(pool);
          this.readPool(pool);
          start = this.starts[pool];
        }
      }
      const index = this.findArea(op.pages, start, end);
      if (index !== -1) {
        const flush = this.take(op, pool, index);
        if (flush && cpu.lazyFlush !== undefined) {
          // Before the range is handed out, under the pool's lock.
          yield cpu.settle();
          yield* cpu.lazyFlush();
        }
        break;
      }
      if (op.visits === 0) {
        this.rewind(op, pool);
        continue;
      }
      if (large || op.visits > this.pools) {
        this.allocations++;
        this.failures++;
        break;
      }
      yield cpu.release(pool);
      next = (next + 1) & (this.pools - 1);
      pool = next;
      yield cpu.acquire(pool);
      this.rewind(op, pool);
    }
    yield cpu.release(pool);
  }

  /** iommu_tbl_range_free. */
  *__free_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    op.found = this.liveRanges.remove(op.pfn, op.pages);
    if (!op.found) return;
    const entry = op.pfn - this.tableBase;
    const pool = this.poolOf(entry);
    yield cpu.acquire(pool);
    this.map.fill(entry, op.pages, false);
    this.frees++;
    yield cpu.release(pool);
  }

  /** Marks the entries in use; what lies outside the table needs no mark. */
  reserve(lo: number, hi: number): void {
    checkRange(lo, hi);
    const from = Math.max(lo - this.tableBase, 0);
    const to = Math.min(hi - this.tableBase, this.entries - 1);
    if (from <= to) this.map.fill(from, to - from + 1, true);
  }

  /** What the pools have done and hold. */
  statistics(): IovaStatistics {
    return {
      allocations: this.allocations,
      failures: this.failures,
      frees: this.frees,
      visits: 0,
      maxVisits: 0,
      live: this.liveRanges.live,
      peakLive: this.liveRanges.peak,
      nodes: 0,
      peakNodes: 0,
      depth: { nodes: 0, max: 0, mean: 0 },
      splits: 0,
      merges: 0,
      hits: 0,
      flushes: this.flushes,
    };
  }

  /** Entries in use, the size of a pool, and where each pool's next search starts (the large pool last). */
  tableState(): { used: number; poolSize: number; hints: readonly number[] } {
    return { used: this.map.count(), poolSize: this.poolSize, hints: [...this.hints] };
  }

  // allocate

  /** Marks the found entries; the next search starts behind them. @returns whether what was freed has to be flushed first */
  private take(op: IovaOperation, pool: number, index: number): boolean {
    this.map.fill(index, op.pages, true);
    const flush = this.flushCallback && (index < this.hints[pool] || this.needFlush);
    if (flush) {
      this.needFlush = false;
      op.flushes++;
      this.flushes++;
      this.memory?.write(this.base);
    }
    this.hints[pool] = index + op.pages;
    this.memory?.write(this.poolLine(pool));
    this.allocations++;
    op.pfn = this.tableBase + index;
    this.liveRanges.add(op.pfn, op.pages);
    return flush;
  }

  /** After a failed search: the pool that comes next starts over, and the next success flushes. */
  private rewind(op: IovaOperation, pool: number): void {
    this.hints[pool] = this.starts[pool];
    this.needFlush = true;
    op.visits++;
    this.memory?.write(this.poolLine(pool));
    this.memory?.write(this.base);
  }

  /** iommu_area_alloc: the last entry below the bound stays free, and nothing crosses a boundary. */
  private findArea(pages: number, start: number, end: number): number {
    const alignment = this.aligned ? roundUpPages(pages) : 1;
    let from = start;
    for (;;) {
      const index = this.map.findZeroArea(end - 1, from, pages, alignment);
      if (index === -1) return -1;
      if (((this.boundaryBase + index) % this.boundary) + pages <= this.boundary) return index;
      from = index + 1;
    }
  }

  // the table

  /** get_pool: whose lock guards an entry's bits when it is freed. */
  private poolOf(entry: number): number {
    if (this.largePool && entry >= this.starts[this.pools]) return this.pools;
    return Math.min(Math.floor(entry / this.poolSize), this.pools - 1);
  }

  private poolLine(pool: number): number {
    return this.base + (1 + pool) * lineBytes;
  }

  private readPool(pool: number): void {
    if (this.memory === null) return;
    this.memory.read(this.poolLine(pool));
    this.memory.read(this.base);
  }
}
