/**
 * Where an allocator's data lies in simulated memory, and who hears of its accesses.
 *
 * An allocator calls `read` or `write` once for every line-sized object that it looks at or changes, in the order in which Linux would. The
 * machine model charges the core that is running; a plain replay attaches nothing and pays nothing.
 */

/** Hears of every access to simulated memory. Addresses are bytes; an access never straddles a 64-byte line. */
export interface Memory {
  /** False while nothing is charged (the machine is being set up): who would only report accesses may leave it. */
  readonly enabled: boolean;
  /** A read at this address. */
  read(address: number): void;
  /** A write at this address. */
  write(address: number): void;
}

/** Size of a cache line, and of every node: struct iova is 40 bytes in a slab cache aligned to lines (record K7). */
export const lineBytes = 64;

/** Counts accesses and distinct lines: the statistic "lines touched". */
export class LineCounter implements Memory {
  readonly enabled = true;
  reads = 0;
  writes = 0;
  private readonly seen = new Set<number>();

  /** A read at this address. */
  read(address: number): void {
    this.reads++;
    this.seen.add(Math.floor(address / lineBytes));
  }

  /** A write at this address. */
  write(address: number): void {
    this.writes++;
    this.seen.add(Math.floor(address / lineBytes));
  }

  /** Distinct lines since the last reset. */
  get lines(): number {
    return this.seen.size;
  }

  /** Forgets the lines, not the totals: call it before each operation to count lines an operation. */
  reset(): void {
    this.seen.clear();
  }
}
