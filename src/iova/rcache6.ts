/**
 * The allocator of Linux ≥ 6.7 (drivers/iommu/iova.c, as read in 6.18): per-CPU magazines, a depot without bound that a delayed work trims, and
 * behind them the anchored tree. Its rules' older forms, back to v4.15, are options ({@link CacheRules}).
 *
 * The magazines are Bonwick's, brought to IOVAs in v4.9 ({@link MagazineAllocator}); the unbounded depot and its trimming are Robin Murphy's (v6.7).
 * A freed range stays in the tree, as allocated, and goes on a stack of the freeing CPU; an unmap of up to 32 pages never takes the tree's lock.
 *
 * Data layout: the domain's line, the slab's stacks, a line for each CPU and size class (lock, loaded, previous), a depot for each class, the magazines
 * that exist from the start (1 KiB each: a word and 127 pfns), then the nodes and, between them, the magazines that are made later.
 */
import type { AllocatorOptions, IovaAllocator, IovaLock, IovaStatistics } from "./allocator.js";
import { AnchoredTree, type FailureMemory, type TreeRules } from "./anchored-tree.js";
import { lineBytes, type Memory } from "./memory.js";
import { checkPages, dma32Pfn, noPfn, pagesOrder, roundUpPages } from "./pfn.js";
import { slabCpuBytes } from "./slab.js";
import {
  acquire,
  done,
  finishedStage,
  release,
  runStages,
  StagedAllocator,
  type StagedOperation,
} from "./staged-allocator.js";

const failed = noPfn;
/** Size classes 1, 2, 4 … 32 pages (IOVA_RANGE_CACHE_MAX_SIZE), and the largest that is cached. */
const classes = 6;
const largestCached = 32;
/** Simulated bytes of a magazine (a word and 127 pfns), and of a depot (lock, count, pointer, delayed work). */
const magazineBytes = 1024;
const depotBytes = 2 * lineBytes;
/** Pfns that a magazine has room for, whatever its rule. */
const slots = 128;
const none = -1;

/** How long after a push the depot's work runs, in milliseconds (IOVA_DEPOT_DELAY). */
export const depotDelayMs = 100;

const treeLock = 0;

/** What differs between releases in the caches and the tree behind them. */
export interface CacheRules extends TreeRules {
  /** Ranges in a magazine: 128 from v4.9, 127 from v6.0. */
  magazineSize: number;
  /** Full magazines in a depot; beyond them a magazine's ranges go to the tree. 32 before v6.7; infinite, with trimming, from then on. */
  depotLimit: number;
  /** Whether an exhausted tree gets the depots' ranges back too (v5.11). */
  drainsDepots: boolean;
}

/** The rules of Linux 6.7 to 6.18. */
export const cacheRules: Readonly<CacheRules> = {
  magazineSize: 127,
  depotLimit: Number.POSITIVE_INFINITY,
  drainsDepots: true,
  failureMemory: "any" satisfies FailureMemory,
  secondPass: true,
};

/** Options of the allocator. */
export interface Rcache6Options extends AllocatorOptions, Partial<CacheRules> {
  /** The lowest pfn that is handed out (default 1). */
  startPfn?: number;
  /** Hears that a depot got a magazine while its delayed work was not armed: the work is due {@link depotDelayMs} later, by `trim`. */
  onArm?: (bin: number) => void;
}

/** Totals of the allocator beyond those of every allocator. */
export interface Rcache6Statistics extends IovaStatistics {
  /** Acquisitions of the tree's, the CPU caches' and the depots' locks; of the tree's, those under a CPU cache's or a depot's. */
  treeLocks: number;
  cpuLocks: number;
  depotLocks: number;
  treeInCpu: number;
  treeInDepot: number;
  /** Requests that asked a cache, and slots of magazines that were looked at and lay above the limit. */
  lookups: number;
  scanSkips: number;
  /** Exchanges of loaded and previous, by an allocation and by a free. */
  swapsGet: number;
  swapsPut: number;
  /** Magazines that went to a depot, came from one to a CPU, and were trimmed; ranges trimmed; works that found nothing to do. */
  depotPuts: number;
  depotGets: number;
  depotTrims: number;
  trimFreed: number;
  worksIdle: number;
  /** Drains of all caches after a failure. */
  drains: number;
  /** Magazines that exist, and the most there ever were. */
  magazines: number;
  peakMagazines: number;
  /** Ranges in magazines. */
  cached: number;
  /** Magazines in each size class's depot, and the most there ever were. */
  depots: number[];
  peakDepots: number[];
  /** See {@link AnchoredTree.counts}. */
  retries: number;
  earlyFull: number;
  limitSteps: number;
  findSteps: number;
  insertSteps: number;
  removed: number;
  /** Size that is known not to fit below 4 GiB; 2^20 for none. */
  max32: number;
}

