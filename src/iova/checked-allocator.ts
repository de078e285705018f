/**
 * What the magazines and the pools share: neither looks up a length when a range is freed, as the tree of v4.3 does. The caller tells it,
 * and a {@link LiveRanges} beside the structure checks what was told.
 */
import {
  type IovaAllocator,
  type IovaLock,
  type IovaOperation,
  type IovaStatistics,
  operation,
  runToEnd,
} from "./allocator.js";
import { LiveRanges } from "./live-ranges.js";

/** The stage of an operation that has nothing more to do. */
export const finishedStage = 99;

/** An allocator that is told the length of what is freed. */
export abstract class CheckedAllocator implements IovaAllocator {
  abstract readonly name: string;
  readonly findsOnUnmap = false;
  abstract readonly locks: readonly IovaLock[];
  readonly last: IovaOperation = operation();
  protected readonly liveRanges = new LiveRanges();

  /** @param standardLimit the limit of a request that names none */
  constructor(private readonly standardLimit: number) {}

  abstract beginAllocate(op: IovaOperation): void;
  abstract beginFree(op: IovaOperation): void;
  abstract advance(op: IovaOperation): number;
  abstract reserve(lo: number, hi: number): void;
  /** What the allocator has done and holds. */
  abstract statistics(): IovaStatistics;

  /** Nothing is looked up: the caller's length says what is freed. */
  beginFind(op: IovaOperation): void {
    op.kind = "find";
    op.found = true;
    op.lo = op.pfn;
    op.hi = op.pfn + op.pages - 1;
    op.stage = finishedStage;
  }

  allocate(pages: number, limit: number = this.standardLimit, cpu = 0): number {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.limit = limit;
    this.beginAllocate(op);
    runToEnd(this, op);
    return op.pfn;
  }

  free(pfn: number, pages = 1, cpu = 0): boolean {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.pfn = pfn;
    this.beginFree(op);
    runToEnd(this, op);
    return op.found;
  }
}
