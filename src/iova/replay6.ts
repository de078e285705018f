/**
 * Replays a trace on the allocator of Linux ≥ 4.15 with its driver layer: which limit a request tries first, the flush queue, and the timers on the
 * trace's clock (drivers/iommu/dma-iommu.c). Without the machine model; {@link replay} is the door.
 */

import type { Rcache6Statistics } from "./cache-statistics.js";
import { FlushRings, ringSlots, ringTimeoutMs } from "./flush-rings.js";
import type { Memory } from "./memory.js";
import { dma32Pfn, formatPfn, noPfn } from "./pfn.js";
import { depotDelayMs, Rcache6Allocator } from "./rcache6.js";
import { type DmaRules, newestRelease, rulesOf } from "./releases.js";
import { delayTicks, firingTick } from "./timer-wheel.js";
import { operationKinds, type ReplayTrace, type TraceConfig } from "./trace.js";

// Hot path: a module's own constants are compiled in, those of another are looked up at each use.
const { MAP, UNMAP, RESERVE, WAIT, OFFLINE } = operationKinds;
const failed = noPfn;
const low = dma32Pfn;
/** Operations of a plain replay that run in one call. */
const piece = 1024;
/** Ranges that room is made for at the start: the system gives memory only as it is touched. */
const mostRoom = 1 << 20;
const never = Number.POSITIVE_INFINITY;

/**
 * Something that happened besides the answers.
 * W depot work that trimmed a magazine (arg: size class; left: magazines in that depot) · I depot work that found nothing to do ·
 * G a map that drained all caches (arg: CPU; left: nodes after it) · X a CPU went offline (left: nodes) ·
 * R an unmap first removed entries that another flush had covered · F a full queue flushed · T the queue's timer flushed (arg: CPU; left: entries queued).
 */
export interface CacheEvent {
  /** Index of the operation during which it happened. */
  op: number;
  /** The trace's clock in µs; of a timer, its tick. */
  us: number;
  kind: "W" | "I" | "G" | "X" | "R" | "F" | "T";
  arg: number;
  /** Ranges freed. */
  freed: number;
  left: number;
}

/** Totals of the driver layer. */
export interface DriverStatistics {
  operations: number;
  maps: number;
  /** Maps that got nothing. */
  failures: number;
  /** Ranges mapped and not unmapped; those that wait in a queue are unmapped. */
  live: number;
  peakLive: number;
  visits: number;
  maxVisits: number;
  hits: number;
  /** Acquisitions of the queues' locks, and of CPU caches' locks under one. */
  queueLocks: number;
  cpuInQueue: number;
  /** Times that the device gave up on 32-bit addresses, and whether it still tries them first. */
  gaveUpLow: number;
  lowFirst: boolean;
  /** Flushes by a full queue and by the timer; entries that each freed, and those freed because another's flush had covered them. */
  flushesFull: number;
  flushesTimer: number;
  freedFull: number;
  freedTimer: number;
  freedReclaim: number;
  /** Entries that wait at the end. */
  queued: number;
}

/** What a replay on rcache6 or fq6 gives beyond the answers. */
export interface CacheReplay {
  /** Acquisitions of the tree's lock by each map. */
  treeLocks: Int32Array;
  events: CacheEvent[];
  driver: DriverStatistics;
  caches: Rcache6Statistics;
}

/** The arrays of answers, which the caller owns. */
export interface Answers {
  pfns: Float64Array;
  visits: Int32Array;
  hits: Uint8Array;
}

/** A replay in progress; `op` is the operation that runs. */
export class CachePlayer {
  op = 0;
  readonly allocator: Rcache6Allocator;
  readonly events: CacheEvent[] = [];
  readonly treeLocks: Int32Array;
  private readonly rules: DmaRules;
  private readonly config: TraceConfig;
  private readonly cpus: number;
  private readonly rings: FlushRings | null = null;
  private readonly ringDelay: number;
  private readonly depotDelay: number;
  /** Whether a memory hears of every access: then nothing takes a shorter way. */
  private readonly charged: boolean;
  /** Ticks at which the queue's timer and each depot's work fire. */
  private ringTick = never;
  private ringCpu = 0;
  private readonly workTicks: number[];
  private nowUs = 0;
  private tick = 0;
  private lowFirst: boolean;
  private readonly unmapped: Uint8Array;
  private readonly driver: DriverStatistics;
  /** Maps that a loaded magazine served at once; ranges mapped, and the most there were. */
  private quickMaps = 0;
  private live = 0;
  private peakLive = 0;