/** Where an operation stands; the number is `op.stage`. */
const CPU_LOCK = 0;
const CPU_LOCKED = 1;
const DEPOT_LOCKED = 2;
const DEPOT_DONE = 3;
const CPU_DONE = 4;
const TREE_LOCK = 5;
const TREE_LOCKED = 6;
const TREE_DONE = 7;
const GIVE_BACK = 8;
const GIVE_BACK_LOCKED = 9;
const TRIM = 10;
const TRIM_LOCKED = 11;
const DRAIN_CPU = 12;
const DRAIN_LOADED = 13;
const DRAIN_LOADED_LOCKED = 14;
const DRAIN_PREVIOUS = 15;
const DRAIN_PREVIOUS_LOCKED = 16;
const DRAIN_CPU_DONE = 17;
const DRAIN_DEPOT = 18;
const DRAIN_DEPOT_LOCKED = 19;
const DRAIN_DEPOT_TREE = 20;
const FINISHED = finishedStage;

/** The allocator of Linux 6.7 and later: per-CPU magazines and unbounded depots before the anchored tree. */
export class Rcache6Allocator extends StagedAllocator implements IovaAllocator {
  readonly name = "rcache6";
  readonly locks: readonly IovaLock[];
  /** The tree behind the caches. */
  readonly tree: AnchoredTree;
  /** Size classes: as many depots and delayed works as there are. */
  readonly bins = classes;
  private readonly memory: Memory | null;
  private readonly cpus: number;
  private readonly magazineSize: number;
  private readonly depotLimit: number;
  private readonly drainsDepots: boolean;
  private readonly onArm: ((bin: number) => void) | undefined;
  private readonly cpuBase: number;
  private readonly depotBase: number;
  /** 1 for each CPU that is online. */
  private readonly onlineCpus: Uint8Array;
  private onlineCount: number;

  // Magazines, by number: pfns (128 places each), sizes, and the next older one in a depot or among the spare ones.
  private pfns: Float64Array;
  private sizes: Int32Array;
  private older: Int32Array;
  private addresses: Float64Array;
  private made = 0;
  private spare = none;
  /** Loaded and previous magazine of each CPU and size class. */
  private readonly loaded: Int32Array;
  private readonly previous: Int32Array;
  /** Newest magazine of each depot, and how many it has. */
  private readonly newest = new Int32Array(classes).fill(none);
  private readonly depotSizes = new Int32Array(classes);
  private readonly peakDepots = new Int32Array(classes);
  private readonly armed = new Uint8Array(classes);

  private magazines = 0;
  private peakMagazines = 0;
  private allocations = 0;
  private failures = 0;
  private frees = 0;
  private maxVisits = 0;
  private hits = 0;
  private lookups = 0;
  private scanSkips = 0;
  private swapsGet = 0;
  private swapsPut = 0;
  private depotPuts = 0;
  private depotGets = 0;
  private depotTrims = 0;
  private trimFreed = 0;
  private worksIdle = 0;
  /** Drains, and acquisitions of the CPU caches' locks. */
  drains = 0;
  cpuLocks = 0;
  private depotLocks = 0;
  private treeInCpu = 0;
  private treeInDepot = 0;

