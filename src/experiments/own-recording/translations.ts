/** What the IOMMU's caches are asked to hold: pages and table lines in flight, against what the published measurements say they hold. */
import type { Facts } from "../../facts/index.js";
import { ExtentCounter, Op, type Trace } from "../../recordings/index.js";

/** A cache line of a table holds so many entries of 8 bytes. */
const entriesPerLine = 8;
const bins = 240;
/** The fits of pcie-bench's latencies: effective IOTLB entries of five hosts. */
const capacityRecords = ["IOTLB_SNB", "IOTLB_IVB", "IOTLB_HSW", "IOTLB_HSW2", "IOTLB_BDW"] as const;

/** What is mapped at a time, with the recorded addresses. */
export interface InFlight {
  /** 4 KiB pages that are mapped at a time: mean over time, most. */
  pagesMean: number;
  pagesMost: number;
  /** Distinct lines of last-level table entries that they lie in. */
  linesMean: number;
  linesMost: number;
  /** The same of maps alone that the recording unmaps: what comes and goes. */
  movingMost: number;
  /** Over time, in at most 240 bins; the value at each bin's end. */
  series: { timeNs: number[]; live: number[]; intervals: number[]; pages: number[]; lines: number[] };
}

/** The IOTLB's capacity as measured. */
export interface Capacity {
  low: number;
  high: number;
  records: readonly string[];
}

/** Effective entries of the IOTLBs of five measured hosts. */
export function iotlbCapacity(facts: Facts): Capacity {
  const entries = capacityRecords.map((id) => Number((facts.record(id).value as readonly number[])[0]));
  return { low: Math.min(...entries), high: Math.max(...entries), records: capacityRecords };
}

/** Counts what a device has mapped over the recording's time. */
export function inFlight(trace: Trace, device: number): InFlight {
  const extents = new ExtentCounter();
  const lines = new Map<number, number>();
  const series: InFlight["series"] = { timeNs: [], live: [], intervals: [], pages: [], lines: [] };
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    first = Math.min(first, trace.timeNs[op]);
    last = Math.max(last, trace.timeNs[op]);
  }
  if (first > last) return { pagesMean: 0, pagesMost: 0, linesMean: 0, linesMost: 0, movingMost: 0, series };
  const span = Math.max(1, last - first);
  let [pages, pagesMost, linesMost, moving, movingMost] = [0, 0, 0, 0, 0];
  let [pageTime, lineTime, now, bin] = [0, 0, first, 0];
  const store = (at: number): void => {
    series.timeNs.push(first + ((at + 1) * span) / bins);
    series.live.push(extents.live);
    series.intervals.push(extents.intervals);
    series.pages.push(pages);
    series.lines.push(lines.size);
  };
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    const time = Math.max(now, trace.timeNs[op]);
    pageTime += pages * (time - now);
    lineTime += lines.size * (time - now);
    now = time;
    const at = Math.min(bins - 1, Math.floor((bins * (time - first)) / span));
    if (at > bin) {
      store(at - 1);
      bin = at;
    }
    const range = { iovaPfn: trace.iovaPfn[op], pages: trace.pages[op] };
    const from = Math.floor(range.iovaPfn / entriesPerLine);
    const to = Math.floor((range.iovaPfn + range.pages - 1) / entriesPerLine);
    if (trace.op[op] === Op.map) {
      extents.add(range);
      pages += range.pages;
      if (trace.partner[op] >= 0) moving += range.pages;
      for (let line = from; line <= to; line++) lines.set(line, (lines.get(line) ?? 0) + 1);
    } else {
      extents.remove(range);
      pages -= range.pages;
      moving -= range.pages;
      for (let line = from; line <= to; line++) {
        const others = (lines.get(line) ?? 1) - 1;
        if (others > 0) lines.set(line, others);
        else lines.delete(line);
      }
    }
    if (pages > pagesMost) pagesMost = pages;
    if (lines.size > linesMost) linesMost = lines.size;
    if (moving > movingMost) movingMost = moving;
  }
  store(bins - 1);
  return { pagesMean: pageTime / span, pagesMost, linesMean: lineTime / span, linesMost, movingMost, series };
}
