/**
 * What a device's recorded requests do to each allocator, under each policy: the real allocators, the recording's order, CPUs and clock.
 * No machine is simulated here: visits, hits and flushes are counts, and nothing costs time.
 */
import {
  allocatorFor,
  delayTicks,
  depotDelayMs,
  dma32Pfn,
  firingTick,
  type IovaAllocator,
  noPfn,
  Rcache6Allocator,
  roundUpPages,
  topPfn,
  traceDefaults,
} from "../../iova/index.js";
import { LogHistogram, Op, poolEntries, type Trace } from "../../recordings/index.js";
import { AtOnce, type Flushing, type FlushOwner, hz, OneTable, OnWrap, RingPerCpu, TablePerCpu } from "./flushing.js";

/**
 * The allocators, oldest idea first. "lazy" and "fq6" of `iova replay` are the tree and rcache6 under their lazy policy, "rcache6-large" is rcache6
 * with `largeCaches`.
 */
export const recordedAllocators = [
  "rbtree",
  "rbtree-merged",
  "pools",
  "magazines",
  "rcache6",
  "rcache6-large",
] as const;
/** One of {@link recordedAllocators}. */
export type RecordedAllocator = (typeof recordedAllocators)[number];

/** What each is, as tables and figures name it. */
export const allocatorTitles: Readonly<Record<RecordedAllocator, string>> = {
  rbtree: "tree (v4.3)",
  "rbtree-merged": "merged tree",
  pools: "pools (16)",
  magazines: "magazines (v4.9)",
  rcache6: "caches of today (6.18)",
  "rcache6-large": "6.18, caches up to 512 pages",
};

/** Pages of the largest range that the caches keep: Linux's 32 became 512 in a series of 2021, which was not merged (records MS13, MS14). */
const largeCaches = 512;

/** When unmapped ranges are given back: strict at once, lazy by the flush queue that goes with the allocator. */
export type ReplayPolicy = "strict" | "lazy";

/** Requests of one size, and how many of them a per-CPU cache served. */
export interface SizeHits {
  pages: number;
  maps: number;
  hits: number;
}

/** One allocator under one policy. Shares are from 0 to 1. */
export interface AllocatorRow {
  allocator: RecordedAllocator;
  title: string;
  policy: ReplayPolicy;
  maps: number;
  /** Maps that got no address below 4 GiB and one above it. */
  above4GiB: number;
  failures: number;
  /** Why; empty where none failed. */
  failureReason: string;
  /** Nodes of the tree that a map's search looked at; 0 where a cache or a bitmap served it. */
  visitsP50: number;
  visitsP99: number;
  visitsMost: number;
  visitsMean: number;
  hitShare: number;
  hitsBySize: SizeHits[];
  /** Magazines that went to a depot, and that came back from one; null where the allocator has none, or does not count them. */
  toDepot: number | null;
  fromDepot: number | null;
  flushesFull: number;
  flushesTimer: number;
  /** Unmapped pages that the device could still reach: mean over time, most at a time; and the longest, in µs. */
  exposedMean: number;
  exposedMost: number;
  exposedLongestUs: number;
  /** Ranges in the tree at the end, and those of them that a cache keeps. */
  nodes: number;
  cached: number;
  /** Over the recording's time, in at most 240 bins. */
  series: { timeNs: number[]; visitsMean: number[]; visitsMost: number[]; cached: number[] };
}

/** Whether an allocator has per-CPU caches, in which freed ranges lie. */
export function hasCaches({ allocator }: Pick<AllocatorRow, "allocator">): boolean {
  return allocator === "magazines" || allocator === "rcache6" || allocator === "rcache6-large";
}

/** How a replay is watched. */
export interface ReplayWatch {
  /** Told how far it is, in operations of the recording. Throwing ends it. */
  onProgress?: (done: number, total: number) => void;
  /** Entries of the pools' table (default: what {@link poolEntries} says). */
  entries?: number;
  /** Whether to count what stays reachable (default: yes): where hardly anything flushes, that is a record for nearly every unmap. */
  exposure?: boolean;
  /** As long as the trace: where several replays follow each other they can share it. */
  scratch?: Float64Array;
}

const bins = 240;
const progressEvery = 1 << 16;
const visitsOfTurn = 50_000_000;

