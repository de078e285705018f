/**
 * What the magazines and the pools share: neither looks up a length when a range is freed, as the tree of v4.3 does. The caller tells it,
 * and a {@link LiveRanges} beside the structure checks what was told.
 */
import type { Behaviour } from "../engine/index.js";
import {
  atOnce,
  type Cpu,
  type IovaAllocator,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
  runToEnd,
} from "./allocator.js";
import { LiveRanges } from "./live-ranges.js";

/** An allocator that is told the length of what is freed. */
export abstract class CheckedAllocator implements IovaAllocator {
  abstract readonly name: string;
  readonly findsOnUnmap = false;
  abstract readonly locks: readonly IovaLock[];
  readonly last: IovaOperation = operation();

  /**
   * @param standardLimit the limit of a request that names none
   * @param liveRanges what is handed out
   */
  constructor(
    private readonly standardLimit: number,
    protected readonly liveRanges: LiveRanges = new LiveRanges(),
  ) {}

  abstract alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour;
  abstract __free_iova(op: IovaOperation, cpu: Cpu): Behaviour;
  abstract reserve(lo: number, hi: number): void;
  /** What the allocator has done and holds. */
  abstract statistics(): IovaStatistics;

  /** Nothing is looked up: the caller's length says what is freed. */
  // biome-ignore lint/correctness/useYield: a tree's takes time, this one none
  *find_iova(op: IovaOperation, _cpu: Cpu): Behaviour {
    op.found = true;
    op.lo = op.pfn;
    op.hi = op.pfn + op.pages - 1;
  }

  allocate(pages: number, limit: number = this.standardLimit, cpu = 0): number {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.limit = limit;
    runToEnd(this.alloc_iova(op, atOnce));
    return op.pfn;
  }

  free(pfn: number, pages = 1, cpu = 0): boolean {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.pfn = pfn;
    runToEnd(this.__free_iova(op, atOnce));
    return op.found;
  }
}
