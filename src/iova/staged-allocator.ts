/**
 * An allocator whose operations are written as stages, for one that replays long traces: what an operation is in the middle of stands in its
 * record, and {@link StagedAllocator.advance} runs it to the next lock event. In simulated time it is a program like every other.
 */
import type { Behaviour } from "../engine/index.js";
import { type Cpu, type IovaOperation, operation } from "./allocator.js";
import { CheckedAllocator } from "./checked-allocator.js";

/** The operation is complete. */
export const done = 0;

/** The stage of an operation that has nothing more to do. */
export const finishedStage = 99;

/** Step code: take this lock, then advance again. */
export function acquire(lock: number): number {
  return lock + 1;
}

/** Step code: release this lock, then advance again. */
export function release(lock: number): number {
  return -(lock + 1);
}

/** An operation and where it stands. */
export interface StagedOperation extends IovaOperation {
  kind: "allocate" | "find" | "free" | "trim" | "offline";
  stage: number;
  /** A second index, where a step needs one. */
  aux: number;
}

function stagedOperation(from: IovaOperation): StagedOperation {
  return { ...from, kind: "allocate", stage: 0, aux: 0 };
}

/** An allocator that is told the length of what is freed, in stages. */
export abstract class StagedAllocator extends CheckedAllocator {
  override readonly last: StagedOperation = stagedOperation(operation());

  /** Starts an allocation of `op.pages` pages at or below `op.limit`. */
  abstract beginAllocate(op: StagedOperation): void;
  /** Starts the removal of a range. */
  abstract beginFree(op: StagedOperation): void;
  /** Runs up to the next lock event: {@link done}, {@link acquire}(lock) or {@link release}(lock). */
  abstract advance(op: StagedOperation): number;

  *alloc_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    const staged = stagedOperation(op);
    this.beginAllocate(staged);
    yield* this.run(staged, cpu);
    op.pfn = staged.pfn;
    op.visits = staged.visits;
    op.hit = staged.hit;
    op.flushes = staged.flushes;
  }

  *__free_iova(op: IovaOperation, cpu: Cpu): Behaviour {
    const staged = stagedOperation(op);
    this.beginFree(staged);
    yield* this.run(staged, cpu);
    op.found = staged.found;
  }

  override free(pfn: number, pages = 1, cpu = 0): boolean {
    const op = this.last;
    op.cpu = cpu;
    op.pages = pages;
    op.pfn = pfn;
    this.beginFree(op);
    runStages(this, op);
    return op.found;
  }

  private *run(op: StagedOperation, cpu: Cpu): Behaviour {
    for (let step = this.advance(op); step !== done; step = this.advance(op))
      yield step > 0 ? cpu.acquire(step - 1) : cpu.release(-step - 1);
    yield cpu.settle();
  }
}

/** Runs an operation to its end, taking and releasing every lock at once. */
export function runStages(allocator: StagedAllocator, op: StagedOperation): void {
  while (allocator.advance(op) !== done);
}
