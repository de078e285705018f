import type { RandomStream } from "../engine/index.js";

/** Where buffers get their pages from, and where these go when their owners are done. */
export interface PageSource {
  /** Takes `pages` pages that lie together. @returns the first one's number */
  take(core: number, pages: number): number;
  /** The owner is done with them. */
  give(core: number, frame: number, pages: number): void;
}

/** Where buffers lie: from this page on. */
const FIRST = 1 << 18;

/** Each page after the one before, round and round in a gibibyte: nothing ever comes back. */
export class PagesInTurn implements PageSource {
  private next = 0;

  take(_core: number, pages: number): number {
    const frame = FIRST + this.next;
    this.next = (this.next + pages) % FIRST;
    return frame;
  }

  give(): void {}
}

/** Linux's per-CPU lists of free pages: what goes to and comes from the zone at once, and how long a list grows. */
const BATCH = 31;
const HIGH = 186;
/** Memory that long uptime has spread free pages over: 4 GiB. */
const SPREAD = 1 << 20;

/** What a {@link FreeLists} asks of whoever holds references on pages. */
export interface PageHolder {
  held(frame: number): boolean;
}

/**
 * A page allocator as a host has it after long uptime: a list of free pages a core, last in, first out, so that a page comes back soon and
 * warm; behind them the zone, whose free pages lie anywhere. Batch and length of a list: 31 and 186, Linux's for a zone of this size (from
 * memory, unverified).
 *
 * A page on which somebody holds a reference is kept aside, and goes to its core's list when that is put.
 */
export class FreeLists implements PageSource {
  private readonly lists: number[][];
  /** Pages that are not the zone's. */
  private readonly out = new Set<number>();
  private readonly aside = new Map<number, number>();
  private sum = 0;
  private since = 0;
  private start = 0;
  private most = 0;

  constructor(
    cores: number,
    /** Draws the zone's pages. */
    public random: RandomStream,
    private readonly clock: { readonly now: number },
    private readonly holder: PageHolder | undefined,
  ) {
    this.lists = Array.from({ length: cores }, () => []);
  }

  take(core: number, pages: number): number {
    // More than a page comes from the zone, and goes back there.
    if (pages > 1) return this.fromZone(pages);
    const list = this.lists[core];
    if (list.length === 0) for (let i = 0; i < BATCH; i++) list.push(this.fromZone(1));
    return list.pop() as number;
  }

  give(core: number, frame: number, pages: number): void {
    for (let page = frame; page < frame + pages; page++) {
      if (!this.holder?.held(page)) this.free(core, page, pages > 1);
      else {
        this.count();
        this.aside.set(page, pages > 1 ? -1 : core);
        this.most = Math.max(this.most, this.aside.size);
      }
    }
  }

  /** The last reference on a page was put. */
  released(frame: number): void {
    const core = this.aside.get(frame);
    if (core === undefined) return;
    this.count();
    this.aside.delete(frame);
    this.free(Math.max(core, 0), frame, core < 0);
  }

  /** Pages kept aside since the last reset: their mean number over time, and the most. */
  pinned(): { mean: number; most: number } {
    this.count();
    const elapsed = this.clock.now - this.start;
    return { mean: elapsed > 0 ? this.sum / elapsed : 0, most: this.most };
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.start = this.clock.now;
    this.since = this.clock.now;
    this.sum = 0;
    this.most = this.aside.size;
  }

  private count(): void {
    this.sum += this.aside.size * (this.clock.now - this.since);
    this.since = this.clock.now;
  }

  private free(core: number, frame: number, toZone: boolean): void {
    if (toZone) {
      this.out.delete(frame);
      return;
    }
    const list = this.lists[core];
    list.push(frame);
    if (list.length > HIGH) for (const page of list.splice(0, BATCH)) this.out.delete(page);
  }

  private fromZone(pages: number): number {
    for (;;) {
      const frame = FIRST + this.random.below(SPREAD - pages);
      let free = true;
      for (let page = frame; page < frame + pages; page++) free &&= !this.out.has(page);
      if (!free) continue;
      for (let page = frame; page < frame + pages; page++) this.out.add(page);
      return frame;
    }
  }
}
