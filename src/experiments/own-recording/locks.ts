/**
 * What the recorded requests do on a simulated host: locks, waits, and where it can do no more; and what each way of mapping would change.
 *
 * Every way of mapping makes the same stretches of the recording, so differences are paired: the interval of a difference says how far it
 * varies from stretch to stretch. What nobody published (how long an invalidation takes, how much memory other work touches) is varied beside it.
 */
import { type Variant, variant as variantByName, variants } from "../../dma/index.js";
import { confidenceInterval, type Interval } from "../../engine/index.js";
import type { Facts } from "../../facts/index.js";
import {
  type HostRun,
  hostRunDefaults,
  knobNamed,
  type LoadResult,
  type RecordedLoad,
  simulateRequests,
} from "../../host/index.js";
import { cacheRules } from "../../iova/index.js";
import type { LockStatRow } from "../../machine/index.js";

/** A lock, or all locks of one kind (one for each CPU, say). Times in ns. */
export interface LockRow {
  variant: string;
  lock: string;
  /** How many locks of the kind were taken. */
  locks: number;
  acquisitionsPerRequest: number;
  /** Share of the acquisitions that had to wait. */
  contended: number;
  meanWaitNs: number;
  meanHoldNs: number;
  longestWaitNs: number;
  /** Share of the time in which the busiest of them is held. */
  utilisation: number;
}

/** One way of mapping under one load: the mean over the stretches. */
export interface LoadRow {
  variant: string;
  title: string;
  /** How many times as fast as recorded; Infinity: as fast as the cores can. */
  rate: number;
  cores: number;
  offered: number;
  achieved: number;
  /** CPU time in the DMA API for each request, in ns. */
  cpuNs: number;
  lateUs: number;
  /** Nodes that a map's search looks at. */
  visitsPerMap: number;
  /** The lock that is held most, and for which share of the time. */
  busiestLock: string;
  busiestShare: number;
}

/** A way of mapping against the one that it would replace. */
export interface Gain {
  change: string;
  from: string;
  to: string;
  title: string;
  /** CPU time in the DMA API for each request at the recorded rate: the change in percent, over the stretches. */
  cpuTime: Interval | undefined;
  /** Most requests a second: how many times as many, over the stretches. */
  capacity: Interval | undefined;
  /** Lowest and highest change of the CPU time where assumptions are moved to the ends of their ranges, in percent. */
  assumed: { low: number; high: number } | undefined;
  /** What stays reachable after an unmap at the recorded rate, with the change: pages, mean. */
  stalePages: number;
  /** What can be said: a number's sign, or why not. */
  verdict: "less" | "more" | "cannot tell";
  why: string;
}

/** What has been simulated. */
export interface Simulated {
  host: string;
  stretches: number;
  operations: number;
  cpus: number;
  cores: number;
  loads: LoadRow[];
  /** At the recorded rate, and as fast as the cores can. */
  locksAsRecorded: LockRow[];
  locksSaturated: LockRow[];
  gains: Gain[];
  /** Changes that the laboratory has no variant for. */
  missing: { change: string; why: string }[];
}

/** Ways of mapping whose locks and saturation are shown, with whatever else is asked for. */
export const shownVariants = ["strict", "deferred", "merged-deferred", "magazines-deferred", "v6.18-lazy"] as const;

/** Cores of the simulated host; a recording with more CPUs has several of them on one core. */
export const hostCores = 16;

/** Fast enough that every request is due at once. */
const asFastAsPossible = 1e9;

/** What the ends of the ranges of unpublished values are taken from. */
const movedKnobs = ["invalidationCycles", "stackLines"] as const;

/**
 * The changes that there is a variant for: every way of mapping that somebody could switch on, against the policy of v4.3 that it would
 * replace (larger caches and bounce buffers: 6.18's own, so that nothing else changes). New variants appear by themselves; left out are ablations
 * (the thread's wording, fewer pools, other forms of dynamic 1:1), releases between others, other makers' IOMMUs, guests, and what changes the
 * requests themselves (page_pool: {@link missingChanges} names it).
 * @param ways only these
 */
