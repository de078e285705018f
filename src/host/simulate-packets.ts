import { DmaApi, type DmaCounts, dmaBytes, dmaCosts, type Part, variant as variantByName } from "../dma/index.js";
import { Processes, Simulation, Streams } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import {
  type TranslationCounters,
  TranslationUnit,
  type TranslationUnitConfig,
  type WalkMemoryConfig,
  walkMemory,
} from "../iommu/index.js";
import { machineConfig, makeMachine } from "../machine/index.js";
import { oneToOne, pageBytes } from "../pagetables/index.js";
import { Nic, type NicConfig, type NicCounts, type PortCounts } from "../streams/index.js";
import { cyclesOf, fillAddressCaches } from "./build.js";
import { dmaOptions } from "./dma-options.js";
import type { HostRun } from "./knobs.js";
import { type AddressReuse, PacketServer } from "./packet-server.js";
import { FreeLists, SharedPages } from "./pages.js";

/** A card and a load of packets beside a host. Plain JSON. */
export interface PacketRun {
  /** The host: what concerns its cores, its locks, its DMA API. */
  host: HostRun;
  nic: NicConfig;
  unit: TranslationUnitConfig;
  walks: WalkMemoryConfig;
  receiveCycles: number;
  sendCycles: number;
  stackLines: number;
  /** Share of packets that are answered by one of the same size. */
  answers: number;
  /** Bytes of a header that is a buffer of its own; 0: none. Headers share pages, sixteen a page. */
  headerBytes: number;
  /** Receive buffers a page. */
  receiveBuffersAPage: number;
  /** Share of sent buffers whose page is already being sent. */
  sentAgain: number;
  /** The last so many cores receive nothing, and each keeps so many packets of its own on their way out (default: none). */
  senders?: number;
  sendersDepth?: number;
  /** Packets before the measurement, and in it. */
  warmup: number;
  packets: number;
  /** Removes the hardware's obedience: it hears of no invalidation. For tests of what that would do. */
  deafHardware?: boolean;
}

/** What a run measured: rates are of the measured part. */
export interface PacketResult {
  /** Gb/s of packets' data, in and out, and what came in over the wire. */
  inGbps: number;
  outGbps: number;
  offeredGbps: number;
  nanoseconds: number;
  served: number;
  droppedAnswers: number;
  nic: NicCounts;
  /** What the remapping unit's requests met; undefined where nothing is translated. */
  port: PortCounts | undefined;
  /** Counters of the unit over the whole run and at the start of the measurement. */
  unit: TranslationCounters | undefined;
  before: TranslationCounters | undefined;
  walkOccupancyPs: number;
  reuse: AddressReuse;
  counts: DmaCounts;
  parts: Record<Part, number>;
  tableCount: number;
  staleMean: number;
  pinned: { mean: number; most: number };
  events: number;
}

/** Events that a served packet may take, with those that were lost meanwhile: beyond them a run is stopped as one that stands still. */
const mostEventsAPacket = 20_000;

/** Memory that static 1:1 covers: where free pages lie. */
const memoryBytes = 8 * 1_073_741_824;

/**
 * Runs a card's packets through a host: the card's transfers go through the translation hardware while cores map, unmap and invalidate.
 * The same argument gives the same result, everywhere.
 * @throws RangeError where the host does not have so many cores
 */
