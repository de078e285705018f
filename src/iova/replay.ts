/** Replays a trace on an allocator, without the machine model, and prints what the golden fixtures hold. */
import { type AllocatorOptions, type IovaAllocator, IovaError, type IovaStatistics } from "./allocator.js";
import { DeferredQueue, type DeferredRange, PerCpuDeferredQueues } from "./deferred.js";
import { MagazineAllocator } from "./magazines.js";
import { LineCounter } from "./memory.js";
import { MergedTreeAllocator } from "./merged.js";
import { dma32Pfn, formatPfn, noPfn, roundUpPages } from "./pfn.js";
import { PoolAllocator } from "./pools.js";
import { RbTreeAllocator } from "./rbtree.js";
import { Rcache6Allocator } from "./rcache6.js";
import { CachePlayer, type CacheReplay, formatCacheAnswers } from "./replay6.js";
import { operationKinds, type ReplayTrace, type TraceConfig } from "./trace.js";

// Hot path: a module's own constants are compiled in, those of another are looked up at each use.
const { MAP, UNMAP, RESERVE, WAIT } = operationKinds;
const failed = noPfn;

/** The allocators by their names on the command line. */
export const allocatorNames = ["rbtree", "rbtree-merged", "magazines", "pools", "lazy", "rcache6", "fq6"] as const;
/** One of {@link allocatorNames}. */
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
  /** Pages as the trace asked for them: the trace's own array. */
  pages: Float64Array;
  /** The pfn, or entry of the pools' table; −1 for a failure. */
  pfns: Float64Array;
  visits: Int32Array;
  hits: Uint8Array;
  /** Empty for rcache6 and fq6. */
  flushes: Int32Array;
  events: FlushEvent[];
  /** Of the first domain. */
  statistics: IovaStatistics;
  /** Nodes, deepest and mean depth after each sampled operation (only where samples were asked for). */
  samples: { op: number; nodes: number; maxDepth: number; meanDepth: number }[];
  /** Accesses, and distinct lines summed over the operations (only where they were asked for). */
  /** Of rcache6 and fq6: locks, events and totals. */
  caches?: CacheReplay;
  lines?: { reads: number; writes: number; touched: number; operations: number };
}

/** What a replay reports beyond the answers. */
export interface ReplayOptions {
  /** Sample the tree's depth after every so many operations; 0 for never. */
  sampleEvery?: number;
  /** Count the lines that are touched. */
  countLines?: boolean;
  /** rcache6 and fq6: the release of Linux whose rules hold (default the newest; see rulesOf). */
  release?: string;
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
    case "rcache6":
    case "fq6":
      return new Rcache6Allocator({
        ...options,
        cpus: config.cpus,
        startPfn: config.start_pfn,
        largestCached: config.cached_pages,
      });
  }
}

/**
 * Runs every operation of a trace.
 * @throws IovaError naming the operation, where Linux would stop with a BUG or do silent damage
 */
export function replay(trace: ReplayTrace, name: AllocatorName, options: ReplayOptions = {}): ReplayResult {
  if (name === "rcache6" || name === "fq6") return replayOnCaches(trace, name, options);
  const player = new Player(trace, name, options);
  try {
    player.run();
  } catch (error) {
    if (error instanceof IovaError) throw new IovaError(`operation ${player.op}: ${error.message}`);
    throw error;
  }
  return player.finish();
}

/** The same on the allocator of today, whose driver layer has a player of its own. */
function replayOnCaches(trace: ReplayTrace, name: "rcache6" | "fq6", options: ReplayOptions): ReplayResult {
  const { sampleEvery = 0, countLines, release } = options;
  const counter = countLines ? new LineCounter() : null;
  const pfns = new Float64Array(trace.maps);
  const visits = new Int32Array(trace.maps);
  const hits = new Uint8Array(trace.maps);
  const player = new CachePlayer(trace, name === "fq6", { pfns, visits, hits }, release, counter);
  const samples: ReplayResult["samples"] = [];
  const operations = trace.kinds.length;
  let touched = 0;
  const observe = (op: number) => {
    touched += counter?.lines ?? 0;
    counter?.reset();
    if (sampleEvery === 0 || ((op + 1) % sampleEvery !== 0 && op !== operations - 1)) return;
    const { nodes, max, mean } = player.allocator.tree.depth();
    samples.push({ op, nodes, maxDepth: max, meanDepth: mean });
  };
  try {
    player.run(counter !== null || sampleEvery > 0 ? observe : undefined);
  } catch (error) {
    if (error instanceof IovaError) throw new IovaError(`operation ${player.op}: ${error.message}`);
    throw error;
  }
  const caches = player.finish();
  return {
    allocator: name,
    pages: trace.pages,
    pfns,
    visits,
    hits,
    flushes: new Int32Array(0),
    events: [],
    statistics: caches.caches,
    samples,
    caches,
    ...(counter ? { lines: { reads: counter.reads, writes: counter.writes, touched, operations } } : {}),
  };
}