  constructor(options: Rcache6Options = {}) {
    super(dma32Pfn);
    const cpus = options.cpus ?? 8;
    const base = options.base ?? 0;
    const rules = { ...cacheRules, ...options };
    this.memory = options.memory ?? null;
    this.cpus = cpus;
    this.magazineSize = checkMagazine(rules.magazineSize);
    this.depotLimit = rules.depotLimit;
    this.drainsDepots = rules.drainsDepots;
    this.onArm = options.onArm;
    const caches = cpus * classes;
    this.cpuBase = base + lineBytes;
    this.depotBase = this.cpuBase + caches * lineBytes;
    const magazineBase = this.depotBase + classes * depotBytes;
    this.tree = new AnchoredTree(
      this.memory,
      base,
      magazineBase + 2 * caches * magazineBytes,
      cpus,
      options.startPfn ?? 1,
      rules,
    );
    this.onlineCpus = new Uint8Array(cpus).fill(1);
    this.onlineCount = cpus;
    this.loaded = new Int32Array(caches);
    this.previous = new Int32Array(caches);
    const capacity = 2 * caches + 16;
    this.pfns = new Float64Array(capacity * slots);
    this.sizes = new Int32Array(capacity);
    this.older = new Int32Array(capacity);
    this.addresses = new Float64Array(capacity);
    for (let i = 0; i < 2 * caches; i++) this.addresses[i] = magazineBase + i * magazineBytes;
    for (let cache = 0; cache < caches; cache++) {
      this.loaded[cache] = this.newMagazine();
      this.previous[cache] = this.newMagazine();
    }
    const locks: IovaLock[] = [{ name: "iova_rbtree_lock", address: base }];
    for (let cache = 0; cache < caches; cache++) {
      const name = `cpu_rcache lock (CPU ${Math.floor(cache / classes)}, ${1 << (cache % classes)} pages)`;
      locks.push({ name, address: this.cpuBase + cache * lineBytes });
    }
    for (let bin = 0; bin < classes; bin++)
      locks.push({ name: `rcache lock (depot, ${1 << bin} pages)`, address: this.depotBase + bin * depotBytes });
    this.locks = locks;
  }

  /** Bytes that the allocator occupies from its base on, with room for so many nodes and magazines beyond the first ones. */
  static bytes(cpus: number, nodes: number, magazines: number): number {
    const fixed = lineBytes + cpus * (slabCpuBytes + classes * (lineBytes + 2 * magazineBytes)) + classes * depotBytes;
    return fixed + (nodes + 65) * lineBytes + (magazines + 1) * magazineBytes;
  }

  beginAllocate(op: StagedOperation): void {
    checkPages(op.pages);
    op.kind = "allocate";
    op.visits = 0;
    op.hit = 0;
    op.flushes = 0;
    op.pfn = failed;
    op.found = false; // whether the caches were drained
    op.aux = pagesOrder(op.pages);
    op.stage = op.pages <= largestCached ? CPU_LOCK : TREE_LOCK;
  }

  beginFree(op: StagedOperation): void {
    op.kind = "free";
    op.aux = pagesOrder(op.pages);
    op.node = none; // a full magazine that goes back to the tree
    op.found = this.liveRanges.remove(op.pfn, op.pages);
    if (op.found) this.frees++;
    if (!op.found) op.stage = FINISHED;
    else op.stage = op.pages <= largestCached ? CPU_LOCK : TREE_LOCK;
  }

  /** Starts the delayed work of a size class's depot: `op.aux` is the class. At its end `op.found` says whether a magazine was trimmed. */
  beginTrim(op: StagedOperation): void {
    op.kind = "trim";
    op.found = false;
    this.armed[op.aux] = 0;
    op.stage = TRIM;
  }

  /** Starts to take a CPU offline: `op.cpu`. Its magazines go back to the tree, the depots do not. At its end `op.pages` are the ranges. */
  beginOffline(op: StagedOperation): void {
    op.kind = "offline";
    op.pages = 0;
    op.node = op.cpu * classes;
    op.stage = this.setOnline(op.cpu, false) ? DRAIN_CPU : FINISHED;
  }

  /** Brings a CPU online again. */
  online(cpu: number): void {
    this.setOnline(cpu, true);
  }

  /** Takes a CPU offline at once. @returns ranges that went back to the tree; undefined where it was offline */
  offline(cpu: number): number | undefined {
    if (this.onlineCpus[cpu] === 0) return undefined;
    const op = this.last;
    op.cpu = cpu;
    this.beginOffline(op);
    runStages(this, op);
    return op.pages;
  }

