import type { PacketResult, PacketRun } from "../../host/index.js";

/**
 * What a host could see: the events of VT-d's performance monitoring that bear on misses, by the names under which Linux lists them since 6.3
 * (/sys/bus/event_source/devices/dmar0/events), over the measured part of a run. Counters of an IOMMU clock count nanoseconds here.
 */
export interface MissCounters {
  iommu_clocks: number;
  iotlb_lookup: number;
  iotlb_hit: number;
  ss_nonleaf_lookup: number;
  ss_nonleaf_hit: number;
  iommu_mrds: number;
  pw_occupancy: number;
}

/** The counters after a run. */
export function countersOf({ unit, before, nanoseconds, walkOccupancyPs }: PacketResult): MissCounters {
  if (!unit || !before)
    return {
      iommu_clocks: nanoseconds,
      iotlb_lookup: 0,
      iotlb_hit: 0,
      ss_nonleaf_lookup: 0,
      ss_nonleaf_hit: 0,
      iommu_mrds: 0,
      pw_occupancy: 0,
    };
  const sum = (after: readonly number[], start: readonly number[], weigh: (i: number) => number): number =>
    after.reduce((total, value, i) => total + weigh(i) * (value - start[i]), 0);
  return {
    iommu_clocks: nanoseconds,
    iotlb_lookup: unit.lookups - before.lookups,
    iotlb_hit: unit.hits - before.hits,
    ss_nonleaf_lookup: unit.walks - before.walks,
    ss_nonleaf_hit: sum(unit.structureHits, before.structureHits, () => 1),
    iommu_mrds: sum(unit.walksByDepth, before.walksByDepth, (reads) => reads),
    pw_occupancy: walkOccupancyPs / 1000,
  };
}

/** What a miss costs, as far as the counters say: nanoseconds. */
export interface InferredMiss {
  /** Reads of table entries a miss, times what one read takes on an idle host: needs a measurement of that. */
  inferredByReads: number;
  /** Walks under way over time, divided by walks (Little's law): the time of a walk, without what it waits for a walker. */
  inferredByOccupancy: number;
  /** The same with the wait: as in a queue whose walkers are that busy. */
  inferredWithQueue: number;
}

/**
 * Infers the cost of a miss from the counters alone. By Little's law the mean number of walks under way is their rate times their time, so
 * occupancy over walks is the time of a walk, whatever the walk meets in memory. Misses that wait for a walker, or join a walk, are not
 * in it: the last column adds the wait of a queue with `c` servers (Sakasegawa's approximation, c of the order of a few).
 */
export function inferMissNs(counters: MissCounters, run: PacketRun): InferredMiss {
  const { iommu_clocks, iotlb_lookup, iotlb_hit, ss_nonleaf_lookup, iommu_mrds, pw_occupancy } = counters;
  const misses = iotlb_lookup - iotlb_hit;
  const walks = ss_nonleaf_lookup;
  if (misses === 0 || walks === 0) return { inferredByReads: 0, inferredByOccupancy: 0, inferredWithQueue: 0 };
  const servers = run.unit.walkers;
  const busy = Math.min(0.99, pw_occupancy / iommu_clocks / servers);
  const walkNs = pw_occupancy / walks;
  return {
    inferredByReads: (iommu_mrds / walks) * (run.walks.cachePs / 1000),
    inferredByOccupancy: walkNs,
    inferredWithQueue: walkNs * (1 + queueing(busy, servers)),
  };
}

/** Mean wait over mean service of a queue with random arrivals and services that hardly vary: ρ^(√(2(c+1)) − 1) / (2 c (1 − ρ)). */
function queueing(busy: number, servers: number): number {
  const exponent = Math.sqrt(2 * (servers + 1)) - 1;
  return power(busy, exponent) / (2 * servers * (1 - busy));
}

/** x^y for x from 0 to 1, by squaring and square roots: the core has no pow of its own. */
function power(x: number, y: number): number {
  const whole = Math.floor(y);
  let result = 1;
  for (let i = 0; i < whole; i++) result *= x;
  let root = x;
  let rest = y - whole;
  for (let i = 0; i < 20; i++) {
    root = Math.sqrt(root);
    rest *= 2;
    if (rest >= 1) {
      result *= root;
      rest -= 1;
    }
  }
  return result;
}
