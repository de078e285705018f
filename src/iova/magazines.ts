/**
 * Per-CPU magazines with a shared depot in front of the tree (Linux v4.9, drivers/iommu/iova.c; the idea is Bonwick's, brought to IOVAs by
 * Peleg, Morrison, Serebrin and Tsafrir, USENIX ATC 2015; record K21).
 *
 * A freed range stays in the tree, as allocated, and goes on a stack of the freeing CPU; the next request of that size class takes it from
 * there. Neither step sees the tree or its lock.
 *
 * Data layout: a line for each CPU and size class (lock, loaded, previous), a depot for each class (lock, count, 32 pointers), magazines of
 * 128 pfns, then the tree.
 */
import type { Behaviour } from "../engine/index.js";
import {
  type AllocatorOptions,
  type Cpu,
  type IovaAllocator,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
} from "./allocator.js";
import { CheckedAllocator } from "./checked-allocator.js";
import { lineBytes, type Memory } from "./memory.js";
import { checkPages, dma32Pfn, noPfn, pagesOrder } from "./pfn.js";
import { RbTreeAllocator } from "./rbtree.js";

/** Ranges in a magazine (IOVA_MAG_SIZE), full magazines in a depot (MAX_GLOBAL_MAGS), size classes 1, 2, 4 … 32 pages. */
const magazineSize = 128;
const depotSize = 32;
const classes = 6;

/** kmalloc-2048 holds a magazine: a count and 128 pfns of 8 bytes. */
const magazineBytes = 2048;
/** Lock, count, 32 pointers, one more pointer: 5 lines. */
const depotBytes = 5 * lineBytes;

/** The tree's lock is the first of the list; the CPUs' and the depots' follow. */
const iova_rbtree_lock = 0;

/** Options of the magazines. */
export interface MagazineOptions extends AllocatorOptions {
  startPfn?: number;
  dma32?: number;
}

interface Magazine {
  pfns: Float64Array;
  size: number;
  address: number;
}

/** The allocator of Linux v4.9: a cache of freed ranges for each CPU before the tree. */
export class MagazineAllocator extends CheckedAllocator implements IovaAllocator {
  readonly name = "magazines";
  readonly locks: readonly IovaLock[];
  /** The tree behind the caches. */
  readonly tree: RbTreeAllocator;
  private readonly memory: Memory | null;
  private readonly cpus: number;
  private readonly base: number;
  private readonly depotBase: number;
  private readonly magazineBase: number;
  private readonly loaded: Magazine[] = [];
  private readonly previous: Magazine[] = [];
  private readonly depots: Magazine[][] = Array.from({ length: classes }, () => []);
  private readonly spare: Magazine[] = [];
  private magazinesMade = 0;
  private allocations = 0;
  private failures = 0;
  private frees = 0;
  private visits = 0;
  private maxVisits = 0;
  private hits = 0;

  constructor(options: MagazineOptions = {}) {
    super(dma32Pfn);
    const cpus = options.cpus ?? 8;
    const base = options.base ?? 0;
    this.memory = options.memory ?? null;
    this.cpus = cpus;
    this.base = base;
    this.depotBase = base + cpus * classes * lineBytes;
    this.magazineBase = this.depotBase + classes * depotBytes;
    const mostMagazines = classes * (2 * cpus + depotSize) + 2 * cpus;
    const treeBase = this.magazineBase + mostMagazines * magazineBytes;
    this.tree = new RbTreeAllocator({
      memory: this.memory,
      base: treeBase,
      cpus,
      ...(options.startPfn === undefined ? {} : { startPfn: options.startPfn }),
      ...(options.dma32 === undefined ? {} : { dma32: options.dma32 }),
    });
    for (let i = 0; i < cpus * classes; i++) {
      this.loaded.push(this.newMagazine());
      this.previous.push(this.newMagazine());
    }
    const locks: IovaLock[] = [...this.tree.locks];
    for (let i = 0; i < cpus * classes; i++) {
      const name = `cpu_rcache lock (CPU ${Math.floor(i / classes)}, ${1 << (i % classes)} pages)`;
      locks.push({ name, address: base + i * lineBytes });
    }
    for (let bin = 0; bin < classes; bin++) {
      locks.push({ name: `rcache lock (depot, ${1 << bin} pages)`, address: this.depotBase + bin * depotBytes });
    }
    this.locks = locks;
  }

