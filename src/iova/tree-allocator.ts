/**
 * What the two tree allocators share: the domain, its reserved ranges, the remembered node, the downward search and the three operations
 * with their one lock (Linux v4.3, drivers/iommu/iova.c; records K1–K7).
 */
import type { Behaviour } from "../engine/index.js";
import {
  type AllocatorOptions,
  type Cpu,
  type IovaAllocator,
  IovaError,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
} from "./allocator.js";
import { lineBytes, type Memory } from "./memory.js";
import { checkPages, dma32Pfn, noPfn, roundUpPages, topPfn } from "./pfn.js";
import { layout, RangeTree } from "./range-tree.js";
import { Slab, slabCpuBytes } from "./slab.js";

const { nil, LO, HI, PREV } = layout;
const failed = noPfn;
const top = topPfn;

/** Options of a tree. */
export interface TreeOptions extends AllocatorOptions {
  /** Never handed out, as is everything below it (default 1, VT-d's IOVA_START_PFN). */
  startPfn?: number;
  /** The limit for which the last node is remembered (default 0xfffff). */
  dma32?: number;
  /** Align each range to its size, rounded up to a power of two (default true, as VT-d asks). */
  aligned?: boolean;
  /**
   * An ablation: this part runs as always and touches no simulated memory. "find" is the descent of an unmap's lookup, "walk" the
   * nodes that an allocation's search examines, "change" what inserting, erasing, merging and cutting touch.
   */
  uncharged?: Uncharged;
}

/** A part of the tree's work that an ablation leaves out of the charge. */
export type Uncharged = "none" | "find" | "walk" | "change" | "all but walk" | "all";

/** Where the search ended: the two nodes between which the new range lies, and its lowest page. */
export interface Gap {
  /** {@link noPfn} where nothing fits. */
  lo: number;
  lower: number;
  upper: number;
  /** The node from which Linux starts to look for the place of the new one. */
  start: number;
  /** Nodes examined. */
  visits: number;
}

/** Pages between the highest place of a range below the limit and the limit, so that it is aligned: (limit + 1 − size) mod period. */
function paddingOf(size: number, period: number, limit: number): number {
  const above = limit + 1 - size;
  return above - Math.floor(above / period) * period; // exact: the period is a power of two
}

/** The one lock, of the domain. */
const iova_rbtree_lock = 0;

export abstract class TreeAllocator implements IovaAllocator {
  abstract readonly name: string;
  readonly findsOnUnmap = true;
  readonly locks: readonly IovaLock[];
  readonly tree: RangeTree;
  readonly last: IovaOperation = operation();
  /** The remembered node (cached32_node), or nil. */
  protected remembered = nil;
  protected readonly memory: Memory | null;
  protected readonly slab: Slab;
  /** The line of struct iova_domain: lock, root, remembered node and limits, 48 bytes together. */
  protected readonly domain: number;
  protected readonly startPfn: number;
  protected readonly dma32: number;
  protected readonly aligned: boolean;
  /** Whether the ablation leaves a part out of the charge. */
  private readonly freeFind: boolean;
  private readonly freeWalk: boolean;
  private readonly freeChange: boolean;
  protected readonly gap: Gap = { lo: failed, lower: nil, upper: nil, start: nil, visits: 0 };
  /** Records that the last step under the lock has left over, or nil: they go back to the slab after the lock. */
  protected spare = nil;
  protected absorbed = nil;
  protected splits = 0;
  protected merges = 0;
  private allocations = 0;
  private failures = 0;
  private frees = 0;
  private visits = 0;
  private maxVisits = 0;
  private live = 0;
  private peakLive = 0;

