import type { IovaOperation } from "../iova/index.js";

/** An unmapped range that waits for its invalidation. */
export interface FlushEntry {
  /** The operation that unmapped it: what `__free_iova` needs to find the range again without a search. */
  operation: IovaOperation;
  pfn: number;
  pages: number;
  /** Table pages that the unmap collected. */
  tables: readonly number[];
}

/**
 * A deferred flush table: Linux v4.3's `struct deferred_flush_table` with `list_size` (one for all CPUs), or v4.9's, one a CPU.
 * Entries leave in the order in which they came.
 */
export class FlushQueue {
  readonly entries: FlushEntry[] = [];
  /** The next entry of a flush in progress. */
  cursor = 0;
  /** Bytes of one table: three arrays of pointers and a count. */
  static readonly bytes = 4096 * 2;

  /** @param base address of the table */
  constructor(readonly base: number) {}

  /** Addresses of the lines that appending or taking entry `i` touches: range, domain, page list. */
  lines(i: number): [number, number, number] {
    const slot = Math.min(i, 255) * 8;
    return [this.base + 64 + slot, this.base + 64 + 2048 + slot, this.base + 64 + 4096 + slot];
  }
}