/** A replay in progress. Hot path: one method an operation kind, so that each is compiled on its own (test/bench/iova). */
class Player {
  /** Index of the operation that runs. */
  op = 0;
  private readonly counter: LineCounter | null;
  private readonly domains: IovaAllocator[];
  private readonly queue: DeferredQueue;
  private readonly result: ReplayResult;
  /** Magazines behind v4.9's per-CPU tables, where the trace asks for a flush queue. */
  private readonly tables: PerCpuDeferredQueues | null;
  private readonly lazy: boolean;
  private readonly roundUp: boolean;
  private readonly fallback: boolean;
  private readonly offset: number;
  /** 1 for each id that was unmapped. */
  private readonly unmapped: Uint8Array;
  /** Deferred unmap: the domain of each id. */
  private readonly domainOf: Int32Array;
  private readonly sampleEvery: number;
  private lines = 0;
  private nowUs = 0;
  private id = 0;

  constructor(
    private readonly trace: ReplayTrace,
    name: AllocatorName,
    options: ReplayOptions,
  ) {
    const { config, maps } = trace;
    this.lazy = name === "lazy";
    this.roundUp = config.roundup === 1 && name !== "pools";
    this.fallback = config.fallback32 === 1;
    this.offset = name === "pools" ? config.base : 0;
    this.sampleEvery = options.sampleEvery ?? 0;
    this.counter = options.countLines ? new LineCounter() : null;
    const memory = this.counter;
    this.domains = Array.from({ length: this.lazy ? config.domains : 1 }, () => allocatorFor(name, config, { memory }));
    this.queue = new DeferredQueue(config.iommus, config.hz);
    this.tables = name === "magazines" && config.fq === 1 ? new PerCpuDeferredQueues(config.cpus, config.hz) : null;
    this.unmapped = new Uint8Array(maps);
    this.domainOf = new Int32Array(this.lazy ? maps : 0);
    this.result = {
      allocator: name,
      pages: trace.pages,
      pfns: new Float64Array(maps),
      visits: new Int32Array(maps),
      hits: new Uint8Array(maps),
      flushes: new Int32Array(maps),
      events: [],
      statistics: this.domains[0].statistics(),
      samples: [],
    };
  }

  run(): void {
    const { kinds } = this.trace;
    const observed = this.counter !== null || this.sampleEvery > 0;
    if (!observed && !this.lazy && !this.fallback && this.tables === null) {
      this.runPlain(this.domains[0]);
      return;
    }
    for (this.op = 0; this.op < kinds.length; this.op++) {
      const kind = kinds[this.op];
      if (kind === MAP) this.map(this.op);
      else if (kind === UNMAP) this.unmap(this.op);
      else if (kind === RESERVE) this.reserve(this.op);
      else if (kind === WAIT) this.wait(this.op);
      if (observed) this.observe();
    }
  }

  /** The same for one domain that nobody observes: no array is touched whose entries stay 0. */
  private runPlain(allocator: IovaAllocator): void {
    const { roundUp, offset, unmapped } = this;
    const { kinds, first, second, cpus } = this.trace;
    const { pages, pfns, visits, hits, flushes } = this.result;
    const { last } = allocator;
    const operations = kinds.length;
    let id = 0;
    for (let op = 0; op < operations; op++) {
      this.op = op;
      const kind = kinds[op];
      if (kind === MAP) {
        const pfn = allocator.allocate(roundUp ? roundUpPages(first[op]) : first[op], second[op], cpus[op]);
        pfns[id] = pfn === failed ? failed : pfn - offset;
        if (last.visits !== 0) visits[id] = last.visits;
        if (last.hit !== 0) hits[id] = last.hit;
        if (last.flushes !== 0) flushes[id] = last.flushes;
        id++;
      } else if (kind === UNMAP) {
        const which = first[op];
        const pfn = pfns[which];
        if (pfn === failed || unmapped[which] !== 0) continue;
        unmapped[which] = 1;
        const length = roundUp ? roundUpPages(pages[which]) : pages[which];
        if (!allocator.free(pfn + offset, length, cpus[op])) this.notMapped(which);
      } else if (kind === RESERVE) {
        this.reserve(op);
      }
    }
  }

