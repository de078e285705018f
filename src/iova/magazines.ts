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
import {
  type AllocatorOptions,
  acquire,
  done,
  type IovaAllocator,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
  release,
} from "./allocator.js";
import { CheckedAllocator, finishedStage } from "./checked-allocator.js";
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

const treeLock = 0;

/** Where an operation stands; the number is `op.stage`. */
const CPU_LOCK = 0;
const CPU_LOCKED = 1;
const DEPOT_LOCKED = 2;
const DEPOT_DONE = 3;
const CPU_DONE = 4;
const TREE = 5;
const DRAIN_NEXT = 6;
const DRAIN_LOADED = 7;
const DRAIN_PREVIOUS = 8;
const DRAIN_DONE = 9;
const OVERFLOW = 10;
const OVERFLOW_LOCKED = 11;
const FINISHED = finishedStage;

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
  /** The full magazine that each CPU is giving back to the tree, depot and caches being full. */
  private readonly overflowing: (Magazine | undefined)[] = [];
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

  beginAllocate(op: IovaOperation): void {
    checkPages(op.pages);
    op.kind = "allocate";
    op.aux = pagesOrder(op.pages);
    op.visits = 0;
    op.hit = 0;
    op.flushes = 0;
    op.pfn = noPfn;
    op.node = 0; // the CPU whose caches are drained next
    op.found = false; // whether they were drained
    if (op.aux < classes) op.stage = CPU_LOCK;
    else this.beginTree(op, "allocate");
  }

  beginFree(op: IovaOperation): void {
    op.kind = "free";
    op.aux = pagesOrder(op.pages);
    op.found = this.liveRanges.remove(op.pfn, op.pages);
    if (op.found) this.frees++;
    if (!op.found) op.stage = FINISHED;
    else if (op.aux < classes) op.stage = CPU_LOCK;
    else this.beginTree(op, "find");
  }

  advance(op: IovaOperation): number {
    const cache = op.cpu * classes + op.aux;
    switch (op.stage) {
      case CPU_LOCK:
        op.stage = CPU_LOCKED;
        return acquire(1 + cache);
      case CPU_LOCKED:
        return op.kind === "allocate" ? this.take(op, cache) : this.put(op, cache);
      case DEPOT_LOCKED:
        this.exchange(op, cache);
        op.stage = DEPOT_DONE;
        return release(this.depotLock(op.aux));
      case DEPOT_DONE:
        if (op.kind === "allocate") this.pop(op, cache);
        else this.push(op, cache);
        return this.leaveCpu(op, cache);
      case CPU_DONE:
        if (op.kind === "free") {
          op.stage = this.overflowing[op.cpu] ? OVERFLOW : FINISHED;
          return this.advance(op);
        }
        if (op.hit === 1) return this.finish(op);
        this.beginTree(op, "allocate");
        return this.advance(op);
      case TREE:
        return this.advanceTree(op);
      case DRAIN_NEXT:
        if (op.node === this.cpus * classes) {
          this.beginTree(op, "allocate");
          return this.advance(op);
        }
        op.stage = DRAIN_LOADED;
        return acquire(1 + op.node);
      case DRAIN_LOADED:
        return this.drainNext(op, this.loaded[op.node], DRAIN_PREVIOUS);
      case DRAIN_PREVIOUS:
        return this.drainNext(op, this.previous[op.node], DRAIN_DONE);
      case DRAIN_DONE:
        op.stage = DRAIN_NEXT;
        return release(1 + op.node++);
      case OVERFLOW:
        op.stage = OVERFLOW_LOCKED;
        return acquire(treeLock);
      case OVERFLOW_LOCKED: {
        const magazine = this.overflowing[op.cpu] as Magazine;
        this.overflowing[op.cpu] = undefined;
        this.empty(magazine, op.cpu);
        this.spare.push(magazine);
        op.stage = FINISHED;
        return release(treeLock);
      }
      default:
        return done;
    }
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

  /** __iova_rcache_get, under the CPU's lock. */
  private take(op: IovaOperation, cache: number): number {
    this.touchCpu(cache);
    if (this.loaded[cache].size === 0) {
      if (this.previous[cache].size === 0) {
        op.stage = DEPOT_LOCKED;
        return acquire(this.depotLock(op.aux));
      }
      this.swap(cache);
    }
    this.pop(op, cache);
    return this.leaveCpu(op, cache);
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

  private beginTree(op: IovaOperation, kind: "allocate" | "find"): void {
    const inner = (op.inner ??= operation());
    inner.cpu = op.cpu;
    inner.pages = op.pages;
    inner.limit = op.limit;
    inner.pfn = op.pfn;
    if (kind === "allocate") this.tree.beginAllocate(inner);
    else this.tree.beginFind(inner);
    op.stage = TREE;
  }

  private advanceTree(op: IovaOperation): number {
    const inner = op.inner as IovaOperation;
    const step = this.tree.advance(inner);
    if (step !== done) return step;
    if (op.kind === "free") {
      if (inner.kind !== "find") return done;
      this.tree.beginFree(inner);
      return this.advance(op);
    }
    op.visits += inner.visits;
    op.pfn = inner.pfn;
    if (op.pfn === noPfn && !op.found) {
      // alloc_iova_fast: every CPU's caches go back to the tree, the depots do not; then one more try.
      op.found = true;
      op.stage = DRAIN_NEXT;
      return this.advance(op);
    }
    return this.finish(op);
  }

  private finish(op: IovaOperation): number {
    this.allocations++;
    this.visits += op.visits;
    if (op.visits > this.maxVisits) this.maxVisits = op.visits;
    this.hits += op.hit;
    if (op.pfn === noPfn) this.failures++;
    else this.liveRanges.add(op.pfn, op.pages);
    op.stage = FINISHED;
    return done;
  }

  // free

  /** __iova_rcache_insert, under the CPU's lock. */
  private put(op: IovaOperation, cache: number): number {
    this.touchCpu(cache);
    if (this.loaded[cache].size === magazineSize) {
      if (this.previous[cache].size === magazineSize) {
        op.stage = DEPOT_LOCKED;
        return acquire(this.depotLock(op.aux));
      }
      this.swap(cache);
    }
    this.push(op, cache);
    return this.leaveCpu(op, cache);
  }

  private push(op: IovaOperation, cache: number): void {
    const magazine = this.loaded[cache];
    magazine.pfns[magazine.size++] = op.pfn;
    this.memory?.write(magazine.address);
    this.memory?.write(magazine.address + 8 * magazine.size);
  }

  // the caches

  /** Under the depot's lock: an allocation takes a full magazine, a free leaves one (or has to empty it into the tree). */
  private exchange(op: IovaOperation, cache: number): void {
    const depot = this.depots[op.aux];
    const head = this.depotBase + op.aux * depotBytes;
    this.memory?.read(head);
    if (op.kind === "allocate") {
      if (depot.length === 0) return;
      this.spare.push(this.loaded[cache]);
      this.loaded[cache] = depot.pop() as Magazine;
    } else {
      if (depot.length < depotSize) depot.push(this.loaded[cache]);
      else this.overflowing[op.cpu] = this.loaded[cache];
      this.loaded[cache] = this.newMagazine();
    }
    this.memory?.write(head);
    this.memory?.write(head + 16 + 8 * depot.length);
  }

  /** iova_magazine_free_pfns, under the tree's lock: each range is looked up and erased, oldest first. */
  private empty(magazine: Magazine, cpu: number): void {
    for (let i = 0; i < magazine.size; i++) {
      this.memory?.read(magazine.address + 8 + 8 * i);
      this.tree.free(magazine.pfns[i], 1, cpu);
    }
    magazine.size = 0;
    this.memory?.write(magazine.address);
  }

  /** Empties one magazine in the emergency; its tree lock nests inside the CPU's lock. */
  private drainNext(op: IovaOperation, magazine: Magazine, next: number): number {
    const inner = (op.inner ??= operation());
    // inner.stage tells whether the tree's lock is held: −1 it is, anything else it is not.
    if (inner.stage !== -1) {
      inner.stage = -1;
      return acquire(treeLock);
    }
    inner.stage = 0;
    this.empty(magazine, op.cpu);
    op.stage = next;
    return release(treeLock);
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

  private leaveCpu(op: IovaOperation, cache: number): number {
    op.stage = CPU_DONE;
    return release(1 + cache);
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
