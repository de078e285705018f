/**
 * Deferred unmap as Linux has it since v4.14 (drivers/iommu/dma-iommu.c, as read in 6.18: iova_fq, queue_iova, fq_ring_free): a ring for each CPU, or
 * one for the domain, whose entries wait until some flush has covered them.
 *
 * Two counters tell that without a list: flushes started and flushes finished. An entry remembers how many had started when it came; it is covered once
 * more than that many have finished. A full ring makes its own CPU flush; a timer, armed by the first entry after it fired, flushes for all.
 *
 * The rings only say what is due. Their locks, the invalidations, the clock, and the caches into which the ranges go are the caller's.
 */

/** Slots of a ring of a CPU's own, and of a single one (a ring is full with one fewer). */
export const ringSlots = { perCpu: 256, single: 32_768 } as const;
/** How long after the first entry the timer fires, in milliseconds. */
export const ringTimeoutMs = { perCpu: 10, single: 1000 } as const;

/** Entries of all rings together that there is memory for. */
const mostEntries = 1 << 24;

/** An unmapped range that waits for a flush. */
export interface RingEntry {
  pfn: number;
  pages: number;
}

/** The rings of one domain. */
export class FlushRings {
  /** Number of rings: one for each CPU, or one. */
  readonly count: number;
  /** Entries in all rings. */
  queued = 0;
  /** Flushes of the domain, started and finished (fq_flush_start_cnt, fq_flush_finish_cnt). */
  started = 0;
  finished = 0;
  /** Whether the timer is armed. */
  armed = false;
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  private readonly pfns: Float64Array;
  private readonly pages: Float64Array;
  private readonly counters: Float64Array;
  private readonly taken: RingEntry = { pfn: 0, pages: 0 };

  /**
   * @param cpus CPUs that there may be
   * @param slots slots of a ring, a power of two; one always stays free
   * @param single one ring for all CPUs (v6.7: for devices whose flushes are shadowed)
   */
  constructor(
    cpus: number,
    readonly slots: number,
    private readonly single = false,
  ) {
    if (!Number.isInteger(slots) || slots < 2 || (slots & (slots - 1)) !== 0 || slots > 1 << 24)
      throw new RangeError(`A flush queue has ${slots} slots; a power of two from 2 to ${1 << 24} is accepted.`);
    this.count = single ? 1 : cpus;
    if (this.count * slots > mostEntries)
      throw new RangeError(
        `${this.count} rings of ${slots} slots: at most ${mostEntries} entries in all are accepted.`,
      );
    this.heads = new Int32Array(this.count);
    this.tails = new Int32Array(this.count);
    this.pfns = new Float64Array(this.count * slots);
    this.pages = new Float64Array(this.count * slots);
    this.counters = new Float64Array(this.count * slots);
  }

  /** The ring that a CPU queues in. */
  ringOf(cpu: number): number {
    return this.single ? 0 : cpu;
  }

  /** Whether the next entry has to flush first (fq_full). */
  isFull(ring: number): boolean {
    return ((this.tails[ring] + 1) & (this.slots - 1)) === this.heads[ring];
  }

  /** Appends an unmapped range; the ring is not full. */
  append(ring: number, pfn: number, pages: number): void {
    const at = ring * this.slots + this.tails[ring];
    this.pfns[at] = pfn;
    this.pages[at] = pages;
    this.counters[at] = this.started;
    this.tails[ring] = (this.tails[ring] + 1) & (this.slots - 1);
    this.queued++;
  }

  /** Takes the oldest entry of a ring if a finished flush covers it. @returns a record that the next call overwrites, or undefined */
  takeCovered(ring: number): RingEntry | undefined {
    const head = this.heads[ring];
    const at = ring * this.slots + head;
    if (head === this.tails[ring] || this.counters[at] >= this.finished) return undefined;
    this.heads[ring] = (head + 1) & (this.slots - 1);
    this.queued--;
    this.taken.pfn = this.pfns[at];
    this.taken.pages = this.pages[at];
    return this.taken;
  }

  /** A flush of the whole domain, from its start to its end, at once. Where it takes time, the caller counts both itself. */
  flush(): void {
    this.started++;
    this.finished++;
  }
}
