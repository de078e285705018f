import { Layer, Line, MappingEvent } from "../text/event.js";
import type { Matcher } from "./matcher.js";

/** An event kept for later. */
interface Waiting {
  event: MappingEvent;
  timeNs: number;
  done: boolean;
}

/** Events read before it is decided whether the recording holds dma:* events. */
const prelude = 4096;
/** A page-table event is explained by a DMA event within this time, or by none. */
const patienceNs = 100_000_000;
const mostWaiting = 100_000;

/**
 * Brings two views of one request together. A recording may hold the page table's events (iommu:map, no device) beside the driver's
 * (dma:map_page …, with the device): a map appears first in the page table's, an unmap too. Where a DMA event explains a page-table event,
 * the DMA event is the request and the other is dropped; what none explains (the two-step calls of Linux 6.16, VFIO, or an event that was
 * not enabled) counts for itself after a while.
 */
export class Fuser {
  private early: { line: number; event: MappingEvent; timeNs: number; lost: number }[] | undefined = [];
  private both = false;
  private readonly maps = new Map<number, Waiting[]>();
  private readonly unmaps = new Map<number, Waiting[]>();
  private queue: { line: number; waiting: Waiting }[] = [];
  private head = 0;
  private direct = new Set<string>();
  /** DMA maps whose address is the physical one: the device is not translated. */
  passedThrough = 0;

  constructor(private readonly matcher: Matcher) {}

  /** Takes a map, an unmap or a phase. */
  take(line: number, event: MappingEvent, timeNs: number): void {
    if (this.early) {
      this.early.push({ line, event: copyOf(event), timeNs, lost: 0 });
      if (event.layer === Layer.dma || this.early.length >= prelude) this.decide();
      return;
    }
    if (!this.both && event.layer === Layer.dma) this.both = true;
    this.pass(line, event, timeNs);
  }

  /** Events were lost here, or a line could not be read. */
  lose(events: number): void {
    const last = this.early?.at(-1);
    if (!this.early) this.matcher.lose(events);
    else if (last !== undefined && last.lost > 0) last.lost += events;
    else this.early.push({ line: Line.lost, event: new MappingEvent(), timeNs: 0, lost: events });
  }

  /** Everything has been read. */
  finish(): void {
    this.decide();
    this.release(Number.POSITIVE_INFINITY);
  }

  private decide(): void {
    const { early } = this;
    if (!early) return;
    this.early = undefined;
    this.both = early.some(({ event }) => event.layer === Layer.dma);
    for (const { line, event, timeNs, lost } of early) {
      if (lost > 0) this.matcher.lose(lost);
      else this.pass(line, event, timeNs);
    }
  }

  private pass(line: number, event: MappingEvent, timeNs: number): void {
    if (line === Line.phase) {
      this.matcher.phase(event.text, timeNs);
      return;
    }
    if (event.layer === Layer.dma) {
      this.release(timeNs - patienceNs);
      if (line === Line.map) this.dmaMap(event, timeNs);
      else this.dmaUnmap(event, timeNs);
      return;
    }
    if (!this.both || event.device !== "") {
      if (line === Line.map) this.matcher.map(event, timeNs);
      else this.matcher.unmap(event, timeNs);
      return;
    }
    this.release(timeNs - patienceNs);
    if (line === Line.map) {
      this.wait(line, this.maps, event, timeNs);
    } else {
      const mapped = this.maps.get(event.pfn)?.find((waiting) => !waiting.done);
      if (mapped) this.settleMaps(event.pfn, event.pfn + event.pages);
      if (this.matcher.heldByName(event.pfn)) this.wait(line, this.unmaps, event, timeNs);
      else this.matcher.unmap(event, timeNs);
    }
  }

  private dmaMap(event: MappingEvent, timeNs: number): void {
    if (event.paddrPfn === event.pfn && event.ranges.length === 0) {
      this.passedThrough++;
      if (this.direct.size < 1000) this.direct.add(event.device);
      return;
    }
    const ranges = event.ranges.length > 0 ? event.ranges : [{ pfn: event.pfn, pages: event.pages }];
    for (const { pfn, pages } of ranges) {
      this.explain(this.maps, pfn, pfn + pages);
      if (this.matcher.holds(event.device, pfn, pages)) this.settleUnmaps(pfn, pfn + pages);
      event.pfn = pfn;
      event.pages = pages;
      this.matcher.map(event, timeNs);
      event.bytes = 0;
    }
  }

  private dmaUnmap(event: MappingEvent, timeNs: number): void {
    if (event.list !== "") {
      this.matcher.unmap(event, timeNs);
      return;
    }
    this.explain(this.unmaps, event.pfn, event.pfn + event.pages);
    if (this.direct.has(event.device) && !this.matcher.holds(event.device, event.pfn, event.pages)) return;
    this.matcher.unmap(event, timeNs);
  }

  private wait(line: number, where: Map<number, Waiting[]>, event: MappingEvent, timeNs: number): void {
    const waiting = { event: copyOf(event), timeNs, done: false };
    const there = where.get(event.pfn);
    if (there) there.push(waiting);
    else where.set(event.pfn, [waiting]);
    this.queue.push({ line, waiting });
    if (this.queue.length - this.head > mostWaiting) this.releaseOldest();
  }

  /** The events waiting at the pages of [pfn, end) are explained. */
  private explain(where: Map<number, Waiting[]>, pfn: number, end: number): void {
    for (let at = pfn; at < end; ) {
      const waiting = where.get(at)?.find(({ done }) => !done);
      if (!waiting) return;
      waiting.done = true;
      forget(where, at);
      at += waiting.event.pages;
    }
  }

  private settleMaps(pfn: number, end: number): void {
    for (let at = pfn; at < end; ) {
      const waiting = this.maps.get(at)?.find(({ done }) => !done);
      if (!waiting) return;
      this.settle(Line.map, waiting);
      at += waiting.event.pages;
    }
  }

  private settleUnmaps(pfn: number, end: number): void {
    // A range may be of gigabytes: whatever is fewer, its pages or the unmaps that wait.
    if (end - pfn > this.unmaps.size) {
      for (const at of [...this.unmaps.keys()]) if (at >= pfn && at < end) this.settleUnmapAt(at);
    } else for (let at = pfn; at < end; at++) this.settleUnmapAt(at);
  }

  private settleUnmapAt(pfn: number): void {
    const waiting = this.unmaps.get(pfn)?.find(({ done }) => !done);
    if (waiting) this.settle(Line.unmap, waiting);
  }

  /** No DMA event explains it: it counts for itself. */
  private settle(line: number, waiting: Waiting): void {
    waiting.done = true;
    const { event, timeNs } = waiting;
    if (line === Line.map) {
      forget(this.maps, event.pfn);
      this.matcher.map(event, timeNs);
    } else {
      forget(this.unmaps, event.pfn);
      this.matcher.unmap(event, timeNs, true);
    }
  }

  private release(before: number): void {
    while (
      this.head < this.queue.length &&
      (this.queue[this.head].waiting.done || this.queue[this.head].waiting.timeNs < before)
    )
      this.releaseOldest();
  }

  private releaseOldest(): void {
    const { line, waiting } = this.queue[this.head++];
    if (!waiting.done) this.settle(line, waiting);
    if (this.head > 10_000 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }
}

function forget(where: Map<number, Waiting[]>, pfn: number): void {
  const left = where.get(pfn)?.filter(({ done }) => !done) ?? [];
  if (left.length === 0) where.delete(pfn);
  else where.set(pfn, left);
}

function copyOf(event: MappingEvent): MappingEvent {
  return Object.assign(new MappingEvent(), event);
}
