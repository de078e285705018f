import type { DmaCounts, Part, StaleReport, StepTime } from "../dma/index.js";
import type { Basis, Facts } from "../facts/index.js";
import type { IovaStatistics } from "../iova/index.js";
import type { LockStatRow } from "../machine/index.js";
import type { Exposure } from "./exposure.js";
import { Host } from "./host.js";
import { freshOf, Image } from "./image.js";
import type { HostRun } from "./knobs.js";
import { advanceTo, sharesOfTime, takenLocks, visitsPerMap } from "./server.js";

/** What a run measured. Times in cycles of the host. */
export interface HostResult {
  /** Transactions a second of simulated time. */
  throughput: number;
  transactions: number;
  cycles: number;
  gigahertz: number;
  /** Share of all cores' time, by part; they sum to one. */
  parts: Record<Part, number>;
  /** Cycles over all cores by context and step. */
  steps: StepTime[];
  locks: LockStatRow[];
  /** How long acquisitions waited and held, in cycles: bucket b counts from 2^(b−1) up to 2^b; bucket 0 counts zeros. */
  lockTimes: { lock: string; waits: number[]; holds: number[] }[];
  counts: DmaCounts;
  /** Allocator totals over the whole run, and what the measurement added. */
  allocator: IovaStatistics | undefined;
  visitsPerMap: number;
  stale: StaleReport;
  /** Whose unmapped pages could be reached, where that was asked for. */
  exposure: Exposure | undefined;
  /** Pages that their owners had given up and a mapping still held. */
  pinned: { mean: number; most: number } | undefined;
  emptyTables: number;
  tableCount: number;
  liveMaps: number;
  /** Simulation events dispatched: for benchmarks. */
  events: number;
  /** Throughput of each slice of the measurement, to show that it is steady. */
  slices: number[];
}

/**
 * Runs TCP_RR on one host: boots the drivers, fills the rings, warms up, measures.
 * The same argument gives the same result, everywhere.
 * @throws RangeError where the host does not have so many cores
 */
export function simulateHost(run: HostRun, facts: Facts): HostResult {
  const host = new Host(run, facts);
  host.boot();
  return measured(host);
}

/**
 * The same result where several runs are alike: one that was run already is not run again, and one that begins as another did takes a copy
 * of the host that was ready then. Both are kept in the basis's memo. The result is shared, to be read only.
 * @throws RangeError where the host does not have so many cores
 * @example hostRun({ ...hostRunDefaults(facts), variant: "strict" }, basisOf(facts)).throughput
 */
export function hostRun(run: HostRun, basis: Basis): HostResult {
  return basis.memo.of(basis, "host run", run, (inner) => {
    const host = new Host(run, inner.facts);
    // Where nothing is mapped there is nothing to copy.
    if (host.api.allocator) bootOnce(host, inner);
    else host.boot();
    return measured(host);
  });
}

/** Boots the host, or makes it what one that began in the same way was. */
function bootOnce(host: Host, basis: Basis): void {
  const { parts, beside } = host.booted;
  let first = false;
  const ready = basis.memo.of(basis, "ready host", beginningOf(host.run), () => {
    first = true;
    const outside = new Set(beside);
    const fresh = freshOf(parts, outside);
    host.boot();
    return new Image(parts, outside, fresh);
  });
  if (!first) ready.putInto(parts);
}

/** Fields of a run that nothing before the first event reads; a test runs each with and without a copy. */
export const notInTheBeginning = [
  "seed",
  "threads",
  "lock",
  "handoffCycles",
  "shuffleCompletions",
  "flows",
  "stackCycles",
  "stackLines",
  "offIdle",
  "otherWork",
  "receiveShare",
  "workSpread",
  "pollBudget",
  "refillBatch",
  "peerMicroseconds",
  "transmitMicroseconds",
  "interruptGapMicroseconds",
  "ats",
  "flushMilliseconds",
  "machine",
  "machineOverrides",
  "costs",
  "touchedAfterMicroseconds",
  "warmup",
  "transactions",
  "slices",
] as const satisfies readonly (keyof HostRun)[];

/** What a run's beginning depends on. */
function beginningOf(run: HostRun): object {
  const later: readonly string[] = notInTheBeginning;
  return Object.fromEntries(Object.entries(run).filter(([field]) => !later.includes(field)));
}

function measured(host: Host): HostResult {
  const { api, exposure, gigahertz, lists, run, simulation, workload } = host;
  host.begin();
  advanceTo(workload, simulation, run.warmup);
  const start = simulation.now;
  const before = api.allocator?.statistics();
  api.reset();
  lists?.reset();
  exposure?.reset();
  const slices: number[] = [];
  const first = workload.done;
  let last = { now: start, done: first };
  for (let i = 1; i <= run.slices; i++) {
    advanceTo(workload, simulation, first + Math.round((run.transactions * i) / run.slices));
    const { now } = simulation;
    const done = workload.done - last.done;
    slices.push(now > last.now ? (done * gigahertz * 1e9) / (now - last.now) : 0);
    last = { now, done: workload.done };
  }
  const elapsed = simulation.now - start;
  const transactions = workload.done - first;
  const parts = sharesOfTime(api, simulation.now, elapsed * run.cores);
  const after = api.allocator?.statistics();
  const tables = api.tableUse();
  return {
    throughput: (transactions * gigahertz * 1e9) / elapsed,
    transactions,
    cycles: elapsed,
    gigahertz,
    parts,
    steps: api.accounts.byStep(),
    locks: takenLocks(api),
    lockTimes: api.lockTimes(),
    counts: { ...api.counts },
    allocator: after,
    visitsPerMap: visitsPerMap(before, after),
    stale: api.watch.report(simulation.now),
    exposure: exposure?.report(simulation.now),
    pinned: lists?.pinned(),
    emptyTables: tables.empty,
    tableCount: tables.tables,
    liveMaps: tables.leaves,
    events: simulation.dispatched,
    slices,
  };
}
