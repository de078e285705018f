import { type Part, parts, variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostResult, simulateHost } from "../../host/index.js";
import type { LockStatRow } from "../../machine/index.js";
import type { Column, Row } from "../frame/experiment.js";
import { knobColumns } from "../frame/knob-fields.js";
import type { LockContentionPoint } from "./config.js";

/** Locks of a lock table, put together by what they are: magazines and pools have one for each CPU, size or pool. */
export type LockGroup = "allocator" | "async" | "q_lock" | "devices";
export const lockGroups: readonly LockGroup[] = ["allocator", "async", "q_lock", "devices"];

/** Which group a lock belongs to, by its name. */
export function lockGroup(name: string): LockGroup {
  if (name === "q_lock") return "q_lock";
  if (name === "device_domain_lock") return "devices";
  return name.includes("async_umap") || name.includes("deferred_flush") ? "async" : "allocator";
}

/** Sums over a group: how busy its busiest lock was, how often and how long was waited. */
function summary(locks: readonly LockStatRow[], group: LockGroup, cycles: number) {
  const rows = locks.filter((row) => lockGroup(row.name) === group);
  const sum = (pick: (row: LockStatRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  const contentions = sum((row) => row.contentions);
  const acquisitions = sum((row) => row.acquisitions);
  return {
    utilisation: rows.reduce((most, row) => Math.max(most, row.holdtimeTotal / cycles), 0),
    contended: acquisitions > 0 ? contentions / acquisitions : 0,
    meanWait: acquisitions > 0 ? sum((row) => row.waittimeTotal) / acquisitions : 0,
    meanHold: acquisitions > 0 ? sum((row) => row.holdtimeTotal) / acquisitions : 0,
    acquisitions,
  };
}

const cyclesOf = (result: HostResult, test: (context: string, step: string, part: Part) => boolean): number =>
  result.steps.reduce((sum, s) => (test(s.context, s.step, s.part) ? sum + s.cycles : sum), 0);

/** Runs one point and makes its row. */
export function simulatePoint(point: LockContentionPoint, { facts }: Basis): Row[] {
  const { run } = point;
  const result = simulateHost(run, facts);
  const { counts, gigahertz } = result;
  const us = (cycles: number): number => cycles / (gigahertz * 1000);
  const per = (cycles: number, count: number): number => (count > 0 ? cycles / count : 0);
  const row: Row = {
    variant: run.variant,
    title: variant(run.variant).title,
    ...point.settings,
    replication: point.replication,
    throughput: result.throughput,
    transactions: result.transactions,
  };
  for (const part of parts) row[`share: ${part}`] = result.parts[part];
  row["mapCycles"] = per(
    cyclesOf(result, (context) => context === "map"),
    counts.maps,
  );
  row["unmapCycles"] = per(
    cyclesOf(result, (context) => context === "unmap" || context === "flush"),
    counts.unmaps,
  );
  row["pteWriteCycles"] = per(
    cyclesOf(result, (_, step) => step === "__domain_mapping"),
    counts.maps,
  );
  row["pteWriteShare"] = per(row["pteWriteCycles"] as number, row["mapCycles"] as number);
  row["visitsPerMap"] = result.visitsPerMap;
  row["treeNodes"] = result.allocator?.nodes ?? 0;
  row["treeDepth"] = result.allocator?.depth.max ?? 0;
  for (const group of lockGroups) {
    const s = summary(result.locks, group, result.cycles);
    row[`${group}: utilisation`] = s.utilisation;
    row[`${group}: contended`] = s.contended;
    row[`${group}: wait`] = us(s.meanWait);
    row[`${group}: hold`] = us(s.meanHold);
    row[`${group}: a transaction`] = s.acquisitions / result.transactions;
  }
  for (const lock of ["allocator lock", "async_umap_flush_lock", "q_lock", "device_domain_lock"])
    row[`spin: ${lock}`] = cyclesOf(result, (_, step) => step === `spin: ${lock}`) / (result.cycles * run.cores);
  row["failedMaps"] = counts.failedMaps;
  row["flushes"] = counts.flushes;
  row["staleMean"] = result.stale.meanLive;
  row["staleMax"] = result.stale.maxLive;
  row["windowMean"] = us(result.stale.meanWindow);
  row["windowMax"] = us(result.stale.maxWindow);
  row["emptyTables"] = result.emptyTables;
  row["freedTables"] = counts.freedTables;
  row["invalidationsPerUnmap"] = per(counts.invalidations, counts.unmaps);
  row["tables"] = result.tableCount;
  row["firstHalf"] = mean(result.slices.slice(0, run.slices / 2));
  row["secondHalf"] = mean(result.slices.slice(run.slices / 2));
  return [row];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The columns of the table, with their units. */
export const columns: Record<string, Column> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  ...knobColumns(),
  replication: { unit: "", description: "number of the independent run" },
  throughput: { unit: "transactions/s", description: "transactions answered" },
  transactions: { unit: "", description: "transactions measured" },
  ...Object.fromEntries(
    parts.map((part) => [`share: ${part}`, { unit: "share", description: `part of all cores' time: ${part}` }]),
  ),
  mapCycles: { unit: "cycles", description: "a map, waiting included" },
  unmapCycles: { unit: "cycles", description: "an unmap, waiting and its part of the flushes included" },
  pteWriteCycles: { unit: "cycles", description: "__domain_mapping: the entry and the walk to it" },
  pteWriteShare: { unit: "share", description: "the same as part of a map" },
  visitsPerMap: { unit: "nodes", description: "nodes that an allocation looks at" },
  treeNodes: { unit: "nodes", description: "nodes of the tree at the end" },
  treeDepth: { unit: "levels", description: "deepest level of the tree at the end" },
  ...Object.fromEntries(
    lockGroups.flatMap((group) => [
      [`${group}: utilisation`, { unit: "share", description: "time in which the busiest of these locks is held" }],
      [`${group}: contended`, { unit: "share", description: "acquisitions that had to wait" }],
      [`${group}: wait`, { unit: "µs", description: "mean wait of an acquisition" }],
      [`${group}: hold`, { unit: "µs", description: "mean hold" }],
      [`${group}: a transaction`, { unit: "acquisitions", description: "acquisitions a transaction" }],
    ]),
  ),
  ...Object.fromEntries(
    ["allocator lock", "async_umap_flush_lock", "q_lock", "device_domain_lock"].map((lock) => [
      `spin: ${lock}`,
      { unit: "share", description: `part of all cores' time spent waiting for it` },
    ]),
  ),
  failedMaps: { unit: "", description: "maps that failed" },
  flushes: { unit: "", description: "deferred flushes" },
  staleMean: { unit: "pages", description: "unmapped pages still reachable, mean over time" },
  staleMax: { unit: "pages", description: "the same, most at once" },
  windowMean: { unit: "µs", description: "from the unmap's return to its invalidation, mean" },
  windowMax: { unit: "µs", description: "the same, longest" },
  emptyTables: { unit: "tables", description: "page tables that map nothing and stay" },
  freedTables: { unit: "tables", description: "page tables that unmaps freed" },
  invalidationsPerUnmap: { unit: "invalidations", description: "sent to the IOMMU or the device, an unmap" },
  tables: { unit: "tables", description: "page tables in use" },
  firstHalf: { unit: "transactions/s", description: "throughput of the measurement's first half" },
  secondHalf: { unit: "transactions/s", description: "throughput of its second half" },
};
