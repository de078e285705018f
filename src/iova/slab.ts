/**
 * The slab cache that nodes come from (Linux v4.3: iova_cache, alloc_iova_mem and free_iova_mem; records K7).
 *
 * Modelled on the SLAB allocator: each CPU keeps a stack of free objects, last in first out; an empty stack takes half a stack from the
 * shared list or else a fresh page of 64 objects; a full one gives half back. So a node that another CPU freed comes back cold, and
 * nodes made together are neighbours in memory. No lock is charged: refills are rare, and their list lock is the slab's own.
 *
 * Without a memory nobody can tell which free slot is taken: a plain replay keeps one stack for all CPUs.
 */
import { lineBytes, type Memory } from "./memory.js";

/** Objects a CPU's stack holds, and how many move at once: SLAB's own defaults for 64-byte objects. */
const stackLimit = 120;
const batch = 60;
const objectsPerPage = 4096 / lineBytes;
/** Bytes that a CPU's stack occupies: a line for its head and 120 pointers of 8 bytes. */
export const slabCpuBytes = 1024;

interface CpuStack {
  slots: Int32Array;
  depth: number;
}

/** Free object slots, numbered from 1; slot 0 is never handed out. */
export class Slab {
  private readonly stacks: CpuStack[] = [];
  private readonly shared: number[] = [];
  private nextFresh = 1;
  private readonly plain: number[] = [];

  /**
   * @param memory hears of the accesses to a CPU's stack, or null
   * @param base address of CPU 0's stack; CPU c's lies {@link slabCpuBytes} · c above
   */
  constructor(
    private readonly memory: Memory | null,
    private readonly base: number,
  ) {}

  /** A free slot for this CPU. */
  take(cpu: number): number {
    if (this.memory === null) return this.plain.length > 0 ? (this.plain.pop() as number) : this.nextFresh++;
    const stack = this.stacks[cpu] ?? this.newStack(cpu);
    if (stack.depth === 0) this.refill(stack);
    const slot = stack.slots[--stack.depth];
    this.touch(this.memory, cpu, stack.depth);
    return slot;
  }

  /** So many fresh slots side by side, for an object of another kind: they are never given back here. @returns the first */
  takeRun(slots: number): number {
    const first = this.nextFresh;
    this.nextFresh += slots;
    return first;
  }

  /** Gives a slot back on this CPU. */
  give(slot: number, cpu: number): void {
    if (this.memory === null) {
      this.plain.push(slot);
      return;
    }
    const stack = this.stacks[cpu] ?? this.newStack(cpu);
    if (stack.depth === stackLimit) this.spill(stack);
    this.touch(this.memory, cpu, stack.depth);
    stack.slots[stack.depth++] = slot;
  }

  private newStack(cpu: number): CpuStack {
    const stack = { slots: new Int32Array(stackLimit), depth: 0 };
    this.stacks[cpu] = stack;
    return stack;
  }

  /** The oldest half of a full stack goes to the shared list. */
  private spill(stack: CpuStack): void {
    this.shared.push(...stack.slots.subarray(0, batch));
    stack.slots.copyWithin(0, batch);
    stack.depth -= batch;
  }

  private refill(stack: CpuStack): void {
    if (this.shared.length > 0) {
      for (const slot of this.shared.splice(-batch)) stack.slots[stack.depth++] = slot;
      return;
    }
    // The lowest address on top, so that a fresh page is used in ascending order.
    for (let i = objectsPerPage - 1; i >= 0; i--) stack.slots[stack.depth++] = this.nextFresh + i;
    this.nextFresh += objectsPerPage;
  }

  private touch(memory: Memory, cpu: number, depth: number): void {
    const head = this.base + cpu * slabCpuBytes;
    memory.write(head);
    memory.write(head + lineBytes + depth * 8);
  }
}