  /** Runs the delayed work of a depot at once. @returns ranges that went back to the tree, 0 where there was nothing to do */
  trim(bin: number): number {
    const op = this.last;
    op.aux = bin;
    const before = this.trimFreed;
    this.beginTrim(op);
    runStages(this, op);
    return this.trimFreed - before;
  }

  /** Magazines in a size class's depot. */
  depotSize(bin: number): number {
    return this.depotSizes[bin];
  }

  advance(op: StagedOperation): number {
    const cache = op.cpu * classes + op.aux;
    switch (op.stage) {
      case CPU_LOCK:
        op.stage = CPU_LOCKED;
        this.cpuLocks++;
        return acquire(1 + cache);
      case CPU_LOCKED:
        return op.kind === "allocate" ? this.takeLocked(op, cache) : this.putLocked(op, cache);
      case DEPOT_LOCKED:
        this.exchange(op, cache);
        op.stage = DEPOT_DONE;
        return release(this.depotLock(op.aux));
      case DEPOT_DONE:
        if (op.kind === "allocate") this.pop(op, cache);
        else this.push(op.pfn, cache);
        return this.leaveCpu(op, cache);
      case CPU_DONE:
        if (op.kind === "allocate") {
          if (op.hit === 1) return this.finish(op);
          op.stage = TREE_LOCK;
        } else {
          op.stage = op.node === none ? FINISHED : GIVE_BACK;
        }
        return this.advance(op);
      case TREE_LOCK:
        if (op.kind === "allocate") op.node = this.tree.take(op.cpu);
        op.stage = TREE_LOCKED;
        return acquire(treeLock);
      case TREE_LOCKED:
        this.runTree(op);
        op.stage = TREE_DONE;
        return release(treeLock);
      case TREE_DONE:
        return this.leaveTree(op);
      case GIVE_BACK:
        op.stage = GIVE_BACK_LOCKED;
        this.tree.counts.locks++;
        return acquire(treeLock);
      case GIVE_BACK_LOCKED:
        this.empty(op.node, op.cpu);
        this.freeMagazine(op.node);
        op.stage = FINISHED;
        return release(treeLock);
      case TRIM:
        op.stage = TRIM_LOCKED;
        this.depotLocks++;
        return acquire(this.depotLock(op.aux));
      case TRIM_LOCKED:
        return this.trimLocked(op);
      case FINISHED:
        return done;
      default:
        return this.drain(op);
    }
  }

  // Hot path of a replay: what needs one lock only is done here, everything else step by step (test/bench/iova).
  override allocate(pages: number, limit: number = dma32Pfn, cpu = 0, mayDrain = true): number {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.limit = limit;
    op.mayDrain = mayDrain;
    this.beginAllocate(op);
    runStages(this, op);
    return op.pfn;
  }

  reserve(lo: number, hi: number): void {
    this.tree.reserve(lo, hi);
  }

  /** What the caches and the tree have done and hold. */
  statistics(): Rcache6Statistics {
    const { counts } = this.tree;
    let cached = 0;
    for (let cache = 0; cache < this.cpus * classes; cache++)
      cached += this.sizes[this.loaded[cache]] + this.sizes[this.previous[cache]];
    for (let bin = 0; bin < classes; bin++)
      for (let m = this.newest[bin]; m !== none; m = this.older[m]) cached += this.sizes[m];
    return {
      allocations: this.allocations,
      failures: this.failures,
      frees: this.frees,
      visits: counts.visits,
      maxVisits: this.maxVisits,
      live: this.liveRanges.live,
      peakLive: this.liveRanges.peak,
      nodes: this.tree.nodes,
      peakNodes: this.tree.peakNodes,
      depth: this.tree.depth(),
      splits: 0,
      merges: 0,
      hits: this.hits,
      flushes: 0,
      treeLocks: counts.locks,
      cpuLocks: this.cpuLocks,
      depotLocks: this.depotLocks,
      treeInCpu: this.treeInCpu,
      treeInDepot: this.treeInDepot,
      lookups: this.lookups,
      scanSkips: this.scanSkips,
      swapsGet: this.swapsGet,
      swapsPut: this.swapsPut,
      depotPuts: this.depotPuts,
      depotGets: this.depotGets,
      depotTrims: this.depotTrims,
      trimFreed: this.trimFreed,
      worksIdle: this.worksIdle,
      drains: this.drains,
      magazines: this.magazines,
      peakMagazines: this.peakMagazines,
      cached,
      depots: [...this.depotSizes],
      peakDepots: [...this.peakDepots],
      retries: counts.retries,
      earlyFull: counts.earlyFull,
      limitSteps: counts.limitSteps,
      findSteps: this.tree.tree.compared,
      insertSteps: counts.insertSteps,
      removed: counts.removed,
      max32: this.tree.max32,
    };
  }