/** Replays one device's requests on an allocator. @throws IovaError naming what Linux would stop at */
export function replayRecording(
  trace: Trace,
  device: number,
  allocator: RecordedAllocator,
  policy: ReplayPolicy,
  watch: ReplayWatch = {},
): AllocatorRow {
  const turns = replayInTurns(trace, device, allocator, policy, watch);
  for (;;) {
    const turn = turns.next();
    if (turn.done) return turn.value;
    watch.onProgress?.(turn.value, trace.length);
  }
}

/** The same, with a pause after at most a second or so of work: a map in a tree of 300,000 ranges may look at half of them. Yields the operations done. */
export function* replayInTurns(
  trace: Trace,
  device: number,
  allocator: RecordedAllocator,
  policy: ReplayPolicy,
  watch: ReplayWatch = {},
): Generator<number, AllocatorRow> {
  const run = new RecordedReplay(trace, device, allocator, policy, watch);
  let visited = 0;
  for (let op = 0; op < trace.length; op++) {
    if (op % progressEvery === 0 || run.visited - visited > visitsOfTurn) {
      visited = run.visited;
      yield op;
    }
    if (trace.device[op] === device) run.operation(op);
  }
  return run.row();
}

/** The pools of one size, lazy: what the size of their table does. */
export interface PoolTableRow {
  entries: number;
  failures: number;
  flushes: number;
}

/** Replays the lazy pools with tables of other sizes. */
export function replayPoolTables(
  trace: Trace,
  device: number,
  sizes: readonly number[],
  watch: ReplayWatch = {},
): PoolTableRow[] {
  return sizes.map((entries) => {
    const row = replayRecording(trace, device, "pools", "lazy", { ...watch, entries, exposure: false });
    return { entries, failures: row.failures, flushes: row.flushesFull };
  });
}

class RecordedReplay implements FlushOwner {
  private readonly space: IovaAllocator;
  private readonly rcache: Rcache6Allocator | undefined;
  private readonly flushing: Flushing;
  private readonly rounds: boolean;
  /** The address of each map, by its operation. */
  private readonly pfns: Float64Array;
  private readonly exposes: boolean;
  private readonly visits = new LogHistogram();
  private readonly sizes = new Map<number, SizeHits>();
  private readonly exposure = new ExposureCount();
  private readonly workTicks: number[] = [];
  private readonly firstNs: number;
  private readonly spanNs: number;
  private readonly visitSums = new Float64Array(bins);
  private readonly visitCounts = new Float64Array(bins);
  private readonly visitMost = new Float64Array(bins);
  private readonly cachedAt = new Float64Array(bins).fill(-1);
  private bin = -1;
  private us = 0;
  private tick = 0;
  private maps = 0;
  private hits = 0;
  private live = 0;
  private waiting = 0;
  private failures = 0;
  private above4GiB = 0;
  private flushesFull = 0;
  private flushesTimer = 0;

