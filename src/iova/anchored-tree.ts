/**
 * The tree of Linux ≥ 4.15 (drivers/iommu/iova.c, as read in 6.18): an anchor above every range, two remembered nodes, a size that is known
 * not to fit below 4 GiB, and a second pass over what the first one skipped.
 *
 * It is the part that runs under the domain's one lock; {@link Rcache6Allocator} puts the per-CPU caches before it.
 *
 * Data layout: {@link RangeTree}, with the anchor as its first and highest node; lock, root, remembered nodes and limits share the domain's line.
 */
import { checkRange, IovaError } from "./allocator.js";
import { lineBytes, type Memory } from "./memory.js";
import { dma32Pfn, noPfn, roundUpPages, topPfn } from "./pfn.js";
import { layout, RangeTree } from "./range-tree.js";
import { Slab, slabCpuBytes } from "./slab.js";

const { nil, LO, HI, PREV } = layout;
const failed = noPfn;
/** The first pfn above 4 GiB (dma_32bit_pfn). */
const d32 = dma32Pfn + 1;
/** The highest pfn that a 64-bit DMA mask reaches; a request without a limit has this one. */
const highest = 0xf_ffff_ffff_ffff;

/**
 * When a size that did not fit below 4 GiB is forgotten, so that requests of that size are searched for again: "never remembered" before v4.20;
 * "near" by a free at or above the remembered node (v4.20 to v5.17); "any" by any free below 4 GiB (v5.18).
 */
export type FailureMemory = "never remembered" | "near" | "any";

/** What differs between releases in the tree. */
export interface TreeRules {
  failureMemory: FailureMemory;
  /** Whether a failed search looks at what lies above the remembered node (v5.11). */
  secondPass: boolean;
}

/** Counts of what the tree did, in the terms of the fixtures. */
export interface TreeCounts {
  /** Acquisitions of the tree's lock. */
  locks: number;
  visits: number;
  /** Requests refused because of a remembered failure. */
  earlyFull: number;
  /** Second passes. */
  retries: number;
  /** Pointer moves to find the node at the limit for a second pass. */
  limitSteps: number;
  /** Nodes compared to find where a range goes. */
  insertSteps: number;
  /** Nodes removed. */
  removed: number;
}

/** Nodes that a search steps on one by one before it asks the index (test/bench/iova). */
const shortWalk = 8;

/** Rounds down to a multiple of a power of two. */
function alignDown(pfn: number, period: number): number {
  return pfn < 0x8000_0000 ? pfn & -period : Math.floor(pfn / period) * period;
}

/** The ordered set of ranges of a domain. Every method but `take` and `give` runs under the domain's lock. */
export class AnchoredTree {
  readonly tree: RangeTree;
  readonly counts: TreeCounts = {
    locks: 0,
    visits: 0,
    earlyFull: 0,
    retries: 0,
    limitSteps: 0,
    insertSteps: 0,
    removed: 0,
  };
  /** Size that is known not to fit below 4 GiB (max32_alloc_size). */
  max32: number = d32;
  /** Nodes that the last allocation stepped on. */
  visits = 0;
  private readonly anchor: number;
  /** cached32_node and cached_node: where the next search begins. */
  private c32: number;
  private c64: number;
  private readonly slab: Slab;
  private readonly forgets: FailureMemory;
  private readonly secondPass: boolean;
  /** Where a search ended: the node above the place that it found. */
  private upper: number = nil;

  /**
   * @param memory hears of every access, or null
   * @param domain address of the line of struct iova_domain
   * @param base address of the slab's stacks, then the nodes
   * @param startPfn the lowest pfn that is handed out
   * @param ranges how many ranges there may be at once, where it is known: more are possible
   */
  constructor(
    private readonly memory: Memory | null,
    private readonly domain: number,
    base: number,
    cpus: number,
    private readonly startPfn: number,
    rules: TreeRules,
    ranges = 0,
  ) {
    this.forgets = rules.failureMemory;
    this.secondPass = rules.secondPass;
    this.slab = new Slab(memory, base);
    this.tree = new RangeTree(null, base + cpus * slabCpuBytes, domain, dma32Pfn, Math.max(256, ranges + 2));
    this.anchor = this.tree.node(this.slab.take(0));
    this.tree.fill(this.anchor, topPfn, topPfn);
    this.tree.insert(this.anchor, nil, nil, nil);
    this.c32 = this.anchor;
    this.c64 = this.anchor;
  }

