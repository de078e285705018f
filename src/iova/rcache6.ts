/**
 * The allocator of Linux ≥ 6.7 (drivers/iommu/iova.c, as read in 6.18): per-CPU magazines, a depot without bound that a delayed work trims, and
 * behind them the anchored tree. Its rules' older forms, back to v4.15, are options ({@link CacheRules}).
 *
 * The magazines are Bonwick's, brought to IOVAs in v4.7 ({@link MagazineAllocator}); the unbounded depot and its trimming are Robin Murphy's (v6.7).
 * A freed range stays in the tree, as allocated, and goes on a stack of the freeing CPU; an unmap of up to 32 pages never takes the tree's lock.
 *
 * Data layout: the domain's line, a line for each CPU and size class (lock, loaded, previous), the depots, the magazines that exist from the
 * start, the slab's stacks, then the nodes and, between them, the magazines that are made later.
 */
import type { Behaviour } from "../engine/index.js";
import {
  type AllocatorOptions,
  atOnce,
  type Cpu,
  type IovaAllocator,
  type IovaLock,
  type IovaOperation,
  runToEnd,
} from "./allocator.js";
import { AnchoredTree, type TreeRules } from "./anchored-tree.js";
import { type CacheCounts, cacheCounts, type Rcache6Statistics } from "./cache-statistics.js";
import { CheckedAllocator } from "./checked-allocator.js";
import { CountedRanges, LiveRanges } from "./live-ranges.js";
import { depotBytes, MagazineStore, magazineBytes, magazinePlaces, noMagazine } from "./magazine-store.js";
import { lineBytes, type Memory } from "./memory.js";
import { checkPages, dma32Pfn, noPfn, pagesOrder, roundUpPages } from "./pfn.js";
import { slabCpuBytes } from "./slab.js";

// Hot path: a module's own constants are compiled in, those of another are looked up at each use.
const failed = noPfn;
const places = magazinePlaces;
const none = noMagazine;
/** No release has cached ranges beyond 32 pages, a series of 2021 proposed 512 (records MS13, MS14); above this, caches would hold all of the space. */
const mostCached = 1 << 15;

/** How long after a push the depot's work runs, in milliseconds (IOVA_DEPOT_DELAY). */
export const depotDelayMs = 100;

/** The tree's lock is the first of the list; the CPUs' and the depots' follow. */
const iova_rbtree_lock = 0;

/** What differs between releases in the caches and the tree behind them. */
export interface CacheRules extends TreeRules {
  /** Ranges in a magazine: 128 from v4.7, 127 from v6.0. */
  magazineSize: number;
  /** Full magazines in a depot; beyond them a magazine's ranges go to the tree. 32 before v6.7; infinite, with trimming, from then on. */
  depotLimit: number;
  /** Whether an exhausted tree gets the depots' ranges back too (v5.11). */
  drainsDepots: boolean;
  /** Pages of the largest range that is cached; the size classes are 1, 2, 4 … up to it (IOVA_RANGE_CACHE_MAX_SIZE): 32 in every release. */
  largestCached: number;
}

/** The rules of Linux 6.7 to 6.18. */
export const cacheRules: Readonly<CacheRules> = {
  magazineSize: 127,
  depotLimit: Number.POSITIVE_INFINITY,
  drainsDepots: true,
  largestCached: 32,
  failureMemory: "any",
  secondPass: true,
};

/** Options of the allocator. */
export interface Rcache6Options extends AllocatorOptions, Partial<CacheRules> {
  /** The lowest pfn that is handed out (default 1). */
  startPfn?: number;
  /** Hears that a depot got a magazine while its delayed work was not armed: the work is due {@link depotDelayMs} later on that CPU, by `trim`. */
  onArm?: (bin: number, cpu: number) => void;
  /** How many ranges there may be at once, where that is known: saves growing, and more are possible. */
  ranges?: number;
  /** Takes the caller's word for what is mapped and how long it is: for a replay, which knows it. */
  trusting?: boolean;
}