  // allocate

  /** __iova_rcache_get, under the CPU's lock. */
  private takeLocked(op: StagedOperation, cache: number): number {
    this.touchCpu(cache);
    this.lookups++;
    if (this.sizes[this.loaded[cache]] === 0) {
      if (this.sizes[this.previous[cache]] === 0) {
        op.stage = DEPOT_LOCKED;
        this.depotLocks++;
        return acquire(this.depotLock(op.aux));
      }
      this.swap(cache);
      this.swapsGet++;
    }
    this.pop(op, cache);
    return this.leaveCpu(op, cache);
  }

  /** iova_magazine_pop: from the top down, the first range that ends at or below the limit; the top fills its place. */
  private pop(op: StagedOperation, cache: number): void {
    const { memory, pfns } = this;
    const magazine = this.loaded[cache];
    const size = this.sizes[magazine];
    const first = magazine * slots;
    const most = op.limit + 1 - (1 << op.aux);
    if (memory !== null) memory.read(this.addresses[magazine]);
    for (let at = size - 1; at >= 0; at--) {
      const pfn = pfns[first + at];
      if (memory !== null) memory.read(this.addresses[magazine] + 8 + 8 * at);
      if (pfn > most) {
        this.scanSkips++;
        continue;
      }
      pfns[first + at] = pfns[first + size - 1];
      this.sizes[magazine] = size - 1;
      if (memory !== null) {
        memory.write(this.addresses[magazine] + 8 + 8 * at);
        memory.write(this.addresses[magazine]);
      }
      op.pfn = pfn;
      op.hit = 1;
      return;
    }
  }

  /** The step of an allocation or a free that runs under the tree's lock. */
  private runTree(op: StagedOperation): void {
    if (op.kind === "allocate") {
      op.pfn = this.tree.allocate(op.node, op.pages < largestCached ? roundUpPages(op.pages) : op.pages, op.limit);
      op.visits += this.tree.visits;
    } else {
      this.tree.counts.locks++;
      op.node = this.tree.remove(op.pfn);
    }
  }

  /** After the tree's lock: nodes that are not used go back to the slab; a failure drains the caches, once. */
  private leaveTree(op: StagedOperation): number {
    if (op.kind === "free") {
      this.tree.give(op.node, op.cpu);
      op.stage = FINISHED;
      return done;
    }
    if (op.pfn !== failed) return this.finish(op);
    this.tree.give(op.node, op.cpu);
    if (op.found || !op.mayDrain) return this.finish(op);
    op.found = true;
    op.node = 0; // the cache that is drained next
    op.stage = DRAIN_CPU;
    this.drains++;
    return this.advance(op);
  }

  private finish(op: StagedOperation): number {
    this.allocations++;
    if (op.visits > this.maxVisits) this.maxVisits = op.visits;
    this.hits += op.hit;
    if (op.pfn === failed) this.failures++;
    else this.liveRanges.add(op.pfn, op.pages);
    op.stage = FINISHED;
    return done;
  }

  // free

  /** __iova_rcache_insert, under the CPU's lock. */
  private putLocked(op: StagedOperation, cache: number): number {
    this.touchCpu(cache);
    if (this.sizes[this.loaded[cache]] === this.magazineSize) {
      if (this.sizes[this.previous[cache]] === this.magazineSize) {
        op.stage = DEPOT_LOCKED;
        this.depotLocks++;
        return acquire(this.depotLock(op.aux));
      }
      this.swap(cache);
      this.swapsPut++;
    }
    this.push(op.pfn, cache);
    return this.leaveCpu(op, cache);
  }

