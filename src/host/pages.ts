import type { RandomStream } from "../engine/index.js";

/** Where buffers get their pages from, and where these go when their owners are done. */
export interface PageSource {
  /** Takes `pages` pages that lie together. @returns the first one's number */
  take(core: number, pages: number): number;
  /** The owner is done with them. @returns whether nobody else has them any more */
  give(core: number, frame: number, pages: number): boolean;
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

  give(): boolean {
    return true;
  }
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

  give(core: number, frame: number, pages: number): boolean {
    for (let page = frame; page < frame + pages; page++) {
      if (!this.holder?.held(page)) this.free(core, page, pages > 1);
      else {
        this.count();
        this.aside.set(page, pages > 1 ? -1 : core);
        this.most = Math.max(this.most, this.aside.size);
      }
    }
    return true;
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

/** How buffers share pages. */
export interface PageSharing {
  /** Buffers that a core cuts a page into, one after another: two halves for receiving, sixteen headers. */
  buffersAPage: number;
  /** Share of buffers whose page is one that this core has handed out and not got back: the same page sent twice. */
  repeatShare: number;
}

/** Pages that several buffers share: each page goes back when its last buffer does. */
export class SharedPages implements PageSource {
  /** Buffers of each page that are out. */
  private readonly uses = new Map<number, number>();
  /** The page that each core is cutting, and how many buffers of it are left. */
  private readonly cut: { frame: number; left: number }[];
  /** The last pages that each core has handed out. */
  private readonly recent: number[][];

  constructor(
    cores: number,
    private readonly source: PageSource,
    private readonly sharing: PageSharing,
    private readonly random: RandomStream,
  ) {
    this.cut = Array.from({ length: cores }, () => ({ frame: -1, left: 0 }));
    this.recent = Array.from({ length: cores }, () => []);
  }

  take(core: number, pages: number): number {
    if (pages > 1) return this.source.take(core, pages);
    const { buffersAPage, repeatShare } = this.sharing;
    const recent = this.recent[core];
    if (repeatShare > 0 && recent.length > 0 && this.random.chance(repeatShare)) {
      const again = recent[this.random.below(recent.length)];
      if (this.uses.has(again)) return this.use(again);
    }
    const cut = this.cut[core];
    if (cut.left === 0 || !this.uses.has(cut.frame)) {
      cut.frame = this.source.take(core, 1);
      cut.left = buffersAPage;
      recent.push(cut.frame);
      if (recent.length > mostRecent) recent.shift();
    }
    cut.left--;
    return this.use(cut.frame);
  }

  give(core: number, frame: number, pages: number): boolean {
    if (pages > 1) return this.source.give(core, frame, pages);
    const left = (this.uses.get(frame) ?? 1) - 1;
    if (left > 0) {
      this.uses.set(frame, left);
      return false;
    }
    this.uses.delete(frame);
    // Its next owner may be another core: nobody goes on cutting it.
    for (const cut of this.cut) if (cut.frame === frame) cut.left = 0;
    return this.source.give(core, frame, 1);
  }

  private use(frame: number): number {
    this.uses.set(frame, (this.uses.get(frame) ?? 0) + 1);
    return frame;
  }
}

/** Pages that a core remembers having handed out. */
const mostRecent = 8;
