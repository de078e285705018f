import { ExtentCounter, mergeAbutting, type PageRange } from "./extents.js";
import { Direction, Kind, Op, type Trace, TraceError } from "./trace.js";

/** Which operations are looked at: those with indices from `first` up to, not including, `end`. */
export interface OpRange {
  first: number;
  end: number;
}

/** A live map: its range and the operation that made it. */
export interface LiveMap extends PageRange {
  op: number;
}

/** The index of a device by its id or its index. @throws TraceError naming the devices there are. */
function deviceIndex(trace: Trace, device: number | string): number {
  const index = typeof device === "number" ? device : trace.devices.findIndex(({ id }) => id === device);
  if (trace.devices[index] === undefined) {
    const known = trace.devices.map(({ id }) => id).join(", ");
    throw new TraceError(`the trace "${trace.about.name}" has no device ${JSON.stringify(device)}; it has ${known}.`);
  }
  return index;
}

/**
 * The maps of a device that are live just before operation `before`, by ascending address.
 * @param device its id ("0000:00:03.0") or index
 * @param before an operation's index; `trace.length` for the end of the trace
 */
export function liveMaps(trace: Trace, device: number | string, before: number): LiveMap[] {
  const wanted = deviceIndex(trace, device);
  const live: LiveMap[] = [];
  for (let op = 0; op < before; op++) {
    if (trace.op[op] !== Op.map || trace.device[op] !== wanted) continue;
    const ended = trace.partner[op];
    if (ended < 0 || ended >= before) live.push({ op, iovaPfn: trace.iovaPfn[op], pages: trace.pages[op] });
  }
  return live.sort((a, b) => a.iovaPfn - b.iovaPfn);
}

/** What a device holds at one moment. */
export interface Holding {
  device: string;
  driver: string;
  /** Live maps. */
  maps: number;
  pages: number;
  /** Maps of dma_alloc_coherent, and streaming maps towards and from the device. */
  coherent: number;
  toDevice: number;
  fromDevice: number;
  /** Maps that no unmap ends before the trace does. */
  neverUnmapped: number;
  /** Intervals that remain when abutting maps are merged. */
  intervals: number;
  /** First page of the lowest map and the page after the highest. */
  lowestPfn: number;
  endPfn: number;
  /** Pages without a map between the lowest and the highest. */
  gapPages: number;
  /** Levels of a perfectly balanced binary tree of as many nodes: ⌈log2(maps + 1)⌉. A real tree has at least as many. */
  treeLevels: number;
}

/**
 * What every device holds just before operation `before`.
 * With the first operation of the phase "up" (links up, nothing sent) these are the drivers' static maps.
 */
export function holdings(trace: Trace, before: number): Holding[] {
  return trace.devices.map(({ id, driver }, device) => {
    const live = liveMaps(trace, device, before);
    const pages = live.reduce((sum, map) => sum + map.pages, 0);
    const lowestPfn = live[0]?.iovaPfn ?? 0;
    const last = live.at(-1);
    const endPfn = last ? last.iovaPfn + last.pages : 0;
    const count = (is: (op: number) => boolean) => live.reduce((sum, { op }) => sum + (is(op) ? 1 : 0), 0);
    const streaming = (direction: number) =>
      count((op) => trace.kind[op] !== Kind.coherent && trace.direction[op] === direction);
    return {
      device: id,
      driver,
      maps: live.length,
      pages,
      coherent: count((op) => trace.kind[op] === Kind.coherent),
      toDevice: streaming(Direction.toDevice),
      fromDevice: streaming(Direction.fromDevice),
      neverUnmapped: count((op) => trace.partner[op] < 0),
      intervals: mergeAbutting(live).length,
      lowestPfn,
      endPfn,
      gapPages: endPfn - lowestPfn - pages,
      treeLevels: 32 - Math.clz32(live.length),
    };
  });
}

/** How a device's address space fills and empties, one element an operation of the device. */
export interface Occupancy {
  /** Index of the operation in the trace. */
  op: Int32Array;
  timeNs: Float64Array;
  /** Live maps after the operation. */
  live: Int32Array;
  /** Intervals after the operation, when abutting maps are merged. */
  intervals: Int32Array;
}

