/**
 * What every IOVA allocator offers: the same three operations, each a program (a generator) that yields where it takes or gives back a lock.
 *
 * A caller that simulates time runs them in a process, with a {@link Cpu} that lets the lock events take time. The structure changes in the
 * lines that run while the lock is held, so interleavings of cores are real. A caller that only wants results uses `allocate`, `free` and
 * `reserve`, which run to the end at once.
 */
import { type Behaviour, ready, type Wait } from "../engine/index.js";
import type { Memory } from "./memory.js";
import { dma32Pfn, topPfn } from "./pfn.js";
import type { Depth } from "./range-tree.js";

/**
 * The CPU that runs an operation. Each method does something about time and returns what the operation has to yield for it.
 * Locks are named by their place in {@link IovaAllocator.locks}.
 */
export interface Cpu {
  /** Takes a lock, when the time that the accesses so far cost is over. */
  acquire(lock: number): Wait;
  /** Gives a lock back, when that time is over. */
  release(lock: number): Wait;
  /** Spends the time that the accesses so far cost. */
  settle(): Wait;
  /** The pools' lazy_flush: what is unmapped has to leave the IOMMU's caches before its addresses are handed out again. */
  lazyFlush?(): Behaviour;
}

/** A CPU for which nothing takes time: operations run to their end at once. */
export const atOnce: Cpu = { acquire: () => ready, release: () => ready, settle: () => ready };

/** A lock of an allocator. */
export interface IovaLock {
  /** The name in Linux, with an index where there are several. */
  name: string;
  /** Address of the lock's word; data that Linux keeps on the same line has addresses on the same line. */
  address: number;
}

/** One operation: its input, its result, and what a free needs of the find before it. Reusable. */
export interface IovaOperation {
  /** The CPU that runs it. */
  cpu: number;
  /** Length in pages, rounded as the caller's driver rounds (VT-d: to a power of two). */
  pages: number;
  /** Highest pfn that the request may use. */
  limit: number;
  /** allocate: the result, {@link noPfn} on failure. find and free: input. */
  pfn: number;
  /** find: the range that holds the pfn, as the allocator knows it. Meaningless where `found` is false. */
  lo: number;
  hi: number;
  /** find and free: whether something was mapped there. */
  found: boolean;
  /** allocate: nodes examined by the downward search. */
  visits: number;
  /** allocate: 1 where a per-CPU cache served it. */
  hit: number;
  /** allocate: flush callbacks made (pools). */
  flushes: number;
  /** allocate, Linux ≥ 4.15: whether a failure drains all caches and tries once more (`flush_rcache` of alloc_iova_fast). */
  mayDrain: boolean;
  /** The tree node that a find gave (Linux's struct iova), for the free that follows; 0 for none. */
  node: number;
}

/** A fresh operation record. */
export function operation(cpu = 0): IovaOperation {
  return {
    cpu,
    pages: 1,
    limit: dma32Pfn,
    pfn: 0,
    lo: 0,
    hi: 0,
    found: false,
    visits: 0,
    hit: 0,
    flushes: 0,
    mayDrain: true,
    node: 0,
  };
}

/** Totals of an allocator since it was made. */
export interface IovaStatistics {
  /** Requests, those that failed among them. */
  allocations: number;
  failures: number;
  frees: number;
  visits: number;
  maxVisits: number;
  /** Ranges handed out and not freed. */
  live: number;
  peakLive: number;
  /** Nodes of the tree; 0 where there is none. */
  nodes: number;
  peakNodes: number;
  depth: Depth;
  /** Merged tree: unmaps that cut a node in two, and maps that joined one to a neighbour. */
  splits: number;
  merges: number;
  /** Requests served by a per-CPU cache. */
  hits: number;
  /** Flush callbacks of the pools. */
  flushes: number;
}

/** Options that every allocator takes. */
export interface AllocatorOptions {
  /** Hears of every access to simulated memory; none means a plain replay. */
  memory?: Memory | null;
  /** Address of the allocator's first line. Its data lies above it; the nodes, which grow without bound, come last. */
  base?: number;
  /** Number of CPUs (default 8). */
  cpus?: number;
}

/** An IOVA allocator of one domain. */
export interface IovaAllocator {
  readonly name: string;
  /** Every lock that a step may name. */
  readonly locks: readonly IovaLock[];
  /** Whether unmap finds its range by a tree descent (v4.3) or is told the length (all others skip the find). */
  readonly findsOnUnmap: boolean;

  /** Allocates `op.pages` pages at or below `op.limit`; the result is `op.pfn`. */
  alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour;
  /** Looks up the range that holds `op.pfn`. */
  find_iova(op: IovaOperation, cpu: Cpu): Behaviour;
  /**
   * Removes a range: `op.pfn` and, where the allocator does not know it, `op.pages`.
   * After a find of the same record, with the same pfn, Linux v4.3's free needs no second descent.
   */
  __free_iova(op: IovaOperation, cpu: Cpu): Behaviour;

  /** Allocates at once. @returns the pfn, or {@link noPfn} */
  allocate(pages: number, limit?: number, cpu?: number): number;
  /** Frees at once. @returns whether something was mapped there; nothing changes where not */
  free(pfn: number, pages?: number, cpu?: number): boolean;
  /** Takes [lo, hi] out of the space, before any request. */
  reserve(lo: number, hi: number): void;
  /** Nodes that the last allocation examined, hits and flushes: for a replay. */
  readonly last: IovaOperation;
  /** What the allocator has done so far, and what it holds. */
  statistics(): IovaStatistics;
}

/** Throws unless [lo, hi] is a range. */
export function checkRange(lo: number, hi: number): void {
  if (!(Number.isInteger(lo) && Number.isInteger(hi) && lo >= 0 && lo <= hi && hi <= topPfn)) {
    throw new RangeError(
      `[${lo}, ${hi}] is no range of page frame numbers: the first is 0 or more and not above the second.`,
    );
  }
}

/** A broken promise of the caller that Linux answers with a BUG or with silent damage: here it stops with a sentence. */
export class IovaError extends Error {
  override name = "IovaError";
}

/** Runs an operation to its end, taking and releasing every lock at once. @param behaviour one that was begun with {@link atOnce} */
export function runToEnd(behaviour: Behaviour): void {
  while (!behaviour.next().done);
}