/** The allocator of Linux 6.7 and later: per-CPU magazines and unbounded depots before the anchored tree. */
export class Rcache6Allocator extends CheckedAllocator implements IovaAllocator {
  readonly name = "rcache6";
  readonly locks: readonly IovaLock[];
  /** The tree behind the caches. */
  readonly tree: AnchoredTree;
  /** Size classes: as many depots and delayed works as there are. */
  readonly bins: number;
  /** Pages of the largest range that the caches keep. */
  readonly largestCached: number;
  readonly counts: CacheCounts = cacheCounts();
  /** Whether it takes the caller's word for what is mapped, so that `takeTop` and `putTop` may be used. */
  readonly trusting: boolean;
  private readonly memory: Memory | null;
  private readonly cpus: number;
  private readonly magazineSize: number;
  private readonly depotLimit: number;
  private readonly drainsDepots: boolean;
  private readonly onArm: ((bin: number, cpu: number) => void) | undefined;
  private readonly cpuBase: number;
  private readonly store: MagazineStore;
  /** Loaded and previous magazine of each CPU and size class. */
  private readonly loaded: Int32Array;
  private readonly previous: Int32Array;
  /** 1 for each depot whose delayed work is armed, and for each CPU that is online. */
  private readonly armed: Uint8Array;
  /** The CPU that armed it last. */
  private readonly armedBy: Int32Array;
  private readonly onlineCpus: Uint8Array;
  private onlineCount: number;
  /** Allocations and frees that the loaded magazine served at once: they are in no other count. */
  private quickTakes = 0;
  private quickPuts = 0;
  private allocations = 0;
  private failures = 0;
  private frees = 0;
  private maxVisits = 0;
  private hits = 0;

  constructor(options: Rcache6Options = {}) {
    super(dma32Pfn, options.trusting ? new CountedRanges() : new LiveRanges());
    this.trusting = options.trusting ?? false;
    const cpus = options.cpus ?? 8;
    const base = options.base ?? 0;
    const rules = { ...cacheRules, ...options };
    const classes = classesUpTo(rules.largestCached);
    this.largestCached = rules.largestCached;
    this.bins = classes;
    this.armed = new Uint8Array(classes);
    this.armedBy = new Int32Array(classes);
    this.memory = options.memory ?? null;
    this.cpus = cpus;
    this.magazineSize = checkMagazine(rules.magazineSize);
    this.depotLimit = rules.depotLimit;
    this.drainsDepots = rules.drainsDepots;
    this.onArm = options.onArm;
    this.onlineCpus = new Uint8Array(cpus).fill(1);
    this.onlineCount = cpus;
    const caches = cpus * classes;
    this.cpuBase = base + lineBytes;
    const depotBase = this.cpuBase + caches * lineBytes;
    const magazineBase = depotBase + classes * depotBytes;
    const slabBase = magazineBase + 2 * caches * magazineBytes;
    this.tree = new AnchoredTree(this.memory, base, slabBase, cpus, options.startPfn ?? 1, rules, options.ranges);
    this.store = new MagazineStore(this.memory, depotBase, magazineBase, classes, 2 * caches, () =>
      this.tree.bytes(magazineBytes),
    );
    this.loaded = new Int32Array(caches);
    this.previous = new Int32Array(caches);
    const locks: IovaLock[] = [{ name: "iova_rbtree_lock", address: base }];
    for (let cache = 0; cache < caches; cache++) {
      this.loaded[cache] = this.store.make();
      this.previous[cache] = this.store.make();
      const name = `cpu_rcache lock (CPU ${Math.floor(cache / classes)}, ${1 << (cache % classes)} pages)`;
      locks.push({ name, address: this.cpuBase + cache * lineBytes });
    }
    for (let bin = 0; bin < classes; bin++)
      locks.push({ name: `rcache lock (depot, ${1 << bin} pages)`, address: this.store.depotAddress(bin) });
    this.locks = locks;
  }

