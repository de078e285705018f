import {
  DmaApi,
  type DmaCounts,
  dmaCosts,
  type Part,
  type StaleReport,
  type StepTime,
  variant as variantByName,
} from "../dma/index.js";
import { Processes, Simulation, Streams } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import { type IovaStatistics, ringSlots } from "../iova/index.js";
import { type LockStatRow, machineConfig, makeMachine } from "../machine/index.js";
import { dmaOptions } from "./dma-options.js";
import { type Exposure, ExposureMeter } from "./exposure.js";
import { type HostRun, publishedStackCycles } from "./knobs.js";
import { driverProfile, nicBootMaps } from "./nic.js";
import { FreeLists } from "./pages.js";
import { TcpRr } from "./tcp-rr.js";

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
  const config = machineConfig(facts, run.machine, run.machineOverrides);
  const cores = config.sockets * config.coresPerSocket;
  // The machine has hardware threads beyond them, which would be measured as if they were cores.
  if (!Number.isInteger(run.cores) || run.cores < 1 || run.cores > cores)
    throw new RangeError(
      `cores: accepts a whole number from 1 to the ${cores} cores of ${run.machine}; got ${run.cores}`,
    );
  const machine = makeMachine(config);
  const simulation = new Simulation();
  const processes = new Processes(simulation);
  const streams = new Streams(run.seed);
  const profile = driverProfile(run.profile);
  const named = variantByName(run.variant);
  const variant = run.uncharged === undefined ? named : { ...named, uncharged: run.uncharged };
  const arbiter = streams.stream("lock arbiter");
  const cycles = (microseconds: number): number => Math.round(microseconds * 1000 * config.gigahertz);
  const costs = { ...dmaCosts(facts, config), ...run.costs };
  const perTransaction = (profile.receive ? 1 : 0) + (profile.transmit ? 1 : 0);
  // Idle time without an IOMMU is no work of the stack's: as much less keeps 16 cores at the published rate, which the link then sets.
  const freeStackCycles =
    run.stackCycles === "PE1"
      ? publishedStackCycles(facts, config.gigahertz) * (1 - run.offIdle) - 2 * 2 * costs.apiCycles
      : run.stackCycles;
  const stackCycles = freeStackCycles * (variant.policy === "none" ? 1 : 1 + run.otherWork);
  const ringed = profile.receive ? run.rxRing * run.cores : 0;
  const workload = new TcpRr(
    machine,
    processes,
    {
      threads: run.threads,
      cores: run.cores,
      queues: run.cores,
      profile,
      stackCycles,
      receiveShare: run.receiveShare,
      workSpread: run.workSpread,
      // Where nothing is mapped, nothing of a run reads memory that the stack could have pushed out of the caches: its lines are left out.
      stackLines: variant.allocator === "none" ? 0 : run.stackLines,
      rxRing: run.rxRing,
      rxMaps: run.rxMaps,
      txMaps: run.txMaps,
      twoPageShare: run.twoPageShare,
      peerCycles: cycles(run.peerMicroseconds),
      wireCycles: run.offIdle > 0 ? (config.gigahertz * 1e9) / facts.number("PE1") : 0,
      transmitCycles: cycles(run.transmitMicroseconds),
      interruptGapCycles: cycles(run.interruptGapMicroseconds),
      pollBudget: run.pollBudget,
      refillBatch: run.refillBatch,
      shuffleCompletions: run.shuffleCompletions,
      recycles: variant.reuse === "page_pool",
      flows: run.flows,
    },
    streams.stream("workload"),
    streams.stream("flows"),
  );
  const api = new DmaApi(
    machine,
    processes,
    dmaOptions(run, {
      config,
      machine,
      simulation,
      variant,
      costs,
      cores: run.cores,
      arbiter,
      maxRanges:
        run.staticMaps + ringed + run.threads * (1 + Math.ceil(perTransaction * (run.rxMaps + run.txMaps))) + 8192,
    }),
    workload,
  );
  workload.api = api;
  const lists =
    run.pages === "free lists"
      ? new FreeLists(run.cores, streams.stream("free pages"), simulation, api.references)
      : undefined;
  if (lists) {
    workload.pages = lists;
    if (api.references) api.references.released = (frame) => lists.released(frame);
  }
  const exposure = run.touchedAfterMicroseconds && new ExposureMeter(run.touchedAfterMicroseconds.map(cycles));
  workload.exposure = exposure;
  workload.open = variant.policy === "none";
  api.watch.listener = exposure;
  bootStaticMaps(api, run, streams);
  workload.fillRings();
  if (api.allocator && run.agedTurns > 0) {
    const perCore = variant.policy === "deferred-per-cpu";
    const deferred = variant.policy === "deferred" || perCore;
    const lazy = variant.policy === "lazy";
    const traffic = {
      turns: run.agedTurns,
      packets: run.agedPackets,
      stretch: run.agedStretch,
      inTurn: run.agedInTurn === 1,
      sentBuffers: run.agedSentBuffers,
    };
    const batch = lazy ? ringSlots.perCpu - 1 : deferred ? run.flushEntries : 1;
    workload.age(traffic, batch, perCore || lazy, streams.stream("ageing"));
  }
  if (variant.policy === "lazy") fillRings(api, run.cores);
  if (variant.allocator === "magazines") fillMagazines(api, run.cores);
  // Both magazines of each CPU full, and one more a CPU in the depot: what its trimming leaves there.
  if (variant.linux && variant.reuse !== "bounce") fillCaches(api, run.cores);
  workload.begin();

  const advanceTo = (count: number): void => {
    workload.stopAt = count;
    if (workload.completed < count) simulation.run();
  };
  advanceTo(run.warmup);
  const start = simulation.now;
  const before = api.allocator?.statistics();
  api.reset();
  lists?.reset();
  exposure?.reset();
  const slices: number[] = [];
  const first = workload.completed;
  let last = { now: start, completed: first };
  for (let i = 1; i <= run.slices; i++) {
    advanceTo(first + Math.round((run.transactions * i) / run.slices));
    const { now } = simulation;
    const done = workload.completed - last.completed;
    slices.push(now > last.now ? (done * config.gigahertz * 1e9) / (now - last.now) : 0);
    last = { now, completed: workload.completed };
  }
  const elapsed = simulation.now - start;
  const transactions = workload.completed - first;
  api.accounts.settle(simulation.now);
  const after = api.allocator?.statistics();
  const parts = api.accounts.byPart();
  for (const part of Object.keys(parts) as Part[]) parts[part] /= elapsed * run.cores;
  const tables = api.tableUse();
  const maps = after && before ? after.allocations - before.allocations : 0;
  return {
    throughput: (transactions * config.gigahertz * 1e9) / elapsed,
    transactions,
    cycles: elapsed,
    gigahertz: config.gigahertz,
    parts,
    steps: api.accounts.byStep(),
    locks: api.locks.map((lock) => lock.statistics.columns()).filter((row) => row.acquisitions > 0),
    lockTimes: api.lockTimes(),
    counts: { ...api.counts },
    allocator: after,
    visitsPerMap: after && before && maps > 0 ? (after.visits - before.visits) / maps : 0,
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

/** The drivers' maps at boot: reserved windows, then rings and buffers queue by queue; then, if asked, holes among them. */
function bootStaticMaps(api: DmaApi, run: HostRun, streams: Streams): void {
  // v4.3 reserves the IOAPIC window in every domain.
  api.allocator?.reserve(0xfee00, 0xfeeff);
  if (run.staticMaps === 0) return;
  const queues = Math.min(run.cores, run.staticMaps);
  const rxRing = Math.ceil(run.staticMaps / queues) + 1;
  const mapped: { pfn: number; core: number }[] = [];
  let frame = 1;
  for (const { pages, kind, queue } of nicBootMaps({ queues, rxRing, txRing: 256 })) {
    if (kind === "buffer" && mapped.length >= run.staticMaps) break;
    const pfn = api.mapAtBoot(queue, frame, pages, 3);
    frame += pages;
    if (kind === "buffer") mapped.push({ pfn, core: queue });
  }
  const random = streams.stream("holes");
  for (const { pfn, core } of mapped) if (run.holes > 0 && random.chance(run.holes)) api.unmapAtBoot(core, pfn, 1);
}

/** Fills the magazines of each CPU, as hours of traffic would have done: the steady state begins with them full. */
function fillMagazines(api: DmaApi, cores: number): void {
  for (let core = 0; core < cores; core++) {
    const pfns = Array.from({ length: 256 }, (_, i) => api.mapAtBoot(core, i + 1, 1, 3));
    for (const pfn of pfns) api.unmapAtBoot(core, pfn, 1);
  }
}

/** The same for Linux ≥ 4.15, all CPUs together, so that none takes from the depot what another has just put there: three magazines a CPU. */
function fillCaches(api: DmaApi, cores: number): void {
  const each = Array.from({ length: cores }, (_, core) =>
    Array.from({ length: 3 * 127 }, (_, i) => api.mapAtBoot(core, i + 1, 1, 3)),
  );
  for (const [core, pfns] of each.entries()) for (const pfn of pfns) api.unmapAtBoot(core, pfn, 1);
}

/** Fills each CPU's ring of unmaps to another height, so that they do not all become full at once: traffic has been going for a while. */
function fillRings(api: DmaApi, cores: number): void {
  for (let core = 0; core < cores; core++) {
    const entries = Math.floor(((core + 0.5) * (ringSlots.perCpu - 1)) / cores);
    for (let i = 0; i < entries; i++) api.queueAtBoot(core, api.mapAtBoot(core, i + 1, 1, 3), 1);
  }
}
