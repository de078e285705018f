/**
 * What hours of requests make of an allocator's caches: the real allocator serves a storage load outside simulated time, with nothing else of the host.
 *
 * A load goes up and down. In each spell of it so many requests as a draw says are under way; requests come from any CPU and are completed, in any
 * order, on the CPUs that get completions. What one CPU frees another has to fetch: that is what fills a depot.
 */
import type { RandomStream } from "../engine/index.js";
import { dma32Pfn, noPfn, type Rcache6Allocator, type Rcache6Statistics } from "../iova/index.js";

/** The load that ages an allocator. */
export interface StorageAgeing {
  /** Requests in all. */
  requests: number;
  /** Requests a second of all CPUs, for the clock of the depots' works. */
  rate: number;
  /** Requests of a CPU under way, at most. */
  depth: number;
  /** Requests until the load changes, on average. */
  spell: number;
  /** Pages of a request; each is drawn from these. */
  sizes: readonly number[];
  cores: number;
  /** Who gets completions: the CPU that submitted, or the CPUs among the first so many, in turn. */
  completions: "same" | number;
  /** The highest page that the device reaches: what lies below 4 GiB is tried first. */
  limit: number;
  /** For a device that reaches above 4 GiB: whether below is tried for every request, or until that fails once. */
  lowFirst: "always" | "until it fails";
  /** Unmapped ranges that a CPU holds back, and frees together when they are so many (lazy mode); 0 frees each at once. */
  ring: number;
}

/** Where an allocator stands after so many requests. */
export interface AgeSample {
  requests: number;
  /** Seconds of the load's own clock. */
  seconds: number;
  /** Magazines in all depots, and magazines that there are in all. */
  depots: number;
  magazines: number;
  /** Ranges in the tree: under way, or in a cache. */
  nodes: number;
  /** Since the sample before: acquisitions of the tree's lock, and nodes that searches stepped on, for each request. */
  treeLocks: number;
  visits: number;
  /** Requests that got nothing. */
  failed: number;
}

/** How long after it was armed a depot's work runs, in seconds (the timer's wheel rounds 100 ms up). */
const workDelay = 0.104;

/** Hears which depots' works are armed. */
export interface ArmedWorks {
  onArm: (bin: number) => void;
}

/**
 * Lets a load go over an allocator: one that takes the caller's word (`trusting`) serves some millions of requests a second, so that hours of a
 * load are a matter of seconds to minutes.
 * @param at numbers of requests after which a sample is taken, in order
 * @param hook where the allocator says that a depot's work is armed: its `onArm` calls what stands here
 */
export function ageStorage(
  allocator: Rcache6Allocator,
  load: StorageAgeing,
  random: RandomStream,
  hook: ArmedWorks,
  at: readonly number[] = [],
): { samples: AgeSample[]; gaveUpLow: boolean } {
  const { requests, rate } = load;
  const ageing = new Ageing(allocator, load, random);
  const due = new Float64Array(allocator.bins).fill(Number.POSITIVE_INFINITY);
  let nextDue = Number.POSITIVE_INFINITY;
  let made = 0;
  hook.onArm = (bin) => {
    due[bin] = made / rate + workDelay;
    nextDue = Math.min(nextDue, due[bin]);
  };
  const works = (now: number): void => {
    for (let bin = 0; bin < due.length; bin++)
      if (due[bin] <= now) {
        due[bin] = Number.POSITIVE_INFINITY;
        allocator.trim(bin);
      }
    nextDue = Math.min(...due);
  };
  const samples: AgeSample[] = [];
  let before = allocator.statistics();
  let sampled = 0;
  let spell = load.spell;
  while (made < requests) {
    ageing.request();
    made++;
    const now = made / rate;
    if (nextDue <= now) works(now);
    if (--spell <= 0) spell = ageing.change();
    if (made === at[samples.length]) {
      const after = allocator.statistics();
      samples.push(sampleOf(made, now, before, after, made - sampled, ageing.failed));
      before = after;
      sampled = made;
    }
  }
  ageing.end();
  return { samples, gaveUpLow: ageing.gaveUpLow };
}

const sampleOf = (
  requests: number,
  seconds: number,
  before: Rcache6Statistics,
  after: Rcache6Statistics,
  since: number,
  failed: number,
): AgeSample => ({
  requests,
  seconds,
  depots: after.depots.reduce((sum, one) => sum + one, 0),
  magazines: after.magazines,
  nodes: after.nodes,
  treeLocks: (after.treeLocks - before.treeLocks) / since,
  visits: (after.visits - before.visits) / since,
  failed,
});

