import type { Invalidation } from "../iommu/index.js";
import { PageTableError } from "../pagetables/index.js";

/** What became of unmapped translations. Times in the simulation's cycles. */
export interface StaleReport {
  /** Pages that stayed reachable through the IOTLB after their unmap had returned. */
  pages: number;
  /** Mean and longest time from the unmap's return to the invalidation, in cycles. */
  meanWindow: number;
  maxWindow: number;
  /** Stale pages at a time: time average and maximum. */
  meanLive: number;
  maxLive: number;
  /** Pages mapped anew while an old translation of the same address could still be cached. */
  reusedWhileStale: number;
}

/** Hears of each translation that outlives its unmap. */
export interface StaleListener {
  /** An unmap has returned and a translation of this page is still cached. */
  began(page: number, now: number): void;
  /** It is flushed, or its address maps something new. */
  ended(page: number, now: number): void;
}

const NONE = 0;
const LIVE = 1;
/** The entry is cleared, the unmap has not returned yet. */
const CLEARED = 2;
/** The unmap has returned, and no invalidation has reached the page. */
const STALE = 3;

/**
 * Watches every translation from map to invalidation, as an IOTLB would see it that has read every live entry and forgets only what it is
 * told to: the worst case that the software must be safe against.
 *
 * Addresses below 4 GiB lie in typed arrays; the few above it in a map.
 */
export class TranslationWatch {
  private readonly state = new Uint8Array(1 << 20);
  /** Since when a page is stale; from the top of the 4 GiB downwards, as far as one ever was. */
  private since = new Float64Array(1 << 12);
  private readonly highState = new Map<number, number>();
  private readonly highSince = new Map<number, number>();
  /** Pages that are cleared or stale; may name a page twice. */
  private pending: number[] = [];
  /** How many of them there may be before those that are neither any more are left out. */
  private tidyAt = 4096;
  /** Told of stale translations one by one, where somebody wants to know. */
  listener: StaleListener | undefined;
  private stale = 0;
  private maxStale = 0;
  private staleArea = 0;
  private areaSince = 0;
  private areaStart = 0;
  private windows = 0;
  private windowSum = 0;
  private windowMax = 0;
  private reused = 0;

  private get(pfn: number): number {
    return pfn < 1 << 20 ? this.state[pfn] : (this.highState.get(pfn) ?? NONE);
  }

  private set(pfn: number, state: number): void {
    if (pfn < 1 << 20) this.state[pfn] = state;
    else if (state === NONE) this.highState.delete(pfn);
    else this.highState.set(pfn, state);
  }

  private count(change: number, now: number): void {
    this.staleArea += this.stale * (now - this.areaSince);
    this.areaSince = now;
    this.stale += change;
    if (this.stale > this.maxStale) this.maxStale = this.stale;
  }

  /** A map has written its entries. @throws PageTableError when one of the pages is live already */
  mapped(pfn: number, pages: number, now: number): void {
    for (let page = pfn; page < pfn + pages; page++) {
      const state = this.get(page);
      if (state === LIVE) throw new PageTableError(`IOVA page 0x${page.toString(16)} was handed out twice`);
      if (state !== NONE) {
        this.reused++;
        if (state === STALE) {
          this.count(-1, now);
          this.listener?.ended(page, now);
        }
      }
      this.set(page, LIVE);
    }
  }

  /** An unmap has cleared its entries and has not returned yet. */
  cleared(pfn: number, pages: number): void {
    for (let page = pfn; page < pfn + pages; page++) {
      if (this.get(page) !== LIVE) continue;
      this.set(page, CLEARED);
      this.pending.push(page);
    }
  }

  /** The unmap returns: what no invalidation has reached is stale from now on. @returns how many pages */
  returned(pfn: number, pages: number, now: number): number {
    let left = 0;
    for (let page = pfn; page < pfn + pages; page++) {
      if (this.get(page) !== CLEARED) continue;
      this.set(page, STALE);
      if (page < 1 << 20) this.note(page, now);
      else this.highSince.set(page, now);
      left++;
      this.listener?.began(page, now);
    }
    if (left > 0) this.count(left, now);
    return left;
  }

  /** The hardware has executed an invalidation of its IOTLB. */
  invalidated(what: Invalidation, now: number): void {
    if (what.kind === "device") return;
    if (what.kind === "pages") {
      const pages = 1 << what.order;
      const start = what.pfn - (what.pfn % pages);
      for (let page = start; page < start + pages; page++) this.forget(page, now);
      if (this.pending.length > this.tidyAt) {
        this.pending = this.pending.filter((page) => this.get(page) > LIVE);
        this.tidyAt = Math.max(4096, 2 * this.pending.length);
      }
      return;
    }
    for (const page of this.pending) this.forget(page, now);
    this.pending.length = 0;
  }

  private note(page: number, now: number): void {
    const at = (1 << 20) - 1 - page;
    if (at >= this.since.length) {
      let length = this.since.length * 2;
      while (length <= at) length *= 2;
      const longer = new Float64Array(length);
      longer.set(this.since);
      this.since = longer;
    }
    this.since[at] = now;
  }

  private forget(page: number, now: number): void {
    const state = this.get(page);
    if (state <= LIVE) return;
    if (state === STALE) {
      const window = now - (page < 1 << 20 ? this.since[(1 << 20) - 1 - page] : (this.highSince.get(page) ?? now));
      this.windows++;
      this.windowSum += window;
      if (window > this.windowMax) this.windowMax = window;
      this.count(-1, now);
      this.listener?.ended(page, now);
    }
    this.set(page, NONE);
  }

  /** Starts the report anew at the end of a warm-up. */
  reset(now: number): void {
    this.areaStart = now;
    this.areaSince = now;
    this.staleArea = 0;
    this.maxStale = this.stale;
    this.windows = 0;
    this.windowSum = 0;
    this.windowMax = 0;
    this.reused = 0;
  }

  /** What was reachable after its unmap, up to now. */
  report(now: number): StaleReport {
    this.count(0, now);
    return {
      pages: this.windows,
      meanWindow: this.windows > 0 ? this.windowSum / this.windows : 0,
      maxWindow: this.windowMax,
      meanLive: now > this.areaStart ? this.staleArea / (now - this.areaStart) : 0,
      maxLive: this.maxStale,
      reusedWhileStale: this.reused,
    };
  }
}