export function simulatePackets(run: PacketRun, facts: Facts): PacketResult {
  const { host } = run;
  const config = machineConfig(facts, host.machine, host.machineOverrides);
  const most = config.sockets * config.coresPerSocket;
  if (!Number.isInteger(host.cores) || host.cores < 1 || host.cores > most)
    throw new RangeError(
      `cores: accepts a whole number from 1 to the ${most} cores of ${host.machine}; got ${host.cores}`,
    );
  const maxRanges = host.cores * (4 * host.rxRing + 1024) + 8192;
  const footprint = run.stackLines > 0 ? host.cores * config.footprintLines * 64 : 0;
  const machine = makeMachine(
    config,
    dmaBytes({ variant: variantByName(host.variant), maxRanges, cores: host.cores }) + footprint,
  );
  const simulation = new Simulation();
  const processes = new Processes(simulation);
  const streams = new Streams(host.seed);
  const variant = variantByName(host.variant);
  const costs = { ...dmaCosts(facts, config), ...host.costs };
  const server = new PacketServer(
    machine,
    processes,
    {
      cores: host.cores,
      ring: host.rxRing,
      packetBytes: run.nic.packetBytes,
      receiveCycles: run.receiveCycles,
      sendCycles: run.sendCycles,
      stackLines: variant.allocator === "none" ? 0 : run.stackLines,
      answers: run.answers,
      headerBytes: run.headerBytes,
      senders: run.senders ?? 0,
      sendersDepth: run.sendersDepth ?? 0,
      pollBudget: host.pollBudget,
      refillBatch: host.refillBatch,
      interruptGapCycles: cyclesOf(config)(host.interruptGapMicroseconds),
    },
    streams.stream("packets"),
  );
  const api = new DmaApi(
    machine,
    processes,
    dmaOptions(host, {
      config,
      machine,
      simulation,
      variant,
      costs,
      cores: host.cores,
      arbiter: streams.stream("lock arbiter"),
      maxRanges,
    }),
    server,
  );
  server.api = api;
  const lists = new FreeLists(host.cores, streams.stream("free pages"), simulation, api.references);
  if (api.references) api.references.released = (frame) => lists.released(frame);
  const shared = (name: string, buffersAPage: number, repeatShare: number) =>
    buffersAPage === 1 && repeatShare === 0
      ? lists
      : new SharedPages(host.cores, lists, { buffersAPage, repeatShare }, streams.stream(name));
  server.receivePages = shared("receive pages", run.receiveBuffersAPage, 0);
  server.sendPages = shared("sent pages", 1, run.sentAgain);
  server.headerPages = new SharedPages(
    host.cores,
    lists,
    { buffersAPage: 16, repeatShare: 0 },
    streams.stream("header pages"),
  );
  // Rings are mapped once, when the link comes up.
  const ringPages = Math.ceil((host.rxRing * run.nic.descriptorBytes) / 4096);
  let ringFrame = 1;
  const ringAt = (core: number): number => {
    const pfn = api.mapAtBoot(core, ringFrame, ringPages, 3);
    ringFrame += ringPages;
    return pfn * 4096;
  };
  const rings = Array.from({ length: host.cores }, (_, core) => ({
    receive: ringAt(core),
    transmit: ringAt(core),
    entries: host.rxRing,
  }));
  const table =
    api.walked() ?? (variant.name === "static-identity" ? oneToOne(memoryBytes, pageBytes["4K"]) : undefined);
  // The tables of a domain lie together; only a table over all of memory is larger than the last-level cache.
  const extent =
    "bytes" in (table ?? {}) ? (table as unknown as { base: number; bytes: number }) : { base: 0, bytes: 0 };
  const unit = table && new TranslationUnit(run.unit, table, walkMemory(run.walks, extent));
  const nicConfig = { ...run.nic, queues: host.cores, receivingQueues: host.cores - (run.senders ?? 0) };
  const nic = new Nic(nicConfig, simulation, config.gigahertz, unit, rings, server, streams.stream("wire"));
  server.nic = nic;
  if (run.deafHardware !== true) api.hardware = nic;
  server.fillRings();
  fillAddressCaches(api, variant, host.cores);
  api.begin();
  nic.start();
  server.begin();
  const advance = (count: number): void => {
    server.stopAt = count;
    if (server.served >= count) return;
    simulation.run({ maxEvents: mostEventsAPacket * (count - server.served) + 1_000_000 });
    if (server.served < count)
      throw new Error(
        `${host.variant}: after ${simulation.now} cycles ${server.served} of ${count} packets are served: the host stands still`,
      );
  };
  advance(run.warmup);
  const start = simulation.now;
  api.reset();
  lists.reset();
  nic.reset();
  server.reset();
  const before = unit && structuredCounters(unit.counters);
  const first = server.served;
  advance(first + run.packets);
  const elapsed = simulation.now - start;
  const nanoseconds = elapsed / config.gigahertz;
  api.accounts.settle(simulation.now);
  const shares = api.accounts.byPart();
  for (const part of Object.keys(shares) as Part[]) shares[part] /= elapsed * host.cores;
  const { counts } = nic;
  return {
    inGbps: (counts.receivedBytes * 8) / nanoseconds,
    outGbps: (counts.sentBytes * 8) / nanoseconds,
    offeredGbps: (counts.arrived * run.nic.packetBytes * 8) / nanoseconds,
    nanoseconds,
    served: server.served - first,
    droppedAnswers: server.droppedAnswers,
    nic: counts,
    port: nic.port?.counts,
    unit: unit?.counters,
    before,
    walkOccupancyPs: nic.port?.walkOccupancyPs ?? 0,
    reuse: server.reuse,
    counts: { ...api.counts },
    parts: shares,
    tableCount: api.tableUse().tables,
    staleMean: api.watch.report(simulation.now).meanLive,
    pinned: lists.pinned(),
    events: simulation.dispatched,
  };
}

const structuredCounters = (counters: TranslationCounters): TranslationCounters => ({
  ...counters,
  walksByDepth: [...counters.walksByDepth],
  structureHits: [...counters.structureHits],
});