  /**
   * @param queued whether unmaps go through the flush queue
   * @param release whose rules; the newest where none is named
   */
  constructor(
    private readonly trace: ReplayTrace,
    queued: boolean,
    private readonly answers: Answers,
    release: string = newestRelease,
    memory: Memory | null = null,
  ) {
    const { config } = trace;
    this.config = config;
    this.cpus = trace.statedCpus;
    this.charged = memory !== null;
    this.rules = rulesOf(release);
    const { cpus } = this;
    this.allocator = new Rcache6Allocator({
      ...this.rules,
      largestCached: config.cached_pages,
      cpus,
      startPfn: config.start_pfn,
      memory,
      trusting: true,
      ranges: Math.min(trace.maps, mostRoom),
      onArm: (bin) => {
        this.workTicks[bin] = this.firing(this.depotDelay);
      },
    });
    this.workTicks = new Array(this.allocator.bins).fill(never);
    this.treeLocks = new Int32Array(trace.maps);
    this.unmapped = new Uint8Array(trace.maps);
    this.lowFirst = config.forcedac === 0;
    const kind = config.single === 1 ? "single" : "perCpu";
    this.ringDelay = delayTicks(config.timeout || ringTimeoutMs[kind], config.hz);
    this.depotDelay = delayTicks(depotDelayMs, config.hz);
    if (queued || config.fq === 1)
      this.rings = new FlushRings(cpus, config.fq_size || ringSlots[kind], config.single === 1);
    this.driver = {
      operations: trace.kinds.length,
      maps: trace.maps,
      failures: 0,
      live: 0,
      peakLive: 0,
      visits: 0,
      maxVisits: 0,
      hits: 0,
      queueLocks: 0,
      cpuInQueue: 0,
      gaveUpLow: 0,
      lowFirst: true,
      flushesFull: 0,
      flushesTimer: 0,
      freedFull: 0,
      freedTimer: 0,
      freedReclaim: 0,
      queued: 0,
    };
  }

  /** Runs every operation. @param after called after each; without it the replay takes shorter ways to the same answers */
  run(after?: (op: number) => void): void {
    const { kinds, first, second, cpus } = this.trace;
    let id = 0;
    if (after === undefined) {
      // In pieces, so that what is compiled is a call that returns and not the loop of one that runs (test/bench/iova).
      for (let op = 0; op < kinds.length; op += piece) id = this.runPlain(op, Math.min(op + piece, kinds.length), id);
      return;
    }
    for (let op = 0; op < kinds.length; op++) {
      this.op = op;
      const cpu = cpus[op] % this.cpus;
      if (kinds[op] === MAP) this.map(id++, first[op], second[op], cpu);
      else if (kinds[op] === UNMAP) this.unmap(first[op], cpu);
      else this.other(kinds[op], first[op], second[op], cpu);
      after(op);
    }
  }

  /** The same where nobody observes: what the loaded magazine serves is done without a call of many steps. @returns the next map's id */
  private runPlain(from: number, to: number, firstId: number): number {
    const { kinds, first, second, cpus } = this.trace;
    const direct = this.rings === null;
    const most = this.cpus;
    let id = firstId;
    for (let op = from; op < to; op++) {
      const kind = kinds[op];
      const stated = cpus[op];
      const cpu = stated < most ? stated : stated % most;
      if (kind === MAP) {
        if (!this.mapTop(id, first[op], second[op], cpu)) {
          this.op = op;
          this.map(id, first[op], second[op], cpu);
        }
        id++;
      } else if (kind === UNMAP) {
        if (!direct || !this.unmapTop(first[op] | 0, cpu)) {
          this.op = op;
          this.unmap(first[op], cpu);
        }
      } else {
        this.op = op;
        this.other(kind, first[op], second[op], cpu);
      }
    }
    return id;
  }

  private mapTop(id: number, pages: number, limit: number, cpu: number): boolean {
    const pfn = this.allocator.takeTop(pages, this.lowFirst && limit > low ? low : limit, cpu);
    if (pfn === failed) return false;
    const { answers } = this;
    answers.pfns[id] = pfn;
    answers.hits[id] = 1;
    this.quickMaps++;
    const live = ++this.live;
    if (live > this.peakLive) this.peakLive = live;
    return true;
  }

  private unmapTop(id: number, cpu: number): boolean {
    const pfn = this.answers.pfns[id];
    if (pfn === failed || this.unmapped[id] !== 0) return true;
    if (!this.allocator.putTop(this.trace.pages[id], pfn, cpu)) return false;
    this.unmapped[id] = 1;
    this.live--;
    return true;
  }

