/**
 * Deferred unmap as the VT-d driver of Linux v4.3 does it (add_unmap, flush_unmaps; records K8–K11): unmapped ranges stay in their trees,
 * queued, until 250 are waiting over all IOMMUs or a timer of 10 ms fires; then everything is freed at once.
 *
 * The queue only says what is due and when. Its one lock (async_umap_flush_lock) and the invalidations are the caller's, as is the clock.
 */

/** Entries over all IOMMUs that force a flush (HIGH_WATER_MARK). */
export const highWaterMark = 250;
/** How long an entry may wait for the timer, in milliseconds. */
export const flushDelayMs = 10;

/** A range that waits for the flush. */
export interface DeferredRange {
  domain: number;
  pfn: number;
  pages: number;
}

/** The ranges that wait for the flush, a table for each IOMMU, and the timer. */
export class DeferredQueue {
  private readonly tables: DeferredRange[][];
  /** Ranges waiting, over all IOMMUs. */
  count = 0;
  /** When the timer fires, in microseconds; infinite where none is pending. */
  timerUs: number = Number.POSITIVE_INFINITY;
  /** Whether a timer is marked as running; a flush clears the mark without stopping the timer. */
  private timerMarked = false;

  /**
   * @param iommus number of IOMMUs; each has a table
   * @param hz ticks a second: the timer runs in ticks, rounded up
   */
  constructor(
    iommus = 1,
    private readonly hz = 1000,
  ) {
    this.tables = Array.from({ length: iommus }, () => []);
  }

  /** Whether the next append has to flush first: the 251st unmap pays. */
  get full(): boolean {
    return this.count >= highWaterMark;
  }

  /** Queues a range at time `nowUs`, and arms the timer if none is marked as running. */
  append(iommu: number, range: DeferredRange, nowUs: number): void {
    this.tables[iommu].push(range);
    this.count++;
    if (this.timerMarked) return;
    this.timerMarked = true;
    const tick = Math.floor((nowUs * this.hz) / 1e6);
    this.timerUs = ((tick + Math.ceil((flushDelayMs * this.hz) / 1000)) * 1e6) / this.hz;
  }

  /** Empties the queue: for each IOMMU that has entries, in order, its ranges first in, first out. */
  takeAll(): { iommu: number; ranges: DeferredRange[] }[] {
    this.timerMarked = false;
    this.count = 0;
    const result = this.tables.map((ranges, iommu) => ({ iommu, ranges })).filter(({ ranges }) => ranges.length > 0);
    this.tables.forEach((_, iommu) => {
      this.tables[iommu] = [];
    });
    return result;
  }

  /** The timer has fired: it is no longer pending. */
  timerFired(): void {
    this.timerUs = Number.POSITIVE_INFINITY;
  }
}

/**
 * The same in Linux v4.7 to v4.13 (run here as 4.9), with a queue, a count, a lock and a timer for each CPU: a CPU whose queue is full flushes those of all CPUs, a timer
 * only its own (struct deferred_flush_data; what is freed goes into the caches of the CPU that frees).
 */
export class PerCpuDeferredQueues {
  private readonly queues: DeferredQueue[];

  /** @param hz ticks a second */
  constructor(cpus: number, hz = 1000) {
    this.queues = Array.from({ length: cpus }, () => new DeferredQueue(1, hz));
  }

  /** Whether the CPU's next append has to flush first. */
  isFull(cpu: number): boolean {
    return this.queues[cpu].full;
  }

  /** Queues a range on a CPU. */
  append(cpu: number, range: DeferredRange, nowUs: number): void {
    this.queues[cpu].append(0, range, nowUs);
  }

  /** Empties the queues of all CPUs, CPU by CPU. */
  takeAll(): DeferredRange[] {
    return this.queues.flatMap((queue) => queue.takeAll().flatMap(({ ranges }) => ranges));
  }

  /** The next CPU whose timer is due, and what its queue had; undefined where none is. */
  takeDue(nowUs: number): { cpu: number; ranges: DeferredRange[] } | undefined {
    let cpu = -1;
    for (const [i, { timerUs }] of this.queues.entries())
      if (timerUs <= nowUs && (cpu < 0 || timerUs < this.queues[cpu].timerUs)) cpu = i;
    if (cpu < 0) return undefined;
    this.queues[cpu].timerFired();
    return { cpu, ranges: this.queues[cpu].takeAll().flatMap(({ ranges }) => ranges) };
  }
}