  /** alloc_iova_fast: from the CPU's cache, else from the tree; if that has nothing, once more when all CPUs have given back theirs. */
  *alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    checkPages(op.pages);
    op.visits = 0;
    op.hit = 0;
    op.flushes = 0;
    op.pfn = noPfn;
    if (pagesOrder(op.pages) < classes) yield* this.iova_rcache_get(op, cpu);
    if (op.hit === 0) {
      yield* this.allocFromTree(op, cpu);
      if (op.pfn === noPfn) {
        // Every CPU's caches go back to the tree, the depots do not.
        for (let cache = 0; cache < this.cpus * classes; cache++) yield* this.free_cpu_cached_iovas(op.cpu, cache, cpu);
        yield* this.allocFromTree(op, cpu);
      }
    }
    this.allocations++;
    this.visits += op.visits;
    if (op.visits > this.maxVisits) this.maxVisits = op.visits;
    this.hits += op.hit;
    if (op.pfn === noPfn) this.failures++;
    else this.liveRanges.add(op.pfn, op.pages);
  }

  /** free_iova_fast: into the CPU's cache; what is too large for one goes to the tree. */
  *__free_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    op.found = this.liveRanges.remove(op.pfn, op.pages);
    if (!op.found) return;
    this.frees++;
    if (pagesOrder(op.pages) < classes) yield* this.iova_rcache_insert(op, cpu);
    else yield* this.freeToTree(op, cpu);
  }

  reserve(lo: number, hi: number): void {
    this.tree.reserve(lo, hi);
  }

  /** What the tree, the magazines and the depots have done and hold. */
  statistics(): IovaStatistics {
    return {
      ...this.tree.statistics(),
      allocations: this.allocations,
      failures: this.failures,
      frees: this.frees,
      visits: this.visits,
      maxVisits: this.maxVisits,
      live: this.liveRanges.live,
      peakLive: this.liveRanges.peak,
      hits: this.hits,
    };
  }

  // allocate

  private *iova_rcache_get(op: IovaOperation, cpu: Cpu): Behaviour {
    const bin = pagesOrder(op.pages);
    const cache = op.cpu * classes + bin;
    yield cpu.acquire(1 + cache);
    this.touchCpu(cache);
    if (this.loaded[cache].size === 0) {
      if (this.previous[cache].size > 0) this.swap(cache);
      else {
        yield cpu.acquire(this.depotLock(bin));
        this.loadFromDepot(bin, cache);
        yield cpu.release(this.depotLock(bin));
      }
    }
    this.pop(op, cache);
    yield cpu.release(1 + cache);
  }

  /** iova_magazine_pop: only the top is considered, and it must lie strictly below the limit. */
  private pop(op: IovaOperation, cache: number): void {
    const magazine = this.loaded[cache];
    this.memory?.read(magazine.address);
    if (magazine.size === 0) return;
    const pfn = magazine.pfns[magazine.size - 1];
    this.memory?.read(magazine.address + 8 * magazine.size);
    if (pfn >= op.limit) return;
    magazine.size--;
    this.memory?.write(magazine.address);
    op.pfn = pfn;
    op.hit = 1;
  }

  /** alloc_iova, on the tree behind the caches. */
  private *allocFromTree(op: IovaOperation, cpu: Cpu): Behaviour {
    const inner = operation(op.cpu);
    inner.pages = op.pages;
    inner.limit = op.limit;
    yield* this.tree.alloc_iova(inner, cpu);
    op.visits += inner.visits;
    op.pfn = inner.pfn;
  }

  // free

  private *iova_rcache_insert(op: IovaOperation, cpu: Cpu): Behaviour {
    const bin = pagesOrder(op.pages);
    const cache = op.cpu * classes + bin;
    let overflowing: Magazine | undefined;
    yield cpu.acquire(1 + cache);
    this.touchCpu(cache);
    if (this.loaded[cache].size === magazineSize) {
      if (this.previous[cache].size < magazineSize) this.swap(cache);
      else {
        yield cpu.acquire(this.depotLock(bin));
        overflowing = this.leaveInDepot(bin, cache);
        yield cpu.release(this.depotLock(bin));
      }
    }
    this.push(op, cache);
    yield cpu.release(1 + cache);
    if (overflowing === undefined) return;
    // Depot and caches are full: the magazine's ranges go back to the tree, outside the caches' locks.
    yield cpu.acquire(iova_rbtree_lock);
    this.iova_magazine_free_pfns(overflowing, op.cpu);
    this.spare.push(overflowing);
    yield cpu.release(iova_rbtree_lock);
  }

  /** free_iova, on the tree behind the caches. */
  private *freeToTree(op: IovaOperation, cpu: Cpu): Behaviour {
    const inner = operation(op.cpu);
    inner.pages = op.pages;
    inner.pfn = op.pfn;
    yield* this.tree.find_iova(inner, cpu);
    yield* this.tree.__free_iova(inner, cpu);
  }

  private push(op: IovaOperation, cache: number): void {
    const magazine = this.loaded[cache];
    magazine.pfns[magazine.size++] = op.pfn;
    this.memory?.write(magazine.address);
    this.memory?.write(magazine.address + 8 * magazine.size);
  }

  // the caches

  /** An allocation takes a full magazine, under the depot's lock. */
  private loadFromDepot(bin: number, cache: number): void {
    const depot = this.depots[bin];
    this.memory?.read(this.depotHead(bin));
    if (depot.length === 0) return;
    this.spare.push(this.loaded[cache]);
    this.loaded[cache] = depot.pop() as Magazine;
    this.depotChanged(bin);
  }

  /** A free leaves a full magazine, under the depot's lock. @returns it, where the depot has no room */
  private leaveInDepot(bin: number, cache: number): Magazine | undefined {
    const depot = this.depots[bin];
    const full = this.loaded[cache];
    this.memory?.read(this.depotHead(bin));
    const room = depot.length < depotSize;
    if (room) depot.push(full);
    this.loaded[cache] = this.newMagazine();
    this.depotChanged(bin);
    return room ? undefined : full;
  }

  private depotHead(bin: number): number {
    return this.depotBase + bin * depotBytes;
  }

  private depotChanged(bin: number): void {
    const head = this.depotHead(bin);
    this.memory?.write(head);
    this.memory?.write(head + 16 + 8 * this.depots[bin].length);
  }

  /** Under the tree's lock: each range is looked up and erased, oldest first. */
  private iova_magazine_free_pfns(magazine: Magazine, cpu: number): void {
    for (let i = 0; i < magazine.size; i++) {
      this.memory?.read(magazine.address + 8 + 8 * i);
      this.tree.free(magazine.pfns[i], 1, cpu);
    }
    magazine.size = 0;
    this.memory?.write(magazine.address);
  }

  /** Empties a CPU's magazines of one size class in the emergency; the tree's lock nests inside the CPU's. */
  private *free_cpu_cached_iovas(runner: number, cache: number, cpu: Cpu): Behaviour {
    yield cpu.acquire(1 + cache);
    for (const magazine of [this.loaded[cache], this.previous[cache]]) {
      yield cpu.acquire(iova_rbtree_lock);
      this.iova_magazine_free_pfns(magazine, runner);
      yield cpu.release(iova_rbtree_lock);
    }
    yield cpu.release(1 + cache);
  }

  private swap(cache: number): void {
    const loaded = this.loaded[cache];
    this.loaded[cache] = this.previous[cache];
    this.previous[cache] = loaded;
    this.memory?.write(this.base + cache * lineBytes);
  }

  private touchCpu(cache: number): void {
    if (this.memory === null) return;
    this.memory.read(this.base + cache * lineBytes);
    this.memory.read(this.loaded[cache].address);
  }

  private depotLock(bin: number): number {
    return 1 + this.cpus * classes + bin;
  }

  private newMagazine(): Magazine {
    const spare = this.spare.pop();
    if (spare) return spare;
    const address = this.magazineBase + this.magazinesMade++ * magazineBytes;
    return { pfns: new Float64Array(magazineSize), size: 0, address };
  }
}