/** Requests under way over an allocator, and ranges that are held back for a flush. */
class Ageing {
  /** Requests that got nothing. */
  failed = 0;
  private readonly pfns: Float64Array;
  private readonly pages: Int32Array;
  /** The CPU that each came from. */
  private readonly from: Int32Array;
  private live = 0;
  /** So many are to be under way in this spell, and at most ever. */
  private target: number;
  private readonly most: number;
  private turn = 0;
  private low: boolean;
  private readonly completers: number;
  private readonly heldPfns: Float64Array;
  private readonly heldPages: Int32Array;
  private readonly held: Int32Array;

  constructor(
    private readonly allocator: Rcache6Allocator,
    private readonly load: StorageAgeing,
    private readonly random: RandomStream,
  ) {
    const { cores, depth, ring, completions, limit } = load;
    this.most = cores * depth;
    this.pfns = new Float64Array(this.most);
    this.pages = new Int32Array(this.most);
    this.from = new Int32Array(this.most);
    this.target = random.below(this.most) + 1;
    this.low = limit > dma32Pfn;
    this.completers = completions === "same" ? 0 : Math.min(completions, cores);
    this.heldPfns = new Float64Array(cores * ring);
    this.heldPages = new Int32Array(cores * ring);
    this.held = new Int32Array(cores);
  }

  /** The device's addresses below 4 GiB are not tried any more. */
  get gaveUpLow(): boolean {
    return this.load.limit > dma32Pfn && !this.low;
  }

  /** One more request, when no more than so many are under way. */
  request(): void {
    const { random, load } = this;
    while (this.live >= this.target) this.complete();
    const cpu = random.below(load.cores);
    const size = load.sizes.length === 1 ? load.sizes[0] : load.sizes[random.below(load.sizes.length)];
    const pfn = this.allocate(size, cpu);
    if (pfn === noPfn) {
      this.failed++;
      return;
    }
    this.pfns[this.live] = pfn;
    this.pages[this.live] = size;
    this.from[this.live++] = cpu;
  }

  /** The load changes. @returns requests until it does so again */
  change(): number {
    this.target = this.random.below(this.most) + 1;
    const spell = Math.ceil(this.load.spell * 2 * this.random.uniform()) + 1;
    while (this.live > this.target) this.complete();
    return spell;
  }

  /** All that is under way is completed, and nothing is held back. */
  end(): void {
    while (this.live > 0) this.complete();
    for (let cpu = 0; cpu < this.load.cores; cpu++) this.giveBack(cpu);
  }

  private allocate(size: number, cpu: number): number {
    const { allocator, load } = this;
    if (allocator.trusting) {
      const pfn = allocator.takeTop(size, this.low ? dma32Pfn : load.limit, cpu);
      if (pfn !== noPfn) return pfn;
    }
    if (this.low) {
      const pfn = allocator.allocate(size, dma32Pfn, cpu, false);
      if (pfn !== noPfn) return pfn;
      if (load.lowFirst === "until it fails") this.low = false;
    }
    return allocator.allocate(size, load.limit, cpu);
  }

  private free(pfn: number, pages: number, cpu: number): void {
    const { allocator } = this;
    if (!allocator.trusting || !allocator.putTop(pages, pfn, cpu)) allocator.free(pfn, pages, cpu);
  }

  private complete(): void {
    const { pfns, pages, from, load } = this;
    const one = this.random.below(this.live);
    let cpu = from[one];
    if (this.completers > 0) {
      cpu = this.turn;
      if (++this.turn === this.completers) this.turn = 0;
    }
    if (load.ring === 0) this.free(pfns[one], pages[one], cpu);
    else {
      const place = cpu * load.ring + this.held[cpu]++;
      this.heldPfns[place] = pfns[one];
      this.heldPages[place] = pages[one];
      if (this.held[cpu] === load.ring) this.giveBack(cpu);
    }
    const last = --this.live;
    pfns[one] = pfns[last];
    pages[one] = pages[last];
    from[one] = from[last];
  }

  private giveBack(cpu: number): void {
    const start = cpu * this.load.ring;
    for (let place = start; place < start + this.held[cpu]; place++)
      this.free(this.heldPfns[place], this.heldPages[place], cpu);
    this.held[cpu] = 0;
  }
}
