/** Replays a trace on an allocator, without the machine model, and prints what the golden fixtures hold. */
import { type AllocatorOptions, type IovaAllocator, IovaError, type IovaStatistics } from "./allocator.js";
import { DeferredQueue } from "./deferred.js";
import { MagazineAllocator } from "./magazines.js";
import { LineCounter } from "./memory.js";
import { MergedTreeAllocator } from "./merged.js";
import { dma32Pfn, formatPfn, noPfn, roundUpPages } from "./pfn.js";
import { PoolAllocator } from "./pools.js";
import { RbTreeAllocator } from "./rbtree.js";
import { MAP, RESERVE, type Trace, type TraceConfig, UNMAP } from "./trace.js";

/** The allocators by their names on the command line. */
export const allocatorNames = ["rbtree", "rbtree-merged", "magazines", "pools", "lazy"] as const;
export type AllocatorName = (typeof allocatorNames)[number];

/** A flush of the deferred queue. */
export interface FlushEvent {
  /** Index of the operation that caused it, or during which the timer fired. */
  op: number;
  /** H: 250 entries were waiting. T: the timer fired. */
  reason: "H" | "T";
  freed: number;
}

/** The answers to a trace: entry i of each array is for the map with id i. */
export interface ReplayResult {
  allocator: AllocatorName;
  /** Pages as the trace asked for them. */
  pages: Float64Array;
  /** The pfn, or entry of the pools' table; −1 for a failure. */
  pfns: Float64Array;
  visits: Int32Array;
  hits: Uint8Array;
  flushes: Int32Array;
  events: FlushEvent[];
  /** Of the first domain. */
  statistics: IovaStatistics;
  /** Nodes, deepest and mean depth after each sampled operation (only where samples were asked for). */
  samples: { op: number; nodes: number; maxDepth: number; meanDepth: number }[];
  /** Accesses, and distinct lines summed over the operations (only where they were asked for). */
  lines?: { reads: number; writes: number; touched: number; operations: number };
}

/** What a replay reports beyond the answers. */
export interface ReplayOptions {
  /** Sample the tree's depth after every so many operations; 0 for never. */
  sampleEvery?: number;
  /** Count the lines that are touched. */
  countLines?: boolean;
}

/** An allocator as a trace's settings describe it. */
export function allocatorFor(name: AllocatorName, config: TraceConfig, options: AllocatorOptions = {}): IovaAllocator {
  const tree = { ...options, cpus: config.cpus, startPfn: config.start_pfn, dma32: config.dma32 };
  switch (name) {
    case "rbtree":
    case "lazy":
      return new RbTreeAllocator({ ...tree, aligned: config.aligned === 1 });
    case "rbtree-merged":
      return new MergedTreeAllocator({ ...tree, aligned: config.aligned === 1 });
    case "magazines":
      return new MagazineAllocator(tree);
    case "pools":
      return new PoolAllocator({
        ...options,
        entries: config.entries,
        pools: config.npools === 0 ? 16 : config.npools,
        largePool: config.large === 1,
        pageShift: config.shift,
        tableBase: config.base,
        noSpanCheck: config.nospan === 1,
        flushCallback: config.flushcb === 1,
        aligned: config.align === 1,
      });
  }
}

/**
 * Runs every operation of a trace.
 * @throws IovaError naming the operation, where Linux would stop with a BUG or do silent damage
 */