  private other(kind: number, first: number, second: number, cpu: number): void {
    if (kind === RESERVE) this.allocator.reserve(first, second);
    else if (kind === WAIT) this.wait(first);
    else if (kind === OFFLINE) this.offline(cpu);
    else this.allocator.online(cpu);
  }

  /** The totals at the end. */
  finish(): CacheReplay {
    const { driver, events, treeLocks } = this;
    driver.lowFirst = this.lowFirst;
    driver.hits += this.quickMaps;
    driver.live = this.live;
    driver.peakLive = this.peakLive;
    driver.queued = this.rings?.queued ?? 0;
    return { treeLocks, events, driver, caches: this.allocator.statistics() };
  }

  /** iommu_dma_alloc_iova: below 4 GiB first, without a drain, until that has failed once. */
  private map(id: number, pages: number, limit: number, cpu: number): void {
    const { allocator, driver, answers } = this;
    const { counts } = allocator.tree;
    const { last } = allocator;
    const { locks, removed } = counts;
    const { drains } = allocator.counts;
    let pfn = failed;
    let visits = 0;
    let hit = 0;
    if (this.lowFirst && limit > dma32Pfn) {
      pfn = allocator.allocate(pages, dma32Pfn, cpu, false);
      visits = last.visits;
      hit = last.hit;
      if (pfn === failed && this.rules.lowFirst === "until it fails") {
        this.lowFirst = false;
        driver.gaveUpLow++;
      }
    }
    if (pfn === failed) {
      pfn = allocator.allocate(pages, limit, cpu, true);
      visits += last.visits;
      hit = last.hit;
    }
    answers.pfns[id] = pfn;
    if (visits !== 0) answers.visits[id] = visits;
    if (hit !== 0) answers.hits[id] = hit;
    this.treeLocks[id] = counts.locks - locks;
    driver.visits += visits;
    driver.hits += hit;
    if (visits > driver.maxVisits) driver.maxVisits = visits;
    if (pfn === failed) driver.failures++;
    else if (++this.live > this.peakLive) this.peakLive = this.live;
    if (allocator.counts.drains !== drains) this.happened("G", cpu, counts.removed - removed, allocator.tree.nodes);
  }

  private unmap(id: number, cpu: number): void {
    const pfn = this.answers.pfns[id];
    if (pfn === failed || this.unmapped[id] !== 0) return;
    this.unmapped[id] = 1;
    this.live--;
    const pages = this.trace.pages[id];
    if (this.rings === null) this.allocator.free(pfn, pages, cpu);
    else this.queue(pfn, pages, cpu);
  }

  private offline(cpu: number): void {
    const freed = this.allocator.offline(cpu);
    if (freed !== undefined) this.happened("X", cpu, freed, this.allocator.tree.nodes);
  }

  // the flush queue

  /** queue_iova. */
  private queue(pfn: number, pages: number, cpu: number): void {
    const { driver } = this;
    const rings = this.rings as FlushRings;
    const ring = rings.ringOf(cpu);
    driver.queueLocks++;
    const covered = this.reclaim(rings, ring, cpu);
    if (covered > 0) {
      driver.freedReclaim += covered;
      this.happened("R", cpu, covered, rings.queued);
    }
    if (rings.isFull(ring)) {
      rings.flush();
      driver.flushesFull++;
      const freed = this.reclaim(rings, ring, cpu);
      driver.freedFull += freed;
      this.happened("F", cpu, freed, rings.queued);
    }
    rings.append(ring, pfn, pages);
    if (rings.armed) return;
    rings.armed = true;
    this.ringTick = this.firing(this.ringDelay);
    this.ringCpu = cpu;
  }

  /** fq_ring_free, under the ring's lock: what a finished flush covers goes into the caches of the CPU that runs. @returns entries */
  private reclaim(rings: FlushRings, ring: number, cpu: number): number {
    const { allocator, charged, driver } = this;
    let freed = 0;
    for (let entry = rings.takeCovered(ring); entry !== undefined; entry = rings.takeCovered(ring), freed++) {
      const { pfn, pages } = entry;
      if (pages <= allocator.largestCached) driver.cpuInQueue++;
      if (charged || !allocator.putTop(pages, pfn, cpu)) allocator.free(pfn, pages, cpu);
    }
    return freed;
  }

