/**
 * When unmapped ranges are given back, for an allocator that replays a recording: at once, or by the flush queue that Linux had beside that
 * allocator, whose timer runs on the recording's own clock.
 */
import {
  DeferredQueue,
  type DeferredRange,
  delayTicks,
  FlushRings,
  firingTick,
  flushDelayMs,
  PerCpuDeferredQueues,
  ringSlots,
  ringTimeoutMs,
} from "../../iova/index.js";

/** Ticks a second of the kernel's timers. */
export const hz = 1000;
const never = Number.POSITIVE_INFINITY;

/** What a policy tells its owner. */
export interface FlushOwner {
  /** Gives a range back to the allocator. */
  free(pfn: number, pages: number, cpu: number): void;
  /** A flush is done at this time, by a full queue or by the timer: nothing that was unmapped before it is in the IOMMU's caches any more. */
  flushed(timeUs: number, byTimer: boolean): void;
}

/** One way of giving ranges back. */
export interface Flushing {
  /** The kernel's clock goes on to this time. */
  advance(timeUs: number): void;
  unmap(pfn: number, pages: number, cpu: number, timeUs: number): void;
}

/** Each unmap waits for its invalidation (strict). */
export class AtOnce implements Flushing {
  constructor(private readonly owner: FlushOwner) {}

  advance(): void {}

  unmap(pfn: number, pages: number, cpu: number, timeUs: number): void {
    this.owner.flushed(timeUs, false);
    this.owner.free(pfn, pages, cpu);
  }
}

/** Linux v4.3's one table: 250 entries, or 10 ms. */
export class OneTable implements Flushing {
  private readonly queue = new DeferredQueue(1, hz);

  constructor(private readonly owner: FlushOwner) {}

  advance(timeUs: number): void {
    const { timerUs } = this.queue;
    if (timeUs < timerUs) return;
    this.queue.timerFired();
    this.flush(timerUs, true);
  }

  unmap(pfn: number, pages: number, _cpu: number, timeUs: number): void {
    if (this.queue.full) this.flush(timeUs, false);
    this.queue.append(0, { domain: 0, pfn, pages }, timeUs);
  }

  private flush(timeUs: number, byTimer: boolean): void {
    if (this.queue.count === 0) return;
    this.owner.flushed(timeUs, byTimer);
    for (const { ranges } of this.queue.takeAll()) for (const { pfn, pages } of ranges) this.owner.free(pfn, pages, 0);
  }
}

/** A table for each CPU (v4.9): a full one flushes all, a timer its own. */
export class TablePerCpu implements Flushing {
  private readonly queues: PerCpuDeferredQueues;
  private tick = 0;

  constructor(
    private readonly owner: FlushOwner,
    cpus: number,
  ) {
    this.queues = new PerCpuDeferredQueues(cpus, hz);
  }

  advance(timeUs: number): void {
    const last = Math.floor((timeUs * hz) / 1e6);
    // No timer is further ahead than its delay.
    const upTo = Math.min(last, this.tick + delayTicks(flushDelayMs, hz) + 1);
    for (let tick = this.tick + 1; tick <= upTo; tick++) {
      const us = (tick * 1e6) / hz;
      for (let due = this.queues.takeDue(us); due !== undefined; due = this.queues.takeDue(us))
        if (due.ranges.length > 0) this.flush(due.ranges, due.cpu, us, true);
    }
    this.tick = last;
  }

  unmap(pfn: number, pages: number, cpu: number, timeUs: number): void {
    if (this.queues.isFull(cpu)) this.flush(this.queues.takeAll(), cpu, timeUs, false);
    this.queues.append(cpu, { domain: 0, pfn, pages }, timeUs);
  }

  private flush(ranges: readonly DeferredRange[], cpu: number, timeUs: number, byTimer: boolean): void {
    this.owner.flushed(timeUs, byTimer);
    for (const { pfn, pages } of ranges) this.owner.free(pfn, pages, cpu);
  }
}

/** A ring for each CPU (Linux since v4.14): a full one flushes the domain, a timer frees for all. */
export class RingPerCpu implements Flushing {
  private readonly rings: FlushRings;
  private ringTick = never;
  private ringCpu = 0;
  private tick = 0;

  constructor(
    private readonly owner: FlushOwner,
    cpus: number,
  ) {
    this.rings = new FlushRings(cpus, ringSlots.perCpu, false);
  }

  advance(timeUs: number): void {
    const tick = Math.floor((timeUs * hz) / 1e6);
    if (tick >= this.ringTick) this.timeout((this.ringTick * 1e6) / hz);
    this.tick = tick;
  }

  unmap(pfn: number, pages: number, cpu: number, timeUs: number): void {
    const { rings } = this;
    const ring = rings.ringOf(cpu);
    this.reclaim(ring, cpu);
    if (rings.isFull(ring)) {
      rings.flush();
      this.owner.flushed(timeUs, false);
      this.reclaim(ring, cpu);
    }
    rings.append(ring, pfn, pages);
    if (rings.armed) return;
    rings.armed = true;
    this.ringTick = firingTick(this.tick, delayTicks(ringTimeoutMs.perCpu, hz), true);
    this.ringCpu = cpu;
  }

  private timeout(timeUs: number): void {
    const { rings } = this;
    this.ringTick = never;
    rings.armed = false;
    rings.flush();
    this.owner.flushed(timeUs, true);
    for (let ring = 0; ring < rings.count; ring++) this.reclaim(ring, this.ringCpu);
  }

  private reclaim(ring: number, cpu: number): void {
    for (let entry = this.rings.takeCovered(ring); entry !== undefined; entry = this.rings.takeCovered(ring))
      this.owner.free(entry.pfn, entry.pages, cpu);
  }
}

/** The pools' lazy_flush: an address is free at once, and a search that starts over flushes before it is handed out again. */
export class OnWrap implements Flushing {
  constructor(private readonly owner: FlushOwner) {}

  advance(): void {}

  unmap(pfn: number, pages: number, cpu: number): void {
    this.owner.free(pfn, pages, cpu);
  }
}