  /** Ranges in the tree; the anchor is not counted. */
  get nodes(): number {
    return this.tree.size - 1;
  }

  /** The most ranges there ever were. */
  get peakNodes(): number {
    return this.tree.peak - 1;
  }

  /** Depth of the ranges; the anchor has its place and is not counted. */
  depth(): ReturnType<RangeTree["depth"]> {
    return this.tree.depth(this.anchor);
  }

  /** The ranges from low to high, without the anchor. */
  ranges(): [number, number][] {
    return this.tree.ranges().slice(0, -1);
  }

  /** Address of so many bytes that lie between the nodes made so far and those to come: where the kernel's slabs put another object. */
  bytes(bytes: number): number {
    return this.memory === null ? 0 : this.tree.address(this.tree.node(this.slab.takeRun(bytes / lineBytes)));
  }

  // allocate

  /** A node for a range (alloc_iova_mem), before the lock is taken. */
  take(cpu: number): number {
    return this.tree.node(this.slab.take(cpu));
  }

  /** Gives a node back (free_iova_mem), after the lock. */
  give(node: number, cpu: number): void {
    this.slab.give(this.tree.slot(node), cpu);
  }

  /**
   * __alloc_and_insert_iova_range.
   * @param node a fresh node, used only on success
   * @param limit the highest pfn allowed
   * @returns the pfn, or {@link noPfn}
   */
  allocate(node: number, size: number, limit: number): number {
    const { counts } = this;
    this.visits = 0;
    counts.locks++;
    this.listen();
    if (this.memory !== null) this.memory.read(this.domain);
    const top = (limit > highest ? highest : limit) + 1;
    const low = top <= d32;
    if (low && size >= this.max32) {
      counts.earlyFull++;
      return failed;
    }
    const period = roundUpPages(size);
    const start = low ? this.c32 : this.c64;
    let pfn = this.search(start, top, this.startPfn, size, period);
    if (pfn === failed && this.secondPass) {
      const above = this.tree.hi(start);
      if (above < top) {
        counts.retries++;
        const from = top > d32 ? this.anchor : this.findLimit(top);
        pfn = this.search(from, top, above + 1, size, period);
      }
    }
    counts.visits += this.visits;
    if (pfn === failed) {
      // Also where the limit that failed lies above 4 GiB.
      if (this.forgets !== "never remembered") this.max32 = size;
      this.charge();
      return failed;
    }
    this.insert(node, pfn, pfn + size - 1);
    return pfn;
  }

  /**
   * Down from the node `start` until a gap holds the range or nothing is left at or above `floor`. The node above the place is left in `upper`.
   * Hot path: without a memory the neighbours are read from the links (test/bench/iova).
   */
  private search(start: number, limit: number, floor: number, size: number, period: number): number {
    const { tree } = this;
    const { doubles, words } = tree;
    const charged = tree.memory !== null;
    if (charged) tree.read(start);
    let node = start;
    let top = limit;
    let pfn: number;
    let visits = 0;
    for (;;) {
      const lo = doubles[(node >> 1) + LO];
      if (lo < top) top = lo;
      pfn = alignDown(top - size, period);
      this.upper = node;
      node = charged ? tree.below(node) : words[node + PREV];
      if (node === nil) break;
      visits++;
      if (pfn > doubles[(node >> 1) + HI] || pfn < floor) break;
      if (visits === shortWalk && !charged && doubles[(node >> 1) + LO] <= d32)
        return this.searchIndex(node, limit, floor, size, period, visits);
    }
    this.visits += visits;
    return pfn >= floor ? pfn : failed;
  }

  /** The rest of a long search, answered by the index of pages: the same place, and as many nodes stepped on. */
  private searchIndex(
    from: number,
    limit: number,
    floor: number,
    size: number,
    period: number,
    visits: number,
  ): number {
    const { tree } = this;
    const { index } = tree;
    const lo = tree.lo(from);
    const top = limit < lo ? limit : lo;
    const pfn = top < size ? failed : index.placeBelow(size, period, top - 1, floor);
    let upper = from;
    if (pfn >= 0) {
      const used = index.usedAbove(pfn + size - 1, lo - 1);
      if (used < lo) upper = index.startingAt(used);
    } else if (alignDown(top - size, period) >= floor) {
      // It ends at the first node below which nothing at or above the floor can fit.
      const reach = alignDown(floor + period - 1, period) + size;
      upper = index.startBelow((reach < lo ? reach : lo) - 1, nil);
    }
    const lower = tree.lowerLink(upper);
    if (lo > 0) visits += index.countStarts(lower === nil ? 0 : tree.lo(lower), lo - 1);
    this.visits += visits;
    this.upper = upper;
    return pfn >= 0 ? pfn : failed;
  }

