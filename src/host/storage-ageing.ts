/**
 * What hours of requests make of an allocator's caches: the real allocator serves a storage load outside simulated time, with nothing else of the host.
 *
 * A load goes up and down. In each spell of it so many requests as a draw says are under way; requests come from any CPU and are completed, in any
 * order, on the CPUs that get completions. What one CPU frees another has to fetch: that is what fills a depot.
 */
import type { RandomStream } from "../engine/index.js";
import { dma32Pfn, noPfn, type Rcache6Allocator } from "../iova/index.js";

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
 * Lets a load go over an allocator.
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
  const { cores, depth, sizes, requests, rate, limit } = load;
  const due = new Float64Array(allocator.bins).fill(Number.POSITIVE_INFINITY);
  let now = 0;
  hook.onArm = (bin) => {
    due[bin] = now + workDelay;
  };
  const most = cores * depth;
  // Requests under way: where, how many pages, from which CPU.
  const pfns = new Float64Array(most);
  const pages = new Int32Array(most);
  const from = new Int32Array(most);
  let live = 0;
  let target = random.below(most) + 1;
  let left = load.spell;
  let turn = 0;
  let low = limit > dma32Pfn;
  let failed = 0;
  const rings = Array.from({ length: cores }, (): { pfn: number; pages: number }[] => []);
  const samples: AgeSample[] = [];
  let before = allocator.statistics();
  let sampled = 0;
  const giveBack = (cpu: number): void => {
    for (const range of rings[cpu].splice(0)) allocator.free(range.pfn, range.pages, cpu);
  };
  const complete = (): void => {
    const one = random.below(live);
    const cpu = load.completions === "same" ? from[one] : turn++ % Math.min(load.completions, cores);
    if (load.ring === 0) allocator.free(pfns[one], pages[one], cpu);
    else {
      rings[cpu].push({ pfn: pfns[one], pages: pages[one] });
      if (rings[cpu].length >= load.ring) giveBack(cpu);
    }
    live--;
    pfns[one] = pfns[live];
    pages[one] = pages[live];
    from[one] = from[live];
  };
  for (let made = 0; made < requests; ) {
    if (live >= target) complete();
    else {
      const cpu = random.below(cores);
      const size = sizes.length === 1 ? sizes[0] : sizes[random.below(sizes.length)];
      let pfn: number = noPfn;
      if (low) {
        pfn = allocator.allocate(size, dma32Pfn, cpu, false);
        if (pfn === noPfn && load.lowFirst === "until it fails") low = false;
      }
      if (pfn === noPfn) pfn = allocator.allocate(size, limit, cpu);
      made++;
      now = made / rate;
      if (pfn === noPfn) failed++;
      else {
        pfns[live] = pfn;
        pages[live] = size;
        from[live++] = cpu;
      }
      for (let bin = 0; bin < due.length; bin++)
        if (due[bin] <= now) {
          due[bin] = Number.POSITIVE_INFINITY;
          allocator.trim(bin);
        }
      if (--left <= 0) {
        target = random.below(most) + 1;
        left = Math.ceil(load.spell * 2 * random.uniform()) + 1;
        while (live > target) complete();
      }
      if (made === at[samples.length]) {
        const after = allocator.statistics();
        samples.push({
          requests: made,
          seconds: now,
          depots: after.depots.reduce((sum, one) => sum + one, 0),
          magazines: after.magazines,
          nodes: after.nodes,
          treeLocks: (after.treeLocks - before.treeLocks) / (made - sampled),
          visits: (after.visits - before.visits) / (made - sampled),
          failed,
        });
        before = after;
        sampled = made;
      }
    }
  }
  while (live > 0) complete();
  for (let cpu = 0; cpu < cores; cpu++) giveBack(cpu);
  return { samples, gaveUpLow: limit > dma32Pfn && !low };
}