  finish(): ReplayResult {
    const { result, counter } = this;
    result.statistics = this.domains[0].statistics();
    if (counter !== null) {
      const operations = this.trace.kinds.length;
      result.lines = { reads: counter.reads, writes: counter.writes, touched: this.lines, operations };
    }
    return result;
  }

  private map(op: number): void {
    const { trace, result } = this;
    const id = this.id++;
    const asked = trace.first[op];
    const limit = trace.second[op];
    const pages = this.roundUp ? roundUpPages(asked) : asked;
    const domain = this.lazy ? trace.cpus[op] % this.domains.length : 0;
    const cpu = this.lazy ? 0 : trace.cpus[op];
    const allocator = this.domains[domain];
    let pfn: number = failed;
    let visits = 0;
    let flushes = 0;
    if (this.fallback && limit > dma32Pfn) {
      pfn = allocator.allocate(pages, dma32Pfn, cpu);
      visits = allocator.last.visits;
      flushes = allocator.last.flushes;
    }
    if (pfn === failed) {
      pfn = allocator.allocate(pages, limit, cpu);
      visits += allocator.last.visits;
      flushes += allocator.last.flushes;
    }
    result.pfns[id] = pfn === failed ? failed : pfn - this.offset;
    result.visits[id] = visits;
    result.hits[id] = allocator.last.hit;
    result.flushes[id] = flushes;
    if (this.lazy) this.domainOf[id] = domain;
  }

  private unmap(op: number): void {
    const { trace, result } = this;
    const id = trace.first[op];
    if (result.pfns[id] === failed || this.unmapped[id] !== 0) return;
    this.unmapped[id] = 1;
    const pfn = result.pfns[id] + this.offset;
    const pages = this.roundUp ? roundUpPages(result.pages[id]) : result.pages[id];
    if (this.lazy) {
      const domain = this.domainOf[id];
      if (this.queue.full) this.flush("H");
      this.queue.append(domain % trace.config.iommus, { domain, pfn, pages }, this.nowUs);
    } else if (this.tables !== null) {
      const cpu = trace.cpus[op];
      if (this.tables.isFull(cpu)) this.freeRanges("H", this.tables.takeAll(), cpu);
      this.tables.append(cpu, { domain: 0, pfn, pages }, this.nowUs);
    } else if (!this.domains[0].free(pfn, pages, trace.cpus[op])) {
      this.notMapped(id);
    }
  }

  private notMapped(id: number): never {
    throw new IovaError(`the range of id ${id} at pfn ${formatPfn(this.result.pfns[id] + this.offset)} is not mapped`);
  }

  private reserve(op: number): void {
    for (const allocator of this.domains) allocator.reserve(this.trace.first[op], this.trace.second[op]);
  }

  private wait(op: number): void {
    this.nowUs += this.trace.first[op];
    for (let due = this.tables?.takeDue(this.nowUs); due !== undefined; due = this.tables?.takeDue(this.nowUs))
      this.freeRanges("T", due.ranges, due.cpu);
    if (!this.lazy || this.nowUs < this.queue.timerUs) return;
    this.queue.timerFired();
    this.flush("T");
  }

  private flush(reason: "H" | "T"): void {
    const waiting = this.queue.takeAll().flatMap(({ ranges }) => ranges);
    this.freeRanges(reason, waiting, 0);
  }

  private freeRanges(reason: FlushEvent["reason"], ranges: readonly DeferredRange[], cpu: number): void {
    for (const { domain, pfn, pages } of ranges) this.domains[domain].free(pfn, pages, cpu);
    this.result.events.push({ op: this.op, reason, freed: ranges.length });
  }

  private observe(): void {
    if (this.counter !== null) {
      this.lines += this.counter.lines;
      this.counter.reset();
    }
    if (this.sampleEvery === 0) return;
    if (this.op % this.sampleEvery !== 0 && this.op !== this.trace.kinds.length - 1) return;
    const { nodes, max, mean } = this.domains[0].statistics().depth;
    this.result.samples.push({ op: this.op, nodes, maxDepth: max, meanDepth: mean });
  }
}

/** The answers in the format of the fixtures: a header and one line for each map. For the pools the pfn is the table's entry. */
export function formatReplay(result: ReplayResult): string {
  const { allocator, pages, pfns, visits, hits, flushes, caches } = result;
  if (caches) return formatCacheAnswers(pages, result, caches.treeLocks);
  const last = allocator === "pools" ? "flush" : allocator === "magazines" ? "visits,hit" : "visits";
  const lines = [`id,pages,pfn,${last}`];
  for (let id = 0; id < pages.length; id++) {
    const start = `${id},${pages[id]},${pfns[id] === failed ? "-1" : formatPfn(pfns[id])}`;
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
