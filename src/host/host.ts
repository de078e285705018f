import { type DmaApi, dmaBytes, type Variant } from "../dma/index.js";
import { type Simulation, Streams } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import { ringSlots } from "../iova/index.js";
import type { MachineConfig } from "../machine/index.js";
import { cyclesOf, fillAddressCaches } from "./build.js";
import { ExposureMeter } from "./exposure.js";
import { type HostRun, publishedStackCycles } from "./knobs.js";
import { driverProfile, nicBootMaps } from "./nic.js";
import { FreeLists, SharedPages } from "./pages.js";
import { type ServerParts, serverParts, useDmaApi } from "./server.js";
import { TcpRr, type TcpRrOptions } from "./tcp-rr.js";

/** One host under one load: put together by the constructor, ready after {@link boot} (or a copy of it), under load from {@link begin} on. */
export class Host {
  readonly gigahertz: number;
  readonly simulation: Simulation;
  readonly workload: TcpRr;
  readonly api: DmaApi;
  readonly lists: FreeLists | undefined;
  readonly exposure: ExposureMeter | undefined;
  private readonly variant: Variant;
  /** Streams of what comes before the first event, and of what comes after. */
  private readonly early: Streams;
  private readonly streams: Streams;

  /** @throws RangeError where the host does not have so many cores */
  constructor(
    readonly run: HostRun,
    facts: Facts,
  ) {
    const parts = serverParts(run, facts, {
      maxRanges: rangesOf(run),
      bytes: (config, variant) => bytesOf(run, config, variant),
    });
    const { machine, simulation, streams, variant } = parts;
    const cycles = cyclesOf(parts.config);
    const early = new Streams(run.agedSeed);
    const workload = new TcpRr(
      machine,
      parts.processes,
      tcpRrOptions(run, parts, facts),
      early.stream("workload"),
      streams.stream("flows"),
    );
    const api = useDmaApi(run, parts, workload);
    const lists =
      run.pages === "free lists"
        ? new FreeLists(run.cores, early.stream("free pages"), simulation, api.references)
        : undefined;
    if (lists) {
      workload.pages = lists;
      if (api.references) api.references.released = (frame) => lists.released(frame);
    }
    this.exposure = run.touchedAfterMicroseconds && new ExposureMeter(run.touchedAfterMicroseconds.map(cycles));
    workload.exposure = this.exposure;
    workload.open = variant.policy === "none";
    this.gigahertz = parts.config.gigahertz;
    this.simulation = simulation;
    this.variant = variant;
    this.streams = streams;
    this.early = early;
    this.workload = workload;
    this.api = api;
    this.lists = lists;
  }

  /** What {@link boot} changes, and what that refers to and is not its own: see `Image`. */
  get booted(): { parts: object[]; beside: object[] } {
    const { parts, beside } = this.api.booted;
    const { lists, workload, simulation } = this;
    return {
      parts: [...parts, ...workload.booted],
      beside: [...beside, simulation, ...(lists ? [lists.random] : [])],
    };
  }

  /** Outside simulated time: the drivers' maps at boot, full rings, and what long traffic has made of them. */
  boot(): void {
    const { api, early, run, variant, workload } = this;
    bootStaticMaps(api, run, early);
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
      workload.age(traffic, batch, perCore || lazy, early.stream("ageing"));
    }
    fillAddressCaches(api, variant, run.cores);
  }

  /** The load begins: from here on, chance is that of the run's own seed. */
  begin(): void {
    const { api, lists, run, streams, workload } = this;
    api.begin();
    api.watch.listener = this.exposure;
    workload.random = streams.stream("workload");
    if (lists) lists.random = streams.stream("free pages");
    // Buffers of the boot have pages of their own; those of the traffic share.
    if (run.sharing)
      workload.pages = new SharedPages(run.cores, workload.pages, run.sharing, streams.stream("shared pages"));
    workload.begin();
  }
}

/** Ranges that may be live at once: static maps, full rings, and what threads have sent and not yet unmapped. */
function rangesOf(run: HostRun): number {
  const { receive, transmit } = driverProfile(run.profile);
  const ringed = receive ? run.rxRing * run.cores : 0;
  const sides = (receive ? 1 : 0) + (transmit ? 1 : 0);
  return run.staticMaps + ringed + run.threads * (1 + Math.ceil(sides * (run.rxMaps + run.txMaps))) + 8192;
}

/** Where nothing is mapped, nothing of a run reads memory that the stack could have pushed out of the caches: its lines are left out. */
const stackLinesOf = (run: HostRun, { allocator }: Variant): number => (allocator === "none" ? 0 : run.stackLines);

/** Simulated memory that a run takes. */
const bytesOf = (run: HostRun, { footprintLines }: MachineConfig, variant: Variant): number =>
  dmaBytes({ variant, maxRanges: rangesOf(run), cores: run.cores }) +
  (stackLinesOf(run, variant) > 0 ? run.cores * footprintLines * 64 : 0);

/** Stack work of a transaction, in cycles of this host. */
function stackCyclesOf(run: HostRun, { config, costs, variant }: ServerParts, facts: Facts): number {
  // Idle time without an IOMMU is no work of the stack's: as much less keeps 16 cores at the published rate, which the link then sets.
  const free =
    run.stackCycles === "PE1"
      ? publishedStackCycles(facts, config.gigahertz) * (1 - run.offIdle) - 2 * 2 * costs.apiCycles
      : run.stackCycles;
  return free * (variant.policy === "none" ? 1 : 1 + run.otherWork);
}

/** The load as a run describes it, its times in cycles of the host. */
function tcpRrOptions(run: HostRun, parts: ServerParts, facts: Facts): TcpRrOptions {
  const { config, variant } = parts;
  const cycles = cyclesOf(config);
  return {
    threads: run.threads,
    cores: run.cores,
    queues: run.cores,
    profile: driverProfile(run.profile),
    stackCycles: stackCyclesOf(run, parts, facts),
    receiveShare: run.receiveShare,
    workSpread: run.workSpread,
    stackLines: stackLinesOf(run, variant),
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
