import { type Part, parts, variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostResult, type HostRun, hostRun, type RecordedLoad, simulateRequests } from "../../host/index.js";
import type { LockStatRow } from "../../machine/index.js";
import { busiestDevice, loadTrace } from "../../recordings/index.js";
import { type Column, columnEach } from "../frame/column.js";
import { knobColumns } from "../frame/knob-fields.js";
import { mean } from "../frame/rows.js";
import { stretchesOf } from "../own-recording/load.js";
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

/** Locks that a core can be found waiting for, as the steps of the programs name them. */
export const spinLocks = ["allocator lock", "async_umap_flush_lock", "q_lock", "device_domain_lock"] as const;

/** What a row says of each group of locks. */
const lockMeasures = ["utilisation", "contended", "wait", "hold", "a transaction"] as const;
type LockMeasure = (typeof lockMeasures)[number];

/** Five columns for each group of locks. */
const lockColumns = <V>(of: (group: LockGroup) => Readonly<Record<LockMeasure, V>>) =>
  Object.assign(
    {},
    ...lockGroups.map((group) => {
      const measures = of(group);
      return columnEach(group, lockMeasures, (measure) => measures[measure]);
    }),
  ) as Record<`${LockGroup}: ${LockMeasure}`, V>;

/** Operations of a stretch of a recording, and those before it that leave the address space as it was. */
const stretchLength = { operations: 4000, before: 100_000 } as const;

/** A stretch of recorded requests on a host: its CPUs share the run's cores. */
function loadRun(run: HostRun, load: NonNullable<LockContentionPoint["load"]>, basis: Basis): HostResult {
  const { trace, stretch, stretches, rate } = load;
  const loads =
    typeof trace === "string"
      ? basis.memo.of(basis, "stretches", { trace, stretches, cores: run.cores }, () => {
          const recorded = loadTrace(trace);
          const options = { ...stretchLength, count: stretches, cores: run.cores };
          return stretchesOf(recorded, busiestDevice(recorded), options).loads;
        })
      : trace.loads.map((one) => onCores(one, run.cores));
  const one = loads[Math.min(stretch, loads.length - 1)];
  return simulateRequests(run, one, { rate, copies: 1 }, basis.facts);
}

/** The same requests from fewer cores. */
function onCores(load: RecordedLoad, cores: number): RecordedLoad {
  if (load.cores <= cores) return load;
  const held = load.held.map((one) => ({ ...one, core: one.core % cores }));
  return { ...load, cores, core: load.core.map((core) => core % cores), held };
}

/** Runs one point and makes its row. */
export function simulatePoint(point: LockContentionPoint, basis: Basis) {
  const { run } = point;
  const result = point.load ? loadRun(run, point.load, basis) : hostRun(run, basis);
  const { counts, gigahertz, cycles, slices, stale } = result;
  const us = (time: number): number => time / (gigahertz * 1000);
  const per = (time: number, count: number): number => (count > 0 ? time / count : 0);
  const mapCycles = per(
    cyclesOf(result, (context) => context === "map"),
    counts.maps,
  );
  const pteWriteCycles = per(
    cyclesOf(result, (_, step) => step === "__domain_mapping"),
    counts.maps,
  );
  return [
    {
      variant: run.variant,
      title: variant(run.variant).title,
      ...point.settings,
      replication: point.replication,
      ...(point.load ? { rate: point.load.rate } : {}),
      throughput: result.throughput,
      transactions: result.transactions,
      ...columnEach("share", parts, (part) => result.parts[part]),
      mapCycles,
      unmapCycles: per(
        cyclesOf(result, (context) => context === "unmap" || context === "flush"),
        counts.unmaps,
      ),
      pteWriteCycles,
      pteWriteShare: per(pteWriteCycles, mapCycles),
      visitsPerMap: result.visitsPerMap,
      treeNodes: result.allocator?.nodes ?? 0,
      treeDepth: result.allocator?.depth.max ?? 0,
      ...lockColumns((group) => {
        const s = summary(result.locks, group, cycles);
        return {
          utilisation: s.utilisation,
          contended: s.contended,
          wait: us(s.meanWait),
          hold: us(s.meanHold),
          "a transaction": s.acquisitions / result.transactions,
        };
      }),
      ...columnEach(
        "spin",
        spinLocks,
        (lock) => cyclesOf(result, (_, step) => step === `spin: ${lock}`) / (cycles * run.cores),
      ),
      failedMaps: counts.failedMaps,
      flushes: counts.flushes,
      staleMean: stale.meanLive,
      staleMax: stale.maxLive,
      windowMean: us(stale.meanWindow),
      windowMax: us(stale.maxWindow),
      emptyTables: result.emptyTables,
      freedTables: counts.freedTables,
      invalidationsPerUnmap: per(counts.invalidations, counts.unmaps),
      tables: result.tableCount,
      firstHalf: mean(slices.slice(0, run.slices / 2)),
      secondHalf: mean(slices.slice(run.slices / 2)),
    },
  ];
}

/** A row of the table. */
export type LockContentionRow = ReturnType<typeof simulatePoint>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<keyof LockContentionRow, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  ...knobColumns(),
  replication: { unit: "", description: "number of the independent run" },
  rate: { unit: "", description: "with a trace: how many times as fast as recorded its requests come" },
  throughput: { unit: "transactions/s", description: "transactions answered" },
  transactions: { unit: "", description: "transactions measured" },
  ...columnEach("share", parts, (part) => ({ unit: "share", description: `part of all cores' time: ${part}` })),
  mapCycles: { unit: "cycles", description: "a map, waiting included" },
  unmapCycles: { unit: "cycles", description: "an unmap, waiting and its part of the flushes included" },
  pteWriteCycles: { unit: "cycles", description: "__domain_mapping: the entry and the walk to it" },
  pteWriteShare: { unit: "share", description: "the same as part of a map" },
  visitsPerMap: { unit: "nodes", description: "nodes that an allocation looks at" },
  treeNodes: { unit: "nodes", description: "nodes of the tree at the end" },
  treeDepth: { unit: "levels", description: "deepest level of the tree at the end" },
  ...lockColumns(() => ({
    utilisation: { unit: "share", description: "time in which the busiest of these locks is held" },
    contended: { unit: "share", description: "acquisitions that had to wait" },
    wait: { unit: "µs", description: "mean wait of an acquisition" },
    hold: { unit: "µs", description: "mean hold" },
    "a transaction": { unit: "acquisitions", description: "acquisitions a transaction" },
  })),
  ...columnEach("spin", spinLocks, () => ({
    unit: "share",
    description: "part of all cores' time spent waiting for it",
  })),
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
