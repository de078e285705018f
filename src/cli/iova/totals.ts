import type { CacheReplay, ReplayResult } from "../../iova/index.js";

/** An allocator's totals: name, value, unit. */
export function rowsOf(result: ReplayResult): [string, number, string][] {
  const s = result.statistics;
  const perMap = (value: number) => (s.allocations === 0 ? 0 : value / s.allocations);
  const lines = result.lines ?? { reads: 0, writes: 0, touched: 0, operations: 0 };
  return [
    ["maps", s.allocations, "requests"],
    ["failures", s.failures, "requests"],
    ["frees", s.frees, "ranges"],
    ["live at the end", s.live, "ranges"],
    ["live at most", s.peakLive, "ranges"],
    ["visits", s.visits, "nodes"],
    ["visits a map", perMap(s.visits), "nodes"],
    ["visits of the worst map", s.maxVisits, "nodes"],
    ["nodes at the end", s.nodes, "nodes"],
    ["nodes at most", s.peakNodes, "nodes"],
    ["depth at the end", s.depth.max, "levels"],
    ["mean depth at the end", s.depth.mean, "levels"],
    ["merges", s.merges, "joints"],
    ["splits", s.splits, "nodes"],
    ["cache hits", s.hits, "requests"],
    ["flush callbacks", s.flushes, "flushes"],
    ["deferred flushes", deferredFlushes(result), "flushes"],
    ...(result.caches ? cacheRowsOf(result.caches) : []),
    ["lines read", lines.reads, "accesses"],
    ["lines written", lines.writes, "accesses"],
    ["distinct lines an operation", lines.operations === 0 ? 0 : lines.touched / lines.operations, "lines"],
  ];
}

/** Flushes of the deferred queue. */
export function deferredFlushes({ caches, events }: ReplayResult): number {
  return caches ? caches.driver.flushesFull + caches.driver.flushesTimer : events.length;
}

/** What only the allocator of today has. */
function cacheRowsOf({ caches: c, driver: d }: CacheReplay): [string, number, string][] {
  return [
    ["tree locks", c.treeLocks, "acquisitions"],
    ["tree locks in a CPU's", c.treeInCpu, "acquisitions"],
    ["tree locks in a depot's", c.treeInDepot, "acquisitions"],
    ["CPU cache locks", c.cpuLocks, "acquisitions"],
    ["CPU cache locks in a queue's", d.cpuInQueue, "acquisitions"],
    ["depot locks", c.depotLocks, "acquisitions"],
    ["flush queue locks", d.queueLocks, "acquisitions"],
    ["cache lookups", c.lookups, "requests"],
    ["slots above the limit", c.scanSkips, "slots"],
    ["magazines at the end", c.magazines, "magazines"],
    ["magazines at most", c.peakMagazines, "magazines"],
    ["ranges in caches", c.cached, "ranges"],
    ["to depots", c.depotPuts, "magazines"],
    ["from depots", c.depotGets, "magazines"],
    ["trimmed", c.depotTrims, "magazines"],
    ["drains", c.drains, "drains"],
    ["second passes", c.retries, "searches"],
    ["refused early", c.earlyFull, "requests"],
    ["32-bit tries given up", d.gaveUpLow, "times"],
    ["freed by a full queue", d.freedFull, "ranges"],
    ["freed by the timer", d.freedTimer, "ranges"],
    ["freed after others' flushes", d.freedReclaim, "ranges"],
    ["waiting at the end", d.queued, "ranges"],
  ];
}

/** The totals as a table, or as comma-separated values. */
export function formatStatistics(result: ReplayResult, csv: boolean): string {
  const rows = rowsOf(result);
  if (csv)
    return `${["name,value,unit", ...rows.map(([name, value, unit]) => `${name},${value},${unit}`)].join("\n")}\n`;
  return rows.map(([name, value, unit]) => `${name.padEnd(28)} ${shown(value).padStart(12)} ${unit}\n`).join("");
}

/** A number as people read it. */
export function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