export function changesOf(ways?: readonly string[]): { change: string; from: string; to: string }[] {
  const leftOut =
    /^(?:off|static-identity|pools-(?:1|2|4|8)(?:-lazy)?|one-to-one-(?!strict$|deferred$).*|v5\.15-strict|v6\.9-.*|v6\.18\.2-.*|.*-(?:amd|smmu)(?:-.*)?|.*-page-pool(?:-.*)?|.*-guest-.*)$/;
  return variants
    .filter(({ name, treeLockHeld }) => !treeLockHeld && !leftOut.test(name) && name !== "strict")
    .filter(({ name }) => ways === undefined || ways.includes(name))
    .map((way) => ({
      change: way.name === "deferred" ? "lazy unmaps" : way.title,
      from: replacedBy(way),
      to: way.name,
    }));
}

function replacedBy({ name, policy, reuse, linux }: Variant): string {
  if (reuse !== undefined || linux?.largestCached !== undefined)
    return policy === "strict" ? "v6.18-strict" : "v6.18-lazy";
  return name === "deferred" || policy === "strict" ? "strict" : "deferred";
}

/** How a host is simulated. */
export interface SimulateOptions {
  /** Stretches of the recording. */
  loads: readonly RecordedLoad[];
  cpus: number;
  /** Called before each run. */
  turn(label: string): Promise<void>;
  facts: Facts;
  /** Only these ways of mapping, and what each would replace. */
  ways?: readonly string[] | undefined;
}

/** How many runs that takes. */
export function runsOf(stretches: number, cores: number, ways?: readonly string[]): number {
  if (stretches === 0) return 0;
  const shown = shownOf(ways).length * (ladder.length + copiesOf(cores).length);
  return waysOf(ways).length * 2 * (stretches + movedKnobs.length) + shown;
}

/** How many times as many cores are tried: as often as the host has so many. */
const copiesOf = (cores: number): number[] => [2, 4].filter((copies) => copies * cores <= hostCores);

const waysOf = (ways?: readonly string[]): string[] => [
  ...new Set(changesOf(ways).flatMap(({ from, to }) => [from, to])),
];
/** Those of them whose locks are shown. */
const shownOf = (ways?: readonly string[]): string[] => shownVariants.filter((name) => waysOf(ways).includes(name));
/** Shares of the most that the fastest way can do, at which the others are tried. */
const ladder = [0.02, 0.08, 0.2, 0.45, 0.75, 1.1] as const;

/** Simulates every way of mapping on the stretches. */
export async function simulateStretches({ loads, cpus, turn, facts, ways }: SimulateOptions): Promise<Simulated> {
  const base = hostRunDefaults(facts);
  const { cores } = loads[0];
  const recorded = new Map<string, LoadResult[]>();
  const saturated = new Map<string, LoadResult[]>();
  const moved = new Map<string, LoadResult[]>();
  const failures = new Map<string, string>();
  /** A run of a way of mapping; one that ends with an error ends that way's runs, and is told. */
  const run = async (
    name: string,
    label: string,
    load: RecordedLoad,
    rate: number,
    change: Partial<HostRun> = {},
    copies = 1,
  ): Promise<LoadResult | undefined> => {
    await turn(`${name}, ${label}`);
    if (failures.has(name)) return undefined;
    try {
      return simulateRequests({ ...base, ...change, variant: name }, load, { rate, copies }, facts);
    } catch (error) {
      failures.set(name, (error as Error).message);
      return undefined;
    }
  };
  const middle = loads[Math.floor(loads.length / 2)];
  for (const name of waysOf(ways)) {
    for (const [i, load] of loads.entries()) {
      put(recorded, name, await run(name, `as recorded, stretch ${i + 1}`, load, 1));
      put(saturated, name, await run(name, `as fast as it can, stretch ${i + 1}`, load, asFastAsPossible));
    }
    for (const knob of movedKnobs)
      for (const end of ["low", "high"] as const)
        put(moved, name, await run(name, `${knob} ${end}`, middle, 1, endOf(knob, end, facts)));
  }
  const shown = shownOf(ways).filter((name) => recorded.has(name) && !failures.has(name));
  const larger = loads.some(({ pages }) => pages.some((one) => one > cacheRules.largestCached));
  const rows: LoadRow[] = [];
  // Somebody's own ways may all have failed.
  const offered = shown.length === 0 ? 1 : mean(recorded.get(shown[0])!.map((one) => one.offered));
  const fastest = Math.max(...shown.map((name) => mean(saturated.get(name)!.map(({ achieved }) => achieved))));
  for (const name of shown) {
    rows.push(loadRow(name, 1, recorded.get(name)!));
    for (const share of ladder) {
      const rate = (share * fastest) / offered;
      const result = rate > 1 ? await run(name, `× ${rate.toPrecision(2)}`, middle, rate) : undefined;
      if (result) rows.push(loadRow(name, rate, [result]));
    }
    rows.push(loadRow(name, Number.POSITIVE_INFINITY, saturated.get(name)!));
    for (const copies of copiesOf(cores)) {
      const result = await run(name, `${copies * cores} cores`, middle, asFastAsPossible, {}, copies);
      if (result) rows.push(loadRow(name, Number.POSITIVE_INFINITY, [result]));
    }
  }
  return {
    host: base.machine,
    stretches: loads.length,
    operations: loads[0].timeNs.length - loads[0].before,
    cpus,
    cores,
    loads: rows,
    locksAsRecorded: shown.flatMap((name) => lockRows(name, recorded.get(name)!)),
    locksSaturated: shown.flatMap((name) => lockRows(name, saturated.get(name)!)),
    gains: changesOf(ways).map((change) => gainOf(change, { recorded, saturated, moved, failures, larger })),
    missing: missingChanges(),
  };
}