/** Live maps and merged intervals of a device after each of its operations in a range (default: the whole trace). */
export function occupancy(trace: Trace, device: number | string, range?: OpRange): Occupancy {
  const wanted = deviceIndex(trace, device);
  const { first, end } = range ?? { first: 0, end: trace.length };
  let size = 0;
  for (let op = first; op < end; op++) if (trace.device[op] === wanted) size++;
  const result = {
    op: new Int32Array(size),
    timeNs: new Float64Array(size),
    live: new Int32Array(size),
    intervals: new Int32Array(size),
  };
  const counter = new ExtentCounter();
  let at = 0;
  for (let op = 0; op < end; op++) {
    if (trace.device[op] !== wanted) continue;
    const pages = { iovaPfn: trace.iovaPfn[op], pages: trace.pages[op] };
    if (trace.op[op] === Op.map) counter.add(pages);
    else counter.remove(pages);
    if (op < first) continue;
    result.op[at] = op;
    result.timeNs[at] = trace.timeNs[op];
    result.live[at] = counter.live;
    result.intervals[at++] = counter.intervals;
  }
  return result;
}

/** How long maps lived: one element for each unmap. */
export interface Lifetimes {
  /** From the map to its unmap, in ns of the recording's clock. */
  ns: Float64Array;
  /** From the map to its unmap, in operations of the same device: a measure that does not depend on the clock. */
  ops: Float64Array;
}

/** Lifetimes of the maps of a device that were both made and ended in a range (default: the whole trace), in order of the unmaps. */
export function lifetimes(trace: Trace, device: number | string, range?: OpRange): Lifetimes {
  const wanted = deviceIndex(trace, device);
  const { first, end } = range ?? { first: 0, end: trace.length };
  const ordinal = new Int32Array(trace.length);
  const ns: number[] = [];
  const ops: number[] = [];
  let seen = 0;
  for (let op = 0; op < end; op++) {
    if (trace.device[op] !== wanted) continue;
    ordinal[op] = seen++;
    const mapped = trace.partner[op];
    if (trace.op[op] !== Op.unmap || op < first || mapped < first) continue;
    ns.push(trace.timeNs[op] - trace.timeNs[mapped]);
    ops.push(ordinal[op] - ordinal[mapped]);
  }
  return { ns: Float64Array.from(ns), ops: Float64Array.from(ops) };
}

/** Number of different addresses (first pages) that a device's maps and unmaps in a range name. */
export function distinctAddresses(trace: Trace, device: number | string, range: OpRange): number {
  const wanted = deviceIndex(trace, device);
  const seen = new Set<number>();
  for (let op = range.first; op < range.end; op++) {
    if (trace.device[op] === wanted) seen.add(trace.iovaPfn[op]);
  }
  return seen.size;
}

/**
 * The value at rank ⌊share × (n − 1) + ½⌋ of the sorted values: an observed value, never one in between.
 * @param share from 0 (the smallest) to 1 (the largest)
 * @throws RangeError for no values or a share outside 0 to 1.
 */
export function rankQuantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) throw new RangeError("a quantile needs at least one value.");
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share: expected 0 to 1 (got ${share}).`);
  return Float64Array.from(values).sort()[Math.floor(share * (values.length - 1) + 0.5)];
}

/** A long series in few points. */
export interface Envelope {
  /** Middle of each bucket. */
  x: number[];
  /** Mean, smallest and largest value in each bucket. */
  mean: number[];
  low: number[];
  high: number[];
}

/**
 * Divides the span of x into equal buckets and gives the mean, smallest and largest y of each: a series of any length in a picture.
 * Buckets without a value are left out.
 * @param x ascending
 */
export function envelope(x: ArrayLike<number>, y: ArrayLike<number>, buckets: number): Envelope {
  const result: Envelope = { x: [], mean: [], low: [], high: [] };
  const width = x.length === 0 ? 0 : (x[x.length - 1] - x[0]) / buckets;
  let i = 0;
  for (let bucket = 0; bucket < buckets && i < x.length; bucket++) {
    const end = bucket === buckets - 1 ? Number.POSITIVE_INFINITY : x[0] + (bucket + 1) * width;
    let [count, sum, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (; i < x.length && x[i] < end; i++) {
      count++;
      sum += y[i];
      low = Math.min(low, y[i]);
      high = Math.max(high, y[i]);
    }
    if (count === 0) continue;
    result.x.push(x[0] + (bucket + 0.5) * width);
    result.mean.push(sum / count);
    result.low.push(low);
    result.high.push(high);
  }
  return result;
}