  constructor(
    private readonly trace: Trace,
    device: number,
    private readonly name: RecordedAllocator,
    private readonly policy: ReplayPolicy,
    watch: ReplayWatch,
  ) {
    const cpus = trace.cpu.reduce((most, cpu) => Math.max(most, cpu), 0) + 1;
    if (name === "rcache6" || name === "rcache6-large") {
      this.rcache = new Rcache6Allocator({
        cpus,
        trusting: true,
        ...(name === "rcache6-large" ? { largestCached: largeCaches } : {}),
        onArm: (bin) => {
          this.workTicks[bin] = firingTick(this.tick, delayTicks(depotDelayMs, hz), true);
        },
      });
      this.space = this.rcache;
    } else {
      this.space = allocatorFor(name, {
        ...traceDefaults,
        cpus,
        entries: watch.entries ?? poolEntries(trace, device),
        flushcb: policy === "lazy" ? 1 : 0,
      });
    }
    // The window of the I/O APIC, which VT-d keeps out of every address space.
    if (name !== "pools") this.space.reserve(0xfee00, 0xfeeff);
    this.rounds = name !== "pools" && this.rcache === undefined;
    this.flushing = this.policyOf(cpus);
    this.pfns = (watch.scratch ?? new Float64Array(trace.length)).fill(noPfn);
    this.exposes = policy === "lazy" && watch.exposure !== false;
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let op = 0; op < trace.length; op++) {
      if (trace.device[op] !== device) continue;
      first = Math.min(first, trace.timeNs[op]);
      last = Math.max(last, trace.timeNs[op]);
    }
    this.firstNs = Number.isFinite(first) ? first : 0;
    this.spanNs = Math.max(1, last - this.firstNs);
  }

  private policyOf(cpus: number): Flushing {
    if (this.policy === "strict") return new AtOnce(this);
    if (this.name === "pools") return new OnWrap(this);
    if (this.name === "magazines") return new TablePerCpu(this, cpus);
    return this.rcache !== undefined ? new RingPerCpu(this, cpus) : new OneTable(this);
  }

  /** Nodes that searches have looked at so far. */
  get visited(): number {
    return this.visits.sum;
  }

  operation(op: number): void {
    const { trace } = this;
    this.advance(trace.timeNs[op]);
    if (trace.op[op] === Op.map) this.map(op);
    else this.unmap(op);
  }

  private advance(timeNs: number): void {
    const us = Math.floor(timeNs / 1000);
    // Texts of several CPUs that were joined can go back a little: no timer does.
    if (us > this.us) {
      this.us = us;
      this.tick = Math.floor((us * hz) / 1e6);
      this.flushing.advance(us);
      if (this.rcache) this.depots(this.rcache);
    }
    const bin = Math.max(0, Math.min(bins - 1, Math.floor((bins * (timeNs - this.firstNs)) / this.spanNs)));
    if (bin === this.bin) return;
    if (this.bin >= 0) this.cachedAt[this.bin] = this.cached();
    this.bin = bin;
  }

  /** The depots' delayed works. */
  private depots(rcache: Rcache6Allocator): void {
    const { workTicks } = this;
    for (let bin = 0; bin < workTicks.length; bin++) {
      // A work that trims arms itself again.
      while (workTicks[bin] <= this.tick) {
        const due = workTicks[bin];
        workTicks[bin] = Number.POSITIVE_INFINITY;
        const now = this.tick;
        this.tick = due;
        rcache.trim(bin);
        this.tick = now;
      }
    }
  }

  private map(op: number): void {
    const { trace, space } = this;
    const asked = trace.pages[op];
    const pages = this.rounds ? roundUpPages(asked) : asked;
    const cpu = trace.cpu[op];
    const { last } = space;
    // As for a device that reaches all of memory: below 4 GiB first.
    let pfn = this.rcache ? this.rcache.allocate(pages, dma32Pfn, cpu, false) : space.allocate(pages, dma32Pfn, cpu);
    let { visits } = last;
    if (pfn === noPfn && this.name !== "pools") {
      pfn = space.allocate(pages, topPfn, cpu);
      visits += last.visits;
      if (pfn !== noPfn) this.above4GiB++;
    }
    if (last.flushes > 0) this.flushed(this.us, false);
    this.pfns[op] = pfn;
    this.maps++;
    this.visits.add(visits);
    this.hits += last.hit;
    let size = this.sizes.get(asked);
    if (size === undefined) {
      size = { pages: asked, maps: 0, hits: 0 };
      this.sizes.set(asked, size);
    }
    size.maps++;
    size.hits += last.hit;
    this.visitSums[this.bin] += visits;
    this.visitCounts[this.bin]++;
    if (visits > this.visitMost[this.bin]) this.visitMost[this.bin] = visits;
    if (pfn === noPfn) this.failures++;
    else {
      this.live++;
      this.exposure.mapped(pfn, this.us);
    }
  }

  private unmap(op: number): void {
    const { trace } = this;
    const mapped = trace.partner[op];
    const pfn = this.pfns[mapped];
    if (pfn === noPfn) return;
    const asked = trace.pages[mapped];
    const pages = this.rounds ? roundUpPages(asked) : asked;
    this.live--;
    this.waiting++;
    if (this.exposes) this.exposure.unmapped(pfn, asked, this.us);
    this.flushing.unmap(pfn, pages, trace.cpu[op], this.us);
  }

  /** A range goes back to the allocator. */
  free(pfn: number, pages: number, cpu: number): void {
    this.waiting--;
    this.space.free(pfn, pages, cpu);
  }

  /** A flush is done. */
  flushed(timeUs: number, byTimer: boolean): void {
    if (this.policy === "strict") return;
    if (byTimer) this.flushesTimer++;
    else this.flushesFull++;
    this.exposure.flushed(timeUs);
  }

  /** Ranges that lie in the tree and that nobody has: in caches. */
  private cached(): number {
    if (this.rcache !== undefined) return this.rcache.tree.nodes - this.live - this.waiting - 1;
    if (this.name === "magazines") return this.space.statistics().nodes - this.live - this.waiting - 1;
    return 0;
  }

  private reason(): string {
    if (this.failures === 0) return "";
    return this.name === "pools"
      ? "the table of bits is too small, or a request is larger than a pool"
      : "no room below 2^52 pages";
  }

  row(): AllocatorRow {
    if (this.bin >= 0) this.cachedAt[this.bin] = this.cached();
    const { visits, maps, exposure } = this;
    const statistics = this.rcache ? this.rcache.statistics() : this.space.statistics();
    const counts = this.rcache?.counts;
    const series: AllocatorRow["series"] = { timeNs: [], visitsMean: [], visitsMost: [], cached: [] };
    for (let bin = 0; bin < bins; bin++) {
      if (this.visitCounts[bin] === 0 && this.cachedAt[bin] < 0) continue;
      series.timeNs.push(this.firstNs + ((bin + 0.5) * this.spanNs) / bins);
      series.visitsMean.push(this.visitCounts[bin] === 0 ? 0 : this.visitSums[bin] / this.visitCounts[bin]);
      series.visitsMost.push(this.visitMost[bin]);
      series.cached.push(Math.max(0, this.cachedAt[bin]));
    }
    const { mean, most, longestUs } = exposure.total(this.us, this.us - Math.floor(this.firstNs / 1000));
    return {
      allocator: this.name,
      title: allocatorTitles[this.name],
      policy: this.policy,
      maps,
      above4GiB: this.above4GiB,
      failures: this.failures,
      failureReason: this.reason(),
      visitsP50: maps === 0 ? 0 : visits.quantile(0.5),
      visitsP99: maps === 0 ? 0 : visits.quantile(0.99),
      visitsMost: maps === 0 ? 0 : visits.max,
      visitsMean: maps === 0 ? 0 : visits.sum / maps,
      hitShare: maps === 0 ? 0 : this.hits / maps,
      hitsBySize: [...this.sizes.values()].sort((a, b) => a.pages - b.pages),
      toDepot: counts ? counts.depotPuts : null,
      fromDepot: counts ? counts.depotGets : null,
      flushesFull: this.flushesFull,
      flushesTimer: this.flushesTimer,
      exposedMean: mean,
      exposedMost: most,
      exposedLongestUs: longestUs,
      nodes: statistics.nodes,
      cached: this.cached(),
      series,
    };
  }
}