export function replay(trace: Trace, name: AllocatorName, options: ReplayOptions = {}): ReplayResult {
  const { config, kinds, first, second, cpus } = trace;
  const lazy = name === "lazy";
  const counter = options.countLines ? new LineCounter() : null;
  const domains = Array.from({ length: lazy ? config.domains : 1 }, () =>
    allocatorFor(name, config, { memory: counter }),
  );
  const queue = new DeferredQueue(config.iommus, config.hz);
  const roundUp = config.roundup === 1 && name !== "pools";
  const result: ReplayResult = {
    allocator: name,
    pages: new Float64Array(trace.maps),
    pfns: new Float64Array(trace.maps),
    visits: new Int32Array(trace.maps),
    hits: new Uint8Array(trace.maps),
    flushes: new Int32Array(trace.maps),
    events: [],
    statistics: domains[0].statistics(),
    samples: [],
  };
  // What each id holds now, as the allocator sees it; noPfn where it failed or was unmapped.
  const held = new Float64Array(trace.maps);
  const heldPages = new Float64Array(trace.maps);
  const heldDomain = new Int32Array(trace.maps);
  const sampleEvery = options.sampleEvery ?? 0;
  let lines = 0;
  let nowUs = 0;
  let id = 0;
  const flush = (op: number, reason: "H" | "T") => {
    let freed = 0;
    for (const { ranges } of queue.takeAll()) {
      for (const range of ranges) domains[range.domain].free(range.pfn, range.pages);
      freed += ranges.length;
    }
    result.events.push({ op, reason, freed });
  };
  for (let op = 0; op < kinds.length; op++) {
    counter?.reset();
    try {
      switch (kinds[op]) {
        case MAP: {
          const pages = roundUp ? roundUpPages(first[op]) : first[op];
          const domain = lazy ? cpus[op] % config.domains : 0;
          const cpu = lazy ? 0 : cpus[op];
          const allocator = domains[domain];
          let pfn: number = noPfn;
          if (config.fallback32 === 1 && second[op] > dma32Pfn) {
            pfn = allocator.allocate(pages, dma32Pfn, cpu);
            result.visits[id] = allocator.last.visits;
            result.flushes[id] = allocator.last.flushes;
          }
          if (pfn === noPfn) {
            pfn = allocator.allocate(pages, second[op], cpu);
            result.visits[id] += allocator.last.visits;
            result.flushes[id] += allocator.last.flushes;
          }
          result.pages[id] = first[op];
          result.hits[id] = allocator.last.hit;
          result.pfns[id] = pfn === noPfn ? noPfn : name === "pools" ? pfn - config.base : pfn;
          held[id] = pfn;
          heldPages[id] = pages;
          heldDomain[id] = domain;
          id++;
          break;
        }
        case UNMAP: {
          const which = first[op];
          const pfn = held[which];
          if (pfn === noPfn) break;
          held[which] = noPfn;
          const domain = heldDomain[which];
          if (lazy) {
            if (queue.full) flush(op, "H");
            queue.append(domain % config.iommus, { domain, pfn, pages: heldPages[which] }, nowUs);
          } else if (!domains[domain].free(pfn, heldPages[which], cpus[op])) {
            throw new IovaError(`the range of id ${which} at pfn ${formatPfn(pfn)} is not mapped`);
          }
          break;
        }
        case RESERVE:
          for (const allocator of domains) allocator.reserve(first[op], second[op]);
          break;
        default:
          nowUs += first[op];
          if (lazy && nowUs >= queue.timerUs) {
            queue.timerFired();
            flush(op, "T");
          }
      }
    } catch (error) {
      if (error instanceof IovaError) throw new IovaError(`operation ${op}: ${error.message}`);
      throw error;
    }
    if (counter !== null) lines += counter.lines;
    if (sampleEvery > 0 && (op % sampleEvery === 0 || op === kinds.length - 1)) {
      const { nodes, max, mean } = domains[0].statistics().depth;
      result.samples.push({ op, nodes, maxDepth: max, meanDepth: mean });
    }
  }
  result.statistics = domains[0].statistics();
  if (counter !== null) {
    result.lines = { reads: counter.reads, writes: counter.writes, touched: lines, operations: kinds.length };
  }
  return result;
}

/** The answers in the format of the fixtures: a header and one line for each map. For the pools the pfn is the table's entry. */
export function formatReplay(result: ReplayResult): string {
  const { allocator, pages, pfns, visits, hits, flushes } = result;
  const last = allocator === "pools" ? "flush" : allocator === "magazines" ? "visits,hit" : "visits";
  const lines = [`id,pages,pfn,${last}`];
  for (let id = 0; id < pages.length; id++) {
    const start = `${id},${pages[id]},${pfns[id] === noPfn ? "-1" : formatPfn(pfns[id])}`;
    if (allocator === "pools") lines.push(`${start},${flushes[id]}`);
    else if (allocator === "magazines") lines.push(`${start},${visits[id]},${hits[id]}`);
    else lines.push(`${start},${visits[id]}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The flushes of the deferred queue, in the format of the fixtures. */
export function formatEvents(events: readonly FlushEvent[]): string {
  return `${["op,reason,freed", ...events.map((event) => `${event.op},${event.reason},${event.freed}`)].join("\n")}\n`;
}