  /**
   * Bytes that the allocator occupies from its base on, with room for so many nodes, and magazines beyond the first ones.
   * @param largestCached pages of the largest range that it caches
   */
  static bytes(cpus: number, nodes: number, magazines: number, largestCached = cacheRules.largestCached): number {
    const classes = classesUpTo(largestCached);
    const fixed = lineBytes + cpus * (slabCpuBytes + classes * (lineBytes + 2 * magazineBytes)) + classes * depotBytes;
    return fixed + (nodes + cpus * 64 + 2) * lineBytes + magazines * magazineBytes;
  }

  /** alloc_iova_fast: from the CPU's cache, else from the tree; if that has nothing, once more when all caches have given back theirs. */
  *alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    begin(op);
    if (op.pages <= this.largestCached) yield* this.iova_rcache_get(op, cpu);
    if (op.hit === 0) {
      yield* this.allocFromTree(op, cpu);
      if (op.pfn === failed && op.mayDrain) {
        yield* this.free_global_cached_iovas(op.cpu, cpu);
        yield* this.allocFromTree(op, cpu);
      }
    }
    this.finish(op);
    yield cpu.settle();
  }

  /** free_iova_fast: into the CPU's cache; what is too large for one goes to the tree. */
  *__free_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    op.found = this.liveRanges.remove(op.pfn, op.pages);
    if (!op.found) return;
    this.frees++;
    if (op.pages <= this.largestCached) yield* this.iova_rcache_insert(op, cpu);
    else yield* this.freeToTree(op, cpu);
    yield cpu.settle();
  }

  /**
   * iova_depot_work_func, the delayed work of a size class: a depot with more magazines than CPUs are online gives its newest one back to the tree.
   * @param runner the CPU on which it runs
   */
  *iova_depot_work(bin: number, runner: number, cpu: Cpu): Behaviour {
    const { store, counts } = this;
    const lock = this.depotLock(bin);
    let magazine = none;
    this.armed[bin] = 0;
    counts.depotLocks++;
    yield cpu.acquire(lock);
    if (store.depotHas(bin) && store.depotSizes[bin] > this.onlineCount) magazine = store.depotPop(bin);
    yield cpu.release(lock);
    if (magazine === none) {
      counts.worksIdle++;
      return;
    }
    counts.depotTrims++;
    counts.trimFreed += store.sizes[magazine];
    yield* this.freeMagazine(magazine, runner, cpu);
    this.arm(bin, runner);
  }

  /** iova_cpuhp_dead: a CPU that goes offline gives its magazines back to the tree, the depots stay. @param runner the CPU on which it runs */
  *iova_cpuhp_dead(one: number, runner: number, cpu: Cpu): Behaviour {
    if (!this.setOnline(one, false)) return;
    for (let bin = 0; bin < this.bins; bin++) yield* this.free_cpu_cached_iovas(one * this.bins + bin, runner, cpu);
  }

  /** Brings a CPU online again. */
  online(cpu: number): void {
    this.setOnline(cpu, true);
  }

  /**
   * Allocates at once.
   * @param mayDrain whether a failure drains all caches and tries again (alloc_iova_fast's `flush_rcache`)
   * @returns the pfn, or {@link noPfn}
   */
  override allocate(pages: number, limit: number = dma32Pfn, cpu = 0, mayDrain = true): number {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.limit = limit;
    op.mayDrain = mayDrain;
    if (this.memory === null) this.allocateAtOnce(op);
    else runToEnd(this.alloc_iova(op, atOnce));
    return op.pfn;
  }

  /** Frees at once. @returns whether something was mapped there; nothing changes where not */
  override free(pfn: number, pages = 1, cpu = 0): boolean {
    if (this.memory !== null) return super.free(pfn, pages, cpu);
    if (!this.liveRanges.remove(pfn, pages)) return false;
    this.frees++;
    if (pages <= this.largestCached) this.insertAtOnce(pfn, pages, cpu);
    else this.tree.give(this.removeLocked(pfn), cpu);
    return true;
  }

  /** Takes a CPU offline at once. @returns ranges that went back to the tree; undefined where it was offline */
  offline(cpu: number): number | undefined {
    if (this.onlineCpus[cpu] === 0) return undefined;
    const { removed } = this.tree.counts;
    runToEnd(this.iova_cpuhp_dead(cpu, 0, atOnce));
    return this.tree.counts.removed - removed;
  }

  /** Runs the delayed work of a depot at once. @returns ranges that went back to the tree, 0 where there was nothing to do */
  trim(bin: number): number {
    const before = this.counts.trimFreed;
    runToEnd(this.iova_depot_work(bin, 0, atOnce));
    return this.counts.trimFreed - before;
  }

  /** Delayed works that are armed, and the CPU that armed each. */
  armedWorks(): { bin: number; cpu: number }[] {
    const works: { bin: number; cpu: number }[] = [];
    for (let bin = 0; bin < this.bins; bin++) if (this.armed[bin] !== 0) works.push({ bin, cpu: this.armedBy[bin] });
    return works;
  }

  /** Magazines in a size class's depot. */
  depotSize(bin: number): number {
    return this.store.depotSizes[bin];
  }

  reserve(lo: number, hi: number): void {
    this.tree.reserve(lo, hi);
  }

  // Hot path of a replay (test/bench/iova): what the top of the loaded magazine serves is done in one call, and charged nowhere.

  /** An allocation by the top of the CPU's loaded magazine. @returns the pfn; {@link noPfn} where more is to do, and nothing was done */
  takeTop(pages: number, limit: number, cpu: number): number {
    if (pages > this.largestCached) return failed;
    const bin = 32 - Math.clz32(pages - 1);
    const { sizes, pfns } = this.store;
    const magazine = this.loaded[cpu * this.bins + bin];
    const top = sizes[magazine] - 1;
    if (top < 0) return failed;
    const pfn = pfns[magazine * places + top];
    if (pfn + (1 << bin) - 1 > limit) return failed;
    sizes[magazine] = top;
    this.quickTakes++;
    return pfn;
  }

  /** A free to the top of the CPU's loaded magazine. @returns false where more is to do, and nothing was done */
  putTop(pages: number, pfn: number, cpu: number): boolean {
    if (pages > this.largestCached) return false;
    const { sizes, pfns } = this.store;
    const magazine = this.loaded[cpu * this.bins + 32 - Math.clz32(pages - 1)];
    const size = sizes[magazine];
    if (size === this.magazineSize) return false;
    pfns[magazine * places + size] = pfn;
    sizes[magazine] = size + 1;
    this.quickPuts++;
    return true;
  }

  // allocate

  private *iova_rcache_get(op: IovaOperation, cpu: Cpu): Behaviour {
    const bin = pagesOrder(op.pages);
    const cache = op.cpu * this.bins + bin;
    this.counts.cpuLocks++;
    yield cpu.acquire(1 + cache);
    if (!this.findFilled(cache)) {
      this.counts.depotLocks++;
      yield cpu.acquire(this.depotLock(bin));
      this.loadFromDepot(bin, cache);
      yield cpu.release(this.depotLock(bin));
    }
    this.pop(op, bin, cache);
    yield cpu.release(1 + cache);
  }

  /** Under the CPU's lock: makes a magazine the loaded one that has a range. @returns false where neither has */
  private findFilled(cache: number): boolean {
    const { sizes } = this.store;
    this.counts.lookups++;
    this.touchCpu(cache);
    if (sizes[this.loaded[cache]] !== 0) return true;
    if (sizes[this.previous[cache]] === 0) return false;
    this.swap(cache);
    this.counts.swapsGet++;
    return true;
  }

  /** Under the depot's lock: its newest full magazine for an empty one. */
  private loadFromDepot(bin: number, cache: number): void {
    const { store } = this;
    if (!store.depotHas(bin)) return;
    store.free(this.loaded[cache]);
    this.loaded[cache] = store.depotPop(bin);
    this.counts.depotGets++;
    this.memory?.write(this.cpuBase + cache * lineBytes);
  }

  /** iova_magazine_pop: from the top down, the first range that ends at or below the limit. */
  private pop(op: IovaOperation, bin: number, cache: number): void {
    const { memory, store } = this;
    const magazine = this.loaded[cache];
    const most = op.limit + 1 - (1 << bin);
    for (let place = store.sizes[magazine] - 1; place >= 0; place--) {
      const pfn = store.pfns[magazine * places + place];
      if (memory !== null) memory.read(store.address(magazine) + 8 + 8 * place);
      if (pfn > most) {
        this.counts.scanSkips++;
        continue;
      }
      store.take(magazine, place);
      op.pfn = pfn;
      op.hit = 1;
      return;
    }
  }

  /** alloc_iova: the node is made before the lock and, if it is not used, given back after it. */
  private *allocFromTree(op: IovaOperation, cpu: Cpu): Behaviour {
    const node = this.tree.take(op.cpu);
    yield cpu.acquire(iova_rbtree_lock);
    this.allocateLocked(op, node);
    yield cpu.release(iova_rbtree_lock);
    if (op.pfn === failed) this.tree.give(node, op.cpu);
  }

  private allocateLocked(op: IovaOperation, node: number): void {
    const pages = op.pages < this.largestCached ? roundUpPages(op.pages) : op.pages;
    op.pfn = this.tree.allocate(node, pages, op.limit);
    op.visits += this.tree.visits;
  }

  private finish(op: IovaOperation): void {
    this.allocations++;
    if (op.visits > this.maxVisits) this.maxVisits = op.visits;
    this.hits += op.hit;
    if (op.pfn === failed) this.failures++;
    else this.liveRanges.add(op.pfn, op.pages);
  }

  // free

  private *iova_rcache_insert(op: IovaOperation, cpu: Cpu): Behaviour {
    const bin = pagesOrder(op.pages);
    const cache = op.cpu * this.bins + bin;
    let over = none;
    this.counts.cpuLocks++;
    yield cpu.acquire(1 + cache);
    if (!this.findRoom(cache)) {
      this.counts.depotLocks++;
      yield cpu.acquire(this.depotLock(bin));
      over = this.leaveInDepot(bin, cache);
      yield cpu.release(this.depotLock(bin));
    }
    this.store.push(this.loaded[cache], op.pfn);
    yield cpu.release(1 + cache);
    if (over !== none) yield* this.freeMagazine(over, op.cpu, cpu);
  }

  /** Under the CPU's lock: makes a magazine the loaded one that has room. @returns false where neither has */
  private findRoom(cache: number): boolean {
    const { sizes } = this.store;
    this.touchCpu(cache);
    if (sizes[this.loaded[cache]] !== this.magazineSize) return true;
    if (sizes[this.previous[cache]] === this.magazineSize) return false;
    this.swap(cache);
    this.counts.swapsPut++;
    return true;
  }

  /** Under the depot's lock: a full magazine for an empty one. @returns it, where the depot has no room */
  private leaveInDepot(bin: number, cache: number): number {
    const { store } = this;
    const full = this.loaded[cache];
    this.loaded[cache] = store.make();
    this.memory?.write(this.cpuBase + cache * lineBytes);
    if (store.depotSizes[bin] >= this.depotLimit) return full;
    store.depotPush(bin, full);
    this.counts.depotPuts++;
    if (this.depotLimit === Number.POSITIVE_INFINITY) this.arm(bin, Math.floor(cache / this.bins));
    return none;
  }

  /** free_iova. */
  private *freeToTree(op: IovaOperation, cpu: Cpu): Behaviour {
    yield cpu.acquire(iova_rbtree_lock);
    const node = this.removeLocked(op.pfn);
    yield cpu.release(iova_rbtree_lock);
    this.tree.give(node, op.cpu);
  }

  private removeLocked(pfn: number): number {
    this.tree.counts.locks++;
    return this.tree.remove(pfn);
  }

  // what goes back to the tree

  /** A full magazine's ranges, outside the caches' locks. */
  private *freeMagazine(magazine: number, runner: number, cpu: Cpu): Behaviour {
    this.tree.counts.locks++;
    yield cpu.acquire(iova_rbtree_lock);
    this.iova_magazine_free_pfns(magazine, runner);
    yield cpu.release(iova_rbtree_lock);
    this.store.free(magazine);
  }

  /** free_cpu_cached_iovas of every online CPU, then all depots. */
  private *free_global_cached_iovas(runner: number, cpu: Cpu): Behaviour {
    const { counts, store } = this;
    counts.drains++;
    for (let cache = 0; cache < this.cpus * this.bins; cache++)
      if (this.isOnline(cache)) yield* this.free_cpu_cached_iovas(cache, runner, cpu);
    if (!this.drainsDepots) return;
    for (let bin = 0; bin < this.bins; bin++) {
      counts.depotLocks++;
      yield cpu.acquire(this.depotLock(bin));
      while (store.depotHas(bin)) {
        counts.treeInDepot++;
        yield* this.freeMagazine(store.depotPop(bin), runner, cpu);
      }
      yield cpu.release(this.depotLock(bin));
    }
  }

  /** A CPU's magazines of one size class; the tree's lock nests inside the CPU's. */
  private *free_cpu_cached_iovas(cache: number, runner: number, cpu: Cpu): Behaviour {
    this.counts.cpuLocks++;
    yield cpu.acquire(1 + cache);
    for (const magazine of [this.loaded[cache], this.previous[cache]]) {
      this.counts.treeInCpu++;
      this.tree.counts.locks++;
      yield cpu.acquire(iova_rbtree_lock);
      this.iova_magazine_free_pfns(magazine, runner);
      yield cpu.release(iova_rbtree_lock);
    }
    yield cpu.release(1 + cache);
  }

  /** Under the tree's lock: each range is looked up and erased, oldest first. */
  private iova_magazine_free_pfns(magazine: number, runner: number): void {
    const { store } = this;
    const ranges = store.sizes[magazine];
    for (let i = 0; i < ranges; i++) {
      this.memory?.read(store.address(magazine) + 8 + 8 * i);
      this.tree.give(this.tree.remove(store.pfns[magazine * places + i]), runner);
    }
    store.sizes[magazine] = 0;
    this.memory?.write(store.address(magazine));
  }

  // the same without a CPU that spends time: for a replay (test/bench/iova)

  private allocateAtOnce(op: IovaOperation): void {
    begin(op);
    if (op.pages <= this.largestCached) {
      const bin = pagesOrder(op.pages);
      const cache = op.cpu * this.bins + bin;
      this.counts.cpuLocks++;
      if (!this.findFilled(cache)) {
        this.counts.depotLocks++;
        this.loadFromDepot(bin, cache);
      }
      this.pop(op, bin, cache);
    }
    if (op.hit === 0) {
      const node = this.tree.take(op.cpu);
      this.allocateLocked(op, node);
      if (op.pfn === failed && op.mayDrain) {
        this.drainAtOnce(op.cpu);
        this.allocateLocked(op, node);
      }
      if (op.pfn === failed) this.tree.give(node, op.cpu);
    }
    this.finish(op);
  }

  private insertAtOnce(pfn: number, pages: number, cpu: number): void {
    const bin = pagesOrder(pages);
    const cache = cpu * this.bins + bin;
    this.counts.cpuLocks++;
    let over = none;
    if (!this.findRoom(cache)) {
      this.counts.depotLocks++;
      over = this.leaveInDepot(bin, cache);
    }
    this.store.push(this.loaded[cache], pfn);
    if (over !== none) this.freeMagazineAtOnce(over, cpu);
  }

  private freeMagazineAtOnce(magazine: number, cpu: number): void {
    this.tree.counts.locks++;
    this.iova_magazine_free_pfns(magazine, cpu);
    this.store.free(magazine);
  }

  private drainAtOnce(cpu: number): void {
    const { counts, store } = this;
    counts.drains++;
    for (let cache = 0; cache < this.cpus * this.bins; cache++) {
      if (!this.isOnline(cache)) continue;
      counts.cpuLocks++;
      counts.treeInCpu += 2;
      this.tree.counts.locks += 2;
      if (store.sizes[this.loaded[cache]] !== 0) this.iova_magazine_free_pfns(this.loaded[cache], cpu);
      if (store.sizes[this.previous[cache]] !== 0) this.iova_magazine_free_pfns(this.previous[cache], cpu);
    }
    if (!this.drainsDepots) return;
    for (let bin = 0; bin < this.bins; bin++) {
      counts.depotLocks++;
      while (store.depotHas(bin)) {
        counts.treeInDepot++;
        this.freeMagazineAtOnce(store.depotPop(bin), cpu);
      }
    }
  }

  // small parts

  private arm(bin: number, cpu: number): void {
    if (this.armed[bin] !== 0) return;
    this.armed[bin] = 1;
    this.armedBy[bin] = cpu;
    this.onArm?.(bin, cpu);
  }

  private swap(cache: number): void {
    const loaded = this.loaded[cache];
    this.loaded[cache] = this.previous[cache];
    this.previous[cache] = loaded;
    this.memory?.write(this.cpuBase + cache * lineBytes);
  }

  private touchCpu(cache: number): void {
    if (this.memory === null) return;
    this.memory.read(this.cpuBase + cache * lineBytes);
    this.memory.read(this.store.address(this.loaded[cache]));
  }

  private isOnline(cache: number): boolean {
    return this.onlineCpus[Math.floor(cache / this.bins)] === 1;
  }

  private depotLock(bin: number): number {
    return 1 + this.cpus * this.bins + bin;
  }

  private setOnline(cpu: number, online: boolean): boolean {
    if ((this.onlineCpus[cpu] === 1) === online) return false;
    this.onlineCpus[cpu] = online ? 1 : 0;
    this.onlineCount += online ? 1 : -1;
    return true;
  }

  // statistics

  /** What the caches and the tree have done and hold. A trusting allocator knows the most live ranges only of the calls that did not end at a top. */
  statistics(): Rcache6Statistics {
    const { counts, store, quickTakes, quickPuts } = this;
    const { counts: tree } = this.tree;
    let cached = store.inDepots;
    for (const magazine of this.loaded) cached += store.sizes[magazine];
    for (const magazine of this.previous) cached += store.sizes[magazine];
    return {
      allocations: this.allocations + quickTakes,
      failures: this.failures,
      frees: this.frees + quickPuts,
      visits: tree.visits,
      maxVisits: this.maxVisits,
      live: this.liveRanges.live + quickTakes - quickPuts,
      peakLive: this.liveRanges.peak,
      nodes: this.tree.nodes,
      peakNodes: this.tree.peakNodes,
      depth: this.tree.depth(),
      splits: 0,
      merges: 0,
      hits: this.hits + quickTakes,
      flushes: 0,
      ...counts,
      cpuLocks: counts.cpuLocks + quickTakes + quickPuts,
      lookups: counts.lookups + quickTakes,
      treeLocks: tree.locks,
      magazines: store.magazines,
      peakMagazines: store.peakMagazines,
      cached,
      depots: [...store.depotSizes],
      peakDepots: [...store.peakDepots],
      retries: tree.retries,
      earlyFull: tree.earlyFull,
      limitSteps: tree.limitSteps,
      findSteps: this.tree.tree.compared,
      insertSteps: tree.insertSteps,
      removed: tree.removed,
      max32: this.tree.max32,
    };
  }
}

function begin(op: IovaOperation): void {
  checkPages(op.pages);
  op.visits = 0;
  op.hit = 0;
  op.flushes = 0;
  op.pfn = failed;
}

function classesUpTo(largest: number): number {
  if (Number.isInteger(largest) && largest >= 1 && largest <= mostCached && roundUpPages(largest) === largest)
    return 1 + pagesOrder(largest);
  throw new RangeError(`largestCached is ${largest} pages; a power of two from 1 to ${mostCached} is accepted.`);
}

function checkMagazine(size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= places) return size;
  throw new RangeError(`magazineSize is ${size}; a whole number from 1 to ${places} is accepted.`);
}