/** What somebody could change and the laboratory has no way of mapping for. */
function missingChanges(): { change: string; why: string }[] {
  return [
    { change: "superpages for large requests", why: "the simulated host maps 4 KiB pages" },
    {
      change: "buffers that stay mapped (page pools of the driver)",
      why: "that changes the requests themselves, and a recording holds those that were made; From 2015 to today has it under TCP_RR",
    },
    {
      change: "one range for a transfer of many pieces (the two-step API of 6.16)",
      why: "the tracepoints do not say which maps belong to one transfer; what is mapped as a scatter list has one range already",
    },
    {
      change: "requests no larger than the caches keep (dma_opt_mapping_size, 6.0)",
      why: "that changes the requests: a driver cuts its transfers; the share above 32 pages stands above, and larger caches show what their misses cost",
    },
    { change: "64-bit addresses first (iommu.forcedac)", why: "no way of mapping has it" },
  ];
}

function put<T>(into: Map<string, T[]>, key: string, value: T | undefined): void {
  if (value === undefined) return;
  const list = into.get(key);
  if (list) list.push(value);
  else into.set(key, [value]);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function endOf(knob: string, end: "low" | "high", facts: Facts): Partial<HostRun> {
  const { assumption } = knobNamed(knob);
  return assumption === undefined ? {} : assumption.ends(facts)[end][1];
}

function loadRow(name: string, rate: number, results: readonly LoadResult[]): LoadRow {
  const { gigahertz, cores } = results[0];
  const locks = results.flatMap(({ locks: rows, cycles }) =>
    rows.map((row) => ({ name: row.name, share: row.holdtimeTotal / cycles })),
  );
  const busiest = locks.reduce((most, one) => (one.share > most.share ? one : most), { name: "", share: 0 });
  return {
    variant: name,
    title: variantByName(name).title,
    rate,
    cores,
    offered: mean(results.map((one) => one.offered)),
    achieved: mean(results.map((one) => one.achieved)),
    cpuNs: mean(results.map((one) => one.cyclesPerRequest)) / gigahertz,
    lateUs: mean(results.map((one) => one.lateMean)) / (1000 * gigahertz),
    visitsPerMap: mean(results.map((one) => one.visitsPerMap)),
    busiestLock: kindOf(busiest.name),
    busiestShare: busiest.share,
  };
}

/** A lock's kind: its name without the number of its CPU, size or pool. */
function kindOf(name: string): string {
  return name.replace(/\s*\(.*\)$|\[\d+\]|\s\d+$/g, "");
}

function lockRows(name: string, results: readonly LoadResult[]): LockRow[] {
  const { gigahertz } = results[0];
  const kinds = new Map<string, { row: LockStatRow; share: number }[]>();
  let requests = 0;
  for (const { locks, cycles, requests: made } of results) {
    requests += made;
    for (const row of locks) put(kinds, kindOf(row.name), { row, share: row.holdtimeTotal / cycles });
  }
  return [...kinds].map(([lock, all]): LockRow => {
    const sum = (pick: (row: LockStatRow) => number): number => all.reduce((total, { row }) => total + pick(row), 0);
    const acquisitions = sum((row) => row.acquisitions);
    return {
      variant: name,
      lock,
      locks: new Set(all.map(({ row }) => row.name)).size,
      acquisitionsPerRequest: acquisitions / requests,
      contended: sum((row) => row.contentions) / acquisitions,
      meanWaitNs: sum((row) => row.waittimeTotal) / acquisitions / gigahertz,
      meanHoldNs: sum((row) => row.holdtimeTotal) / acquisitions / gigahertz,
      longestWaitNs: Math.max(...all.map(({ row }) => row.waittimeMax)) / gigahertz,
      utilisation: Math.max(...all.map(({ share }) => share)),
    };
  });
}

/** Whether unmaps wait for a flush: a stretch without one says nothing about what it costs. */
function isLazy(name: string): boolean {
  const { policy } = variantByName(name);
  return policy !== "none" && policy !== "strict" && policy !== "flush-on-wrap";
}

interface Runs {
  recorded: ReadonlyMap<string, LoadResult[]>;
  saturated: ReadonlyMap<string, LoadResult[]>;
  moved: ReadonlyMap<string, LoadResult[]>;
  failures: ReadonlyMap<string, string>;
  /** Whether a request is larger than what Linux's caches keep. */
  larger: boolean;
}

function gainOf({ change, from, to }: { change: string; from: string; to: string }, runs: Runs): Gain {
  const common = { change, from, to, title: variantByName(to).title };
  const failed = runs.failures.get(to) ?? runs.failures.get(from);
  const none = { cpuTime: undefined, capacity: undefined, assumed: undefined, stalePages: Number.NaN };
  if (failed !== undefined) return { ...common, ...none, verdict: "cannot tell", why: `the run ended: ${failed}` };
  const percent = (before: number, after: number): number => (100 * (after - before)) / before;
  const paired = (all: Runs["recorded"], pick: (one: LoadResult) => number): number[] =>
    all.get(to)!.map((one, i) => percent(pick(all.get(from)![i]), pick(one)));
  const cpu = paired(runs.recorded, (one) => one.cyclesPerRequest);
  const most = runs.saturated.get(to)!.map((one, i) => one.achieved / runs.saturated.get(from)![i].achieved);
  const lost = mean(runs.recorded.get(to)!.map(({ counts }) => counts.failedMaps));
  const moved = paired(runs.moved, (one) => one.cyclesPerRequest);
  if (cpu.length < 2)
    return {
      ...common,
      ...none,
      verdict: "cannot tell",
      why: "the recording is too short for two stretches, and so for an interval",
    };
  const cpuTime = confidenceInterval(cpu);
  const flushed = [from, to].every(
    (name) => !isLazy(name) || runs.saturated.get(name)!.every(({ counts }) => counts.flushes > 0),
  );
  const capacity = flushed ? confidenceInterval(most) : undefined;
  const assumed = { low: Math.min(cpuTime.mean, ...moved), high: Math.max(cpuTime.mean, ...moved) };
  const stalePages = mean(runs.recorded.get(to)!.map(({ stale }) => stale.meanLive));
  const told = { ...common, cpuTime, capacity, assumed, stalePages };
  const keeps = variantByName(to).linux?.largestCached;
  if (keeps !== undefined && !runs.larger)
    return {
      ...told,
      verdict: "cannot tell",
      why: `no request in the stretches is above ${cacheRules.largestCached} pages`,
    };
  if (lost > 0) return { ...told, verdict: "cannot tell", why: `${Math.round(lost)} maps a stretch failed` };
  if (cpuTime.low <= 0 && cpuTime.high >= 0)
    return { ...told, verdict: "cannot tell", why: "the interval has both signs: it depends on the stretch" };
  if (assumed.low < 0 && assumed.high > 0)
    return { ...told, verdict: "cannot tell", why: "the sign depends on what nobody published" };
  return { ...told, verdict: cpuTime.mean < 0 ? "less" : "more", why: "" };
}