  private push(pfn: number, cache: number): void {
    const magazine = this.loaded[cache];
    const size = this.sizes[magazine];
    this.pfns[magazine * slots + size] = pfn;
    this.sizes[magazine] = size + 1;
    if (this.memory !== null) {
      this.memory.write(this.addresses[magazine] + 8 + 8 * size);
      this.memory.write(this.addresses[magazine]);
    }
  }

  // the caches

  /** Under the depot's lock: an allocation takes the newest full magazine for its empty one, a free leaves its full one for an empty one. */
  private exchange(op: StagedOperation, cache: number): void {
    const bin = op.aux;
    const head = this.depotBase + bin * depotBytes;
    this.memory?.read(head);
    if (op.kind === "allocate") {
      if (this.newest[bin] === none) return;
      this.freeMagazine(this.loaded[cache]);
      this.loaded[cache] = this.depotPop(bin);
      this.depotGets++;
    } else {
      const full = this.loaded[cache];
      this.loaded[cache] = this.newMagazine();
      if (this.depotSizes[bin] < this.depotLimit) this.depotPush(bin, full);
      else op.node = full;
    }
    this.memory?.write(this.cpuBase + cache * lineBytes);
  }

  private depotPush(bin: number, magazine: number): void {
    this.older[magazine] = this.newest[bin];
    this.newest[bin] = magazine;
    if (++this.depotSizes[bin] > this.peakDepots[bin]) this.peakDepots[bin] = this.depotSizes[bin];
    this.depotPuts++;
    if (this.memory !== null) {
      this.memory.write(this.addresses[magazine]);
      this.memory.write(this.depotBase + bin * depotBytes);
    }
    if (this.depotLimit === Number.POSITIVE_INFINITY) this.arm(bin);
  }

  private depotPop(bin: number): number {
    const magazine = this.newest[bin];
    this.newest[bin] = this.older[magazine];
    this.depotSizes[bin]--;
    if (this.memory !== null) {
      this.memory.write(this.addresses[magazine]);
      this.memory.write(this.depotBase + bin * depotBytes);
    }
    return magazine;
  }

  /** iova_depot_work_func: a depot with more magazines than CPUs are online gives its newest one back to the tree. */
  private trimLocked(op: StagedOperation): number {
    this.memory?.read(this.depotBase + op.aux * depotBytes);
    if (this.depotSizes[op.aux] > this.onlineCount) {
      op.node = this.depotPop(op.aux);
      op.found = true;
      this.depotTrims++;
      this.trimFreed += this.sizes[op.node];
      this.arm(op.aux);
      op.stage = GIVE_BACK;
    } else {
      this.worksIdle++;
      op.stage = FINISHED;
    }
    return release(this.depotLock(op.aux));
  }

  private arm(bin: number): void {
    if (this.armed[bin] !== 0) return;
    this.armed[bin] = 1;
    this.onArm?.(bin);
  }

  /** The steps of a drain: every online CPU's caches (an offline one's own only), then the depots, then the tree once more. */
  private drain(op: StagedOperation): number {
    switch (op.stage) {
      case DRAIN_CPU:
        return this.drainNext(op);
      case DRAIN_LOADED:
        return this.lockTreeInCpu(op, DRAIN_LOADED_LOCKED);
      case DRAIN_LOADED_LOCKED:
        return this.drainMagazine(op, this.loaded[op.node], DRAIN_PREVIOUS);
      case DRAIN_PREVIOUS:
        return this.lockTreeInCpu(op, DRAIN_PREVIOUS_LOCKED);
      case DRAIN_PREVIOUS_LOCKED:
        return this.drainMagazine(op, this.previous[op.node], DRAIN_CPU_DONE);
      case DRAIN_CPU_DONE:
        op.stage = DRAIN_CPU;
        return release(1 + op.node++);
      case DRAIN_DEPOT:
        if (op.node === classes) {
          op.stage = TREE_LOCK;
          return this.advance(op);
        }
        op.stage = DRAIN_DEPOT_LOCKED;
        this.depotLocks++;
        return acquire(this.depotLock(op.node));
      case DRAIN_DEPOT_LOCKED:
        this.memory?.read(this.depotBase + op.node * depotBytes);
        if (this.newest[op.node] === none) {
          op.stage = DRAIN_DEPOT;
          return release(this.depotLock(op.node++));
        }
        op.stage = DRAIN_DEPOT_TREE;
        this.treeInDepot++;
        this.tree.counts.locks++;
        return acquire(treeLock);
      default: {
        const magazine = this.depotPop(op.node);
        this.empty(magazine, op.cpu);
        this.freeMagazine(magazine);
        op.stage = DRAIN_DEPOT_LOCKED;
        return release(treeLock);
      }
    }
  }