  constructor(options: TreeOptions = {}) {
    const base = options.base ?? 0;
    const cpus = options.cpus ?? 8;
    this.memory = options.memory ?? null;
    this.domain = base;
    this.startPfn = options.startPfn ?? 1;
    this.dma32 = options.dma32 ?? dma32Pfn;
    this.aligned = options.aligned ?? true;
    const uncharged = options.uncharged ?? "none";
    const others = uncharged === "all" || uncharged === "all but walk";
    this.freeFind = others || uncharged === "find";
    this.freeWalk = uncharged === "all" || uncharged === "walk";
    this.freeChange = others || uncharged === "change";
    this.locks = [{ name: "iova_rbtree_lock", address: base }];
    this.slab = new Slab(this.memory, base + lineBytes);
    this.tree = new RangeTree(
      this.memory,
      base + lineBytes + cpus * slabCpuBytes,
      base,
      Math.min(this.dma32, dma32Pfn),
    );
  }

  *alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    checkPages(op.pages);
    const fresh = this.tree.node(this.slab.take(op.cpu)); // alloc_iova_mem
    yield cpu.acquire(iova_rbtree_lock);
    this.__alloc_and_insert_iova_range(fresh, op.pages, op.limit);
    this.answer(op);
    const { spare, absorbed } = this;
    yield cpu.release(iova_rbtree_lock);
    if (spare === nil && absorbed === nil) return;
    this.free_iova_mem(spare, absorbed, op.cpu);
    yield cpu.settle();
  }

  /** Any pfn inside a range finds it. The node is remembered for the free. */
  *find_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    yield cpu.acquire(iova_rbtree_lock);
    this.findLocked(op);
    yield cpu.release(iova_rbtree_lock);
  }

  *__free_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    const known = op.node;
    op.node = nil; // also where the removal throws
    yield cpu.acquire(iova_rbtree_lock);
    op.found = this.private_free_iova(op.pfn, op.pages, op.cpu, known);
    const { spare, absorbed } = this;
    yield cpu.release(iova_rbtree_lock);
    if (spare === nil && absorbed === nil) return;
    this.free_iova_mem(spare, absorbed, op.cpu);
    yield cpu.settle();
  }

  // Hot path of a replay: plain numbers instead of an operation record (test/bench/iova).
  allocate(pages: number, limit: number = dma32Pfn, cpu = 0): number {
    checkPages(pages);
    this.__alloc_and_insert_iova_range(this.tree.node(this.slab.take(cpu)), pages, limit);
    this.answer(this.last);
    this.free_iova_mem(this.spare, this.absorbed, cpu);
    return this.gap.lo;
  }

  free(pfn: number, pages = 1, cpu = 0): boolean {
    const found = this.private_free_iova(pfn, pages, cpu, nil);
    this.free_iova_mem(this.spare, this.absorbed, cpu);
    return found;
  }

  abstract reserve(lo: number, hi: number): void;

  /** What the tree has done and holds. */
  statistics(): IovaStatistics {
    return {
      allocations: this.allocations,
      failures: this.failures,
      frees: this.frees,
      visits: this.visits,
      maxVisits: this.maxVisits,
      live: this.live,
      peakLive: this.peakLive,
      nodes: this.tree.size,
      peakNodes: this.tree.peak,
      depth: this.tree.depth(),
      splits: this.splits,
      merges: this.merges,
      hits: 0,
      flushes: 0,
    };
  }

  /**
   * Puts the range [lo, hi] into the found gap.
   * @param node a fresh record; where it is not used, it is left in `spare`, and a record that is no longer used in `absorbed`
   * @returns the node that now holds the range
   */
  protected abstract place(node: number, lo: number, hi: number): number;

  /**
   * Takes a range out of the tree; leaves its record, if it is no longer used, in `spare`.
   * @param known the node that a find gave, or nil
   * @returns whether something was mapped there
   */
  protected abstract remove(pfn: number, pages: number, cpu: number, known: number): boolean;

  /** Remembers `node` if it lies strictly below the 32-bit limit, else nothing (the tail of __cached_rbnode_delete_update). */
  protected rememberIfLow(node: number): void {
    this.remembered = nil;
    if (node !== nil) {
      this.tree.read(node);
      if (this.tree.lo(node) < this.dma32) this.remembered = node;
    }
    if (this.memory !== null) this.memory.write(this.domain);
  }

  /** Inserts [lo, hi] where nothing lies (__insert_new_range), in a node of CPU 0's. */
  protected insertReserved(lo: number, hi: number): void {
    const tree = this.tree;
    let upper = tree.first;
    while (upper !== nil && tree.lo(upper) <= hi) upper = tree.upperLink(upper);
    const lower = upper === nil ? tree.last : tree.lowerLink(upper);
    const node = tree.node(this.slab.take(0));
    tree.fill(node, lo, hi);
    tree.insert(node, lower, upper, nil);
  }

  private free_iova_mem(spare: number, absorbed: number, cpu: number): void {
    if (spare !== nil) this.slab.give(this.tree.slot(spare), cpu);
    if (absorbed !== nil) this.slab.give(this.tree.slot(absorbed), cpu);
  }

  /** What the last allocation found, as an operation tells it. */
  private answer(op: IovaOperation): void {
    op.pfn = this.gap.lo;
    op.visits = this.gap.visits;
    op.hit = 0;
    op.flushes = 0;
  }

  /** The search and the insertion, under the lock; the answer is in `gap`. */
  private __alloc_and_insert_iova_range(fresh: number, pages: number, limit: number): void {
    const { gap, tree } = this;
    const memory = this.listen();
    this.search(pages, limit);
    this.allocations++;
    this.visits += gap.visits;
    if (gap.visits > this.maxVisits) this.maxVisits = gap.visits;
    this.spare = fresh;
    this.absorbed = nil;
    const lo = gap.lo;
    if (lo === failed) {
      this.failures++;
      return;
    }
    if (this.freeChange) tree.memory = null;
    const node = this.place(fresh, lo, lo + pages - 1);
    tree.memory = memory;
    // __cached_rbnode_insert_update: only for the limit that is remembered.
    if (limit === this.dma32) {
      this.remembered = node;
      if (memory !== null) memory.write(this.domain);
    }
    if (++this.live > this.peakLive) this.peakLive = this.live;
  }

  /** find_iova: any pfn inside a range finds it. */
  private findLocked(op: IovaOperation): void {
    this.listen();
    if (this.freeFind) this.tree.memory = null;
    const node = this.tree.find(op.pfn);
    op.node = node;
    op.found = node !== nil;
    if (op.found) {
      op.lo = this.tree.lo(node);
      op.hi = this.tree.hi(node);
    }
  }

  /** Lets the tree report its accesses, unless nothing is charged now: then it takes the short ways of a plain replay. */
  protected listen(): Memory | null {
    const { memory } = this;
    const listening = memory?.enabled ? memory : null;
    this.tree.memory = listening;
    return listening;
  }

  /** The removal, under the lock. */
  private private_free_iova(pfn: number, pages: number, cpu: number, known: number): boolean {
    this.spare = nil;
    this.absorbed = nil;
    this.listen();
    if (this.freeChange) this.tree.memory = null;
    const found = this.remove(pfn, pages, cpu, known);
    if (found) {
      this.frees++;
      this.live--;
    }
    return found;
  }

  /**
   * The downward first-fit search (SEMANTICS of v4.3: top-down, no second pass); its answer is in `gap`. What Linux touches on its way is
   * charged after it. It walks the tree only until there is a node just above it and it lies in the index; from there the index tells the first
   * gap that fits, and how many nodes lie before it.
   */
  private search(size: number, highest: number): void {
    const { gap, tree } = this;
    const period = this.aligned ? roundUpPages(size) : 1;
    const remembered = highest === this.dma32 ? this.remembered : nil;
    const first = tree.lowerLink(remembered);
    let limit = remembered === nil ? highest : tree.lo(remembered) - 1;
    let upper = remembered;
    let node = first;
    let visits = 0;
    if (remembered === nil || limit > tree.index.top) {
      this.walk(size, period, limit, first);
      ({ visits, lower: node, upper } = gap);
      limit = gap.lo;
    }
    if (upper !== nil && node !== nil) {
      const free = this.firstFit(size, period, limit);
      if (free < limit) upper = tree.index.startingAt(free + 1);
      node = tree.lowerLink(upper);
      if (free < limit) visits += tree.index.countStarts(node === nil ? 0 : tree.lo(node), limit);
      else visits++;
      limit = free;
    }
    const steps = node === nil ? visits : visits - 1;
    if (tree.memory !== null) this.chargeSearch(tree.memory, remembered, steps);
    gap.visits = visits;
    gap.start = steps > 0 ? tree.upperLink(node) : first;
    let padding = paddingOf(size, period, limit);
    if (node === nil) {
      // Below pfn 0 an unsigned limit wraps to the top (a reservation that starts at 0 brings it there).
      const wraps = limit < 0;
      if (wraps) {
        limit = top;
        padding = paddingOf(size, period, limit);
      }
      if (this.startPfn + size + padding > limit) {
        gap.lo = failed;
        return;
      }
      if (wraps) {
        // The range lies above every node. Linux links it beside the lowest, out of order; here the tree stays in order.
        if (tree.hi(tree.last) > limit - size - padding) this.overTheTop(size, top);
        node = tree.last;
      }
    }
    gap.lo = limit - size - padding + 1;
    gap.lower = node;
    gap.upper = tree.upperLink(node);
  }

  /**
   * Walks down from a node, as Linux does, until a gap fits, the nodes are exhausted, or the index can go on. In `gap`: the nodes examined,
   * the working limit (as `lo`), the node where the walk ended (`lower`), and (as `upper`) the node just above the limit, or nil where a
   * gap was found.
   */
  private walk(size: number, period: number, highest: number, first: number): void {
    const { gap, tree } = this;
    const { doubles, words } = tree;
    const atTheTop = tree.hi(tree.last) + size + period > top;
    let limit = highest;
    let node = first;
    let visits = 0;
    let upper = nil;
    for (; node !== nil; node = words[node + PREV]) {
      if (upper !== nil && limit <= tree.index.top) break;
      visits++;
      const lo = doubles[(node >> 1) + LO];
      if (limit < lo) continue;
      const hi = doubles[(node >> 1) + HI];
      // Most gaps are too small whatever the padding, so it is worked out only for the others and where the sum may pass the top.
      if (hi + size <= limit || (atTheTop && hi <= limit)) {
        const needed = hi + size + paddingOf(size, period, limit);
        if (needed <= limit) {
          upper = nil;
          break;
        }
        if (needed > top) this.overTheTop(size, hi);
      }
      limit = lo - 1;
      upper = node;
    }
    gap.visits = visits;
    gap.lo = limit;
    gap.lower = node;
    gap.upper = upper;
  }

  /** The highest free page at or below the limit from which the request fits downwards; where none does, the page below the lowest node. */
  private firstFit(size: number, period: number, limit: number): number {
    const { index } = this.tree;
    if (size === 1) return index.freeBelow(limit);
    if (size <= 32 && size === period && index.hasBlocks) {
      const lo = index.blockBelow(size, limit);
      return lo < 0 ? this.tree.lo(this.tree.first) - 1 : index.usedAbove(lo + size - 1, limit) - 1;
    }
    let free = index.freeBelow(limit);
    while (free + 1 >= size) {
      const used = index.usedBelow(free, (free + 1 - size) & -period);
      if (used < 0) return free;
      free = index.freeBelow(used);
    }
    return this.tree.lo(this.tree.first) - 1;
  }

  /** Charges a search: the domain, then the remembered node (if it began there) or the way to the highest, then each step down. */
  private chargeSearch(memory: Memory, remembered: number, steps: number): void {
    const tree = this.tree;
    memory.read(this.domain);
    if (this.freeWalk) return;
    tree.read(remembered);
    let node = remembered === nil ? tree.highest() : tree.below(remembered);
    for (let i = 0; i < steps; i++) node = tree.below(node);
  }

  /** Unsigned 64-bit addition wrapped in Linux's test of a gap: it would hand out pages that are in use. */
  private overTheTop(pages: number, hi: number): never {
    throw new IovaError(
      `A request for ${pages} pages without a limit meets a range that ends at the top of the 64-bit space (${hi === top ? "its last page" : "just below it"}). ` +
        "Linux v4.3 adds past 2^64 there and hands out pages in use; give the request a limit.",
    );
  }
}