  /** fq_flush_timeout: one CPU flushes and frees for all. */
  private timeout(rings: FlushRings): void {
    const { driver } = this;
    this.ringTick = never;
    rings.armed = false;
    rings.flush();
    driver.flushesTimer++;
    let freed = 0;
    for (let ring = 0; ring < rings.count; ring++) {
      driver.queueLocks++;
      freed += this.reclaim(rings, ring, this.ringCpu);
    }
    driver.freedTimer += freed;
    this.happened("T", this.ringCpu, freed, rings.queued);
  }

  // the clock

  private wait(us: number): void {
    const end = this.nowUs + us;
    const { hz } = this.config;
    const last = Math.floor((end * hz) / 1e6);
    for (;;) {
      let next = this.ringTick;
      for (const due of this.workTicks) if (due < next) next = due;
      if (next > last) break;
      this.tick = next;
      this.nowUs = (next * 1e6) / hz;
      this.fire(next);
    }
    this.nowUs = end;
    this.tick = last;
  }

  /** What is due at a tick: the queue's timer first, then the depots' works by ascending size class. */
  private fire(tick: number): void {
    if (this.ringTick === tick && this.rings !== null) this.timeout(this.rings);
    for (let bin = 0; bin < this.workTicks.length; bin++) {
      if (this.workTicks[bin] !== tick) continue;
      this.workTicks[bin] = never;
      const freed = this.allocator.trim(bin);
      this.happened(freed > 0 ? "W" : "I", bin, freed, this.allocator.depotSize(bin));
    }
  }

  private firing(delay: number): number {
    return firingTick(this.tick, delay, this.config.wheel === 1);
  }

  private happened(kind: CacheEvent["kind"], arg: number, freed: number, left: number): void {
    this.events.push({ op: this.op, us: this.nowUs, kind, arg, freed, left });
  }
}

/** The events in the format of the fixtures. */
export function formatCacheEvents(events: readonly CacheEvent[]): string {
  const lines = events.map(({ op, us, kind, arg, freed, left }) => `${op},${us},${kind},${arg},${freed},${left}`);
  return `${["op,us,kind,arg,freed,left", ...lines].join("\n")}\n`;
}

/** One line a map, in the format of the fixtures. */
export function formatCacheAnswers(
  pages: Float64Array,
  { pfns, visits, hits }: Answers,
  treeLocks: Int32Array,
): string {
  const lines = ["id,pages,pfn,visits,hit,tree"];
  for (let id = 0; id < pages.length; id++) {
    const pfn = pfns[id] === failed ? "-1" : formatPfn(pfns[id]);
    lines.push(`${id},${pages[id]},${pfn},${visits[id]},${hits[id]},${treeLocks[id]}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The totals under the names that the fixtures have for them. */
export function fixtureTotals({ driver, caches }: CacheReplay): Record<string, number | number[]> {
  return {
    ops: driver.operations,
    maps: driver.maps,
    fails: driver.failures,
    live_end: driver.live,
    live_peak: driver.peakLive,
    nodes_end: caches.nodes,
    hits: driver.hits,
    lookups: caches.lookups,
    scan_skips: caches.scanSkips,
    visits_total: driver.visits,
    visits_max: driver.maxVisits,
    retries: caches.retries,
    limit_steps: caches.limitSteps,
    early_full: caches.earlyFull,
    find_steps: caches.findSteps,
    insert_steps: caches.insertSteps,
    lock_tree: caches.treeLocks,
    lock_cpu: caches.cpuLocks,
    lock_depot: caches.depotLocks,
    lock_fq: driver.queueLocks,
    tree_in_cpu: caches.treeInCpu,
    tree_in_depot: caches.treeInDepot,
    cpu_in_fq: driver.cpuInQueue,
    swaps_put: caches.swapsPut,
    swaps_get: caches.swapsGet,
    depot_puts: caches.depotPuts,
    depot_gets: caches.depotGets,
    depot_trims: caches.depotTrims,
    trim_freed: caches.trimFreed,
    works_idle: caches.worksIdle,
    global_flushes: caches.drains,
    removed_total: caches.removed,
    mags_end: caches.magazines,
    mags_peak: caches.peakMagazines,
    cached_end: caches.cached,
    dac_notice: driver.gaveUpLow,
    sac_first_end: driver.lowFirst ? 1 : 0,
    max32_end: caches.max32,
    depot_end: caches.depots,
    depot_max: caches.peakDepots,
    flush_full: driver.flushesFull,
    flush_timer: driver.flushesTimer,
    freed_full: driver.freedFull,
    freed_timer: driver.freedTimer,
    freed_reclaim: driver.freedReclaim,
    queued_end: driver.queued,
  };
}