  private drainNext(op: StagedOperation): number {
    const end = op.kind === "offline" ? (op.cpu + 1) * classes : this.cpus * classes;
    if (op.kind === "allocate")
      while (op.node < end && this.onlineCpus[Math.floor(op.node / classes)] === 0) op.node += classes;
    if (op.node < end) {
      op.stage = DRAIN_LOADED;
      this.cpuLocks++;
      return acquire(1 + op.node);
    }
    if (op.kind === "offline") {
      op.stage = FINISHED;
      return done;
    }
    op.node = 0;
    op.stage = this.drainsDepots ? DRAIN_DEPOT : TREE_LOCK;
    return this.advance(op);
  }

  private lockTreeInCpu(op: StagedOperation, next: number): number {
    op.stage = next;
    this.treeInCpu++;
    this.tree.counts.locks++;
    return acquire(treeLock);
  }

  private drainMagazine(op: StagedOperation, magazine: number, next: number): number {
    const ranges = this.empty(magazine, op.cpu);
    if (op.kind === "offline") op.pages += ranges;
    op.stage = next;
    return release(treeLock);
  }

  /** iova_magazine_free_pfns, under the tree's lock: each range is looked up and erased, oldest first. @returns ranges */
  private empty(magazine: number, cpu: number): number {
    const ranges = this.sizes[magazine];
    for (let i = 0; i < ranges; i++) {
      this.memory?.read(this.addresses[magazine] + 8 + 8 * i);
      this.tree.give(this.tree.remove(this.pfns[magazine * slots + i]), cpu);
    }
    this.sizes[magazine] = 0;
    this.memory?.write(this.addresses[magazine]);
    return ranges;
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
    this.memory.read(this.addresses[this.loaded[cache]]);
  }

  private leaveCpu(op: StagedOperation, cache: number): number {
    op.stage = CPU_DONE;
    return release(1 + cache);
  }

  private depotLock(bin: number): number {
    return 1 + this.cpus * classes + bin;
  }

  /** An empty magazine (iova_magazine_alloc). */
  private newMagazine(): number {
    if (++this.magazines > this.peakMagazines) this.peakMagazines = this.magazines;
    if (this.spare !== none) {
      const magazine = this.spare;
      this.spare = this.older[magazine];
      return magazine;
    }
    if (this.made === this.sizes.length) this.grow();
    const magazine = this.made++;
    if (magazine >= 2 * this.cpus * classes) this.addresses[magazine] = this.tree.bytes(magazineBytes);
    return magazine;
  }

  /** Gives an empty magazine back (iova_magazine_free). */
  private freeMagazine(magazine: number): void {
    this.magazines--;
    this.older[magazine] = this.spare;
    this.spare = magazine;
  }

  private grow(): void {
    const capacity = this.sizes.length * 2;
    const grown = <T extends Int32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.pfns = grown(new Float64Array(capacity * slots), this.pfns);
    this.sizes = grown(new Int32Array(capacity), this.sizes);
    this.older = grown(new Int32Array(capacity), this.older);
    this.addresses = grown(new Float64Array(capacity), this.addresses);
  }

  private setOnline(cpu: number, online: boolean): boolean {
    if ((this.onlineCpus[cpu] === 1) === online) return false;
    this.onlineCpus[cpu] = online ? 1 : 0;
    this.onlineCount += online ? 1 : -1;
    return true;
  }
}

function checkMagazine(size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= slots) return size;
  throw new RangeError(`magazineSize is ${size}; a whole number from 1 to ${slots} is accepted.`);
}