  /**
   * iova_find_limit: where a second pass below 4 GiB begins. The lowest node at or above `limit`, or, if only that one lay on the way down, the
   * one that the limit cuts.
   */
  private findLimit(limit: number): number {
    const { tree } = this;
    let steps = 0;
    const move = (node: number): number => {
      tree.read(node);
      steps++;
      return node;
    };
    let found = tree.root;
    tree.read(found);
    while (tree.hi(found) < limit) found = move(tree.rightOf(found));
    for (let next = tree.leftOf(found); next !== nil; next = tree.leftOf(found)) {
      if (tree.lo(next) >= limit) {
        found = move(next);
        continue;
      }
      // The left child lies below the limit: to the right of it there may be one that does not.
      move(next);
      do {
        next = tree.rightOf(next);
        if (next !== nil) move(next);
      } while (next !== nil && tree.lo(next) < limit);
      if (next === nil) break;
      found = next;
    }
    this.counts.limitSteps += steps;
    return found;
  }

  private insert(node: number, lo: number, hi: number): void {
    const { tree } = this;
    const upper = this.upper;
    this.counts.insertSteps += tree.comparedToInsert(lo, upper);
    tree.fill(node, lo, hi);
    tree.insert(node, tree.lowerLink(upper), upper, upper);
    // __cached_rbnode_insert_update: the address decides, not the limit.
    if (hi < d32) this.c32 = node;
    else this.c64 = node;
    this.charge();
  }

  // free

  /**
   * Finds the range that holds the pfn and takes it out (find_iova and remove_iova under one lock, which the caller counts).
   * @returns its node, to be given back; nil where nothing is there
   */
  remove(pfn: number): number {
    const { tree } = this;
    this.listen();
    const node = tree.findCounting(pfn);
    if (node === nil || node === this.anchor) return nil;
    this.forget(node);
    tree.erase(node);
    this.counts.removed++;
    return node;
  }

  /** __cached_rbnode_delete_update: no remembered node is the freed one or lies below it. */
  private forget(freed: number): void {
    const { tree, c32, c64 } = this;
    const lo = tree.lo(freed);
    tree.read(c32);
    const near = freed === c32 || (tree.hi(freed) < d32 && lo >= tree.lo(c32));
    if (near) this.c32 = tree.above(freed);
    if (this.forgets === "any" ? lo < d32 : near) this.max32 = d32;
    tree.read(c64);
    if (lo >= tree.lo(c64)) this.c64 = tree.above(freed);
    this.charge();
  }

  // reserve

  /** reserve_iova: an overlapping node is extended downwards; what remains becomes a node. Nothing that is remembered changes. */
  reserve(lo: number, hi: number): void {
    checkRange(lo, hi);
    if (hi > highest)
      throw new IovaError(`The range [${lo}, ${hi}] reaches above 2^52 - 1, the highest page of a 64-bit address.`);
    const { tree } = this;
    this.counts.locks++;
    this.listen();
    const from = tree.reserveOver(lo, hi, this.anchor);
    if (from > hi) return;
    let node = tree.first;
    while (tree.lo(node) < from) node = tree.upperLink(node);
    const fresh = this.take(0);
    this.counts.insertSteps += tree.comparedToInsert(from, nil);
    tree.fill(fresh, from, hi);
    tree.insert(fresh, tree.lowerLink(node), node, nil);
  }

  /** Checks the tree and what is remembered. @throws Error naming what is broken */
  check(): void {
    this.tree.check();
    if (!this.tree.has(this.c32) || !this.tree.has(this.c64)) throw new Error("a remembered node is in no tree");
    if (this.tree.last !== this.anchor) throw new Error("the anchor is not the highest node");
  }

  private charge(): void {
    if (this.memory !== null) this.memory.write(this.domain);
  }

  /** Lets the tree report its accesses, unless nothing is charged now. */
  private listen(): void {
    const { memory } = this;
    this.tree.memory = memory?.enabled ? memory : null;
  }
}