/** Pages that were unmapped and whose translation may still be cached: how many, and for how long. */
class ExposureCount {
  private readonly since = new Map<number, { pages: number; us: number }>();
  private pages = 0;
  private most = 0;
  private pageUs = 0;
  private longestUs = 0;

  unmapped(pfn: number, pages: number, us: number): void {
    this.mapped(pfn, us);
    this.since.set(pfn, { pages, us });
    this.pages += pages;
    if (this.pages > this.most) this.most = this.pages;
  }

  /** Its address is handed out anew: what was there can be reached no more by it. */
  mapped(pfn: number, us: number): void {
    const one = this.since.get(pfn);
    if (one === undefined) return;
    this.since.delete(pfn);
    this.ended(one, us);
  }

  flushed(us: number): void {
    for (const one of this.since.values()) this.ended(one, us);
    this.since.clear();
  }

  /** Over so many µs that end at `us`, what still waits included. */
  total(us: number, spanUs: number): { mean: number; most: number; longestUs: number } {
    this.flushed(us);
    return { mean: spanUs > 0 ? this.pageUs / spanUs : 0, most: this.most, longestUs: this.longestUs };
  }

  private ended({ pages, us }: { pages: number; us: number }, nowUs: number): void {
    const time = Math.max(0, nowUs - us);
    this.pages -= pages;
    this.pageUs += pages * time;
    if (time > this.longestUs) this.longestUs = time;
  }
}
