/** Whose a page is while a translation of it is still cached that has been unmapped. */
export const OWNER_READS = 0;
/** Nobody's: on a free list, or kept aside. */
export const NOBODYS = 1;
/** Somebody else has it by now. */
export const SOMEBODY_ELSES = 2;

/** A translation that was unmapped and is still cached. */
interface Stale {
  since: number;
  /** Whose the page was, from when on. */
  turns: { at: number; whose: number }[];
}

/** What a device that goes on touching what was unmapped would have reached. Times in cycles. */
export interface Exposure {
  /** Unmapped translations that were still cached when their unmap returned. */
  pages: number;
  /** Page-cycles during which the page was still its owner's to read; nobody's; somebody else's. */
  owner: number;
  nobody: number;
  other: number;
  /** Translations that at some time led to somebody else's page. */
  reachedOther: number;
  /** The longest that one led there. */
  longestOther: number;
  /** For each delay after the unmap's return: accesses that still went through, to the owner's page and to somebody else's. */
  touches: { delay: number; through: number; owner: number; other: number }[];
}

/**
 * Whose pages can be reached through translations that were unmapped and not yet flushed: the measure of safety, the same for every way of
 * mapping. A device is taken to touch each page once after each of some delays; one that touches at random does so in proportion to the
 * page-cycles.
 */
export class ExposureMeter {
  /** Memory page and state by IOVA page, for unmaps under way. */
  private readonly expected = new Map<number, { frame: number; whose: number }>();
  private readonly stale = new Map<number, Stale & { frame: number }>();
  private readonly byFrame = new Map<number, number[]>();
  private result: Exposure;

  /** @param delays cycles after the unmap's return at which a device touches a page */
  constructor(private readonly delays: readonly number[]) {
    this.result = this.empty();
  }

  /** An unmap begins. @param whose whose the pages are when it returns */
  unmaps(pfn: number, frame: number, pages: number, whose: number): void {
    for (let i = 0; i < pages; i++) this.expected.set(pfn + i, { frame: frame + i, whose });
  }

  /** An unmap has returned, and the translation is still cached. */
  began(page: number, now: number): void {
    const known = this.expected.get(page);
    if (known === undefined) return;
    this.ended(page, now);
    this.stale.set(page, { frame: known.frame, since: now, turns: [{ at: now, whose: known.whose }] });
    const others = this.byFrame.get(known.frame);
    if (others) others.push(page);
    else this.byFrame.set(known.frame, [page]);
  }

  /** A memory page changes hands. */
  turned(frame: number, pages: number, whose: number, now: number): void {
    for (let each = frame; each < frame + pages; each++)
      for (const page of this.byFrame.get(each) ?? []) this.stale.get(page)?.turns.push({ at: now, whose });
  }

  /** The translation is flushed, or its address maps something new. */
  ended(page: number, now: number): void {
    const one = this.stale.get(page);
    if (one === undefined) return;
    this.stale.delete(page);
    const pages = (this.byFrame.get(one.frame) as number[]).filter((other) => other !== page);
    if (pages.length > 0) this.byFrame.set(one.frame, pages);
    else this.byFrame.delete(one.frame);
    const { result } = this;
    result.pages++;
    let others = 0;
    for (const [i, { at, whose }] of one.turns.entries()) {
      const length = (one.turns[i + 1]?.at ?? now) - at;
      if (whose === OWNER_READS) result.owner += length;
      else if (whose === NOBODYS) result.nobody += length;
      else others += length;
    }
    result.other += others;
    if (others > 0) result.reachedOther++;
    result.longestOther = Math.max(result.longestOther, others);
    for (const touch of result.touches) {
      const at = one.since + touch.delay;
      // Who touches at once comes before the flush.
      if (at >= now && touch.delay > 0) continue;
      touch.through++;
      const { whose } = one.turns.findLast((turn) => turn.at <= at) ?? one.turns[0];
      if (whose === OWNER_READS) touch.owner++;
      else if (whose === SOMEBODY_ELSES) touch.other++;
    }
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.result = this.empty();
  }

  /** What was counted, with what is still cached counted up to now. */
  report(now: number): Exposure {
    for (const page of [...this.stale.keys()]) this.ended(page, now);
    return this.result;
  }

  private empty(): Exposure {
    return {
      pages: 0,
      owner: 0,
      nobody: 0,
      other: 0,
      reachedOther: 0,
      longestOther: 0,
      touches: this.delays.map((delay) => ({ delay, through: 0, owner: 0, other: 0 })),
    };
  }
}
