import { type DmaApi, type DmaCounts, dmaBytes, type Part } from "../dma/index.js";
import type { Facts } from "../facts/index.js";
import {
  type TranslationCounters,
  TranslationUnit,
  type TranslationUnitConfig,
  type WalkMemoryConfig,
  walkMemory,
} from "../iommu/index.js";
import { oneToOne, pageBytes } from "../pagetables/index.js";
import { Nic, type NicConfig, type NicCounts, type PortCounts, type QueueRings } from "../streams/index.js";
import { cyclesOf, fillAddressCaches } from "./build.js";
import type { HostRun } from "./knobs.js";
import { type AddressReuse, PacketServer } from "./packet-server.js";
import { FreeLists, SharedPages } from "./pages.js";
import { advanceTo, type ServerParts, serverParts, sharesOfTime, useDmaApi } from "./server.js";

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

/** A host with a card: ready, with full rings, before the first packet. */
interface PacketHost {
  parts: ServerParts;
  server: PacketServer;
  api: DmaApi;
  lists: FreeLists;
  unit: TranslationUnit | undefined;
  nic: Nic;
}

function serverOf(run: PacketRun, { config, cores, machine, processes, streams, variant }: ServerParts): PacketServer {
  const { host } = run;
  return new PacketServer(
    machine,
    processes,
    {
      cores,
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
}

/** Has the server take its buffers' pages from free lists; headers share pages, and what the run says. @returns the lists */
function givePages(server: PacketServer, api: DmaApi, run: PacketRun, parts: ServerParts): FreeLists {
  const { cores, simulation, streams } = parts;
  const lists = new FreeLists(cores, streams.stream("free pages"), simulation, api.references);
  if (api.references) api.references.released = (frame) => lists.released(frame);
  const shared = (name: string, buffersAPage: number, repeatShare: number) =>
    new SharedPages(cores, lists, { buffersAPage, repeatShare }, streams.stream(name));
  const { receiveBuffersAPage, sentAgain } = run;
  server.receivePages = receiveBuffersAPage === 1 ? lists : shared("receive pages", receiveBuffersAPage, 0);
  server.sendPages = sentAgain === 0 ? lists : shared("sent pages", 1, sentAgain);
  server.headerPages = shared("header pages", 16, 0);
  return lists;
}

/** Maps each core's rings of descriptors, once, when the link comes up. */
function ringsOf(api: DmaApi, { host, nic }: PacketRun, cores: number): QueueRings[] {
  const pages = Math.ceil((host.rxRing * nic.descriptorBytes) / 4096);
  let frame = 1;
  const ringAt = (core: number): number => {
    const pfn = api.mapAtBoot(core, frame, pages, 3);
    frame += pages;
    return pfn * 4096;
  };
  return Array.from({ length: cores }, (_, core) => ({
    receive: ringAt(core),
    transmit: ringAt(core),
    entries: host.rxRing,
  }));
}

/** The translation hardware, over the table that the variant has; undefined where nothing is translated. */
function unitOf(api: DmaApi, run: PacketRun): TranslationUnit | undefined {
  const identity = run.host.variant === "static-identity";
  const table = api.walked() ?? (identity ? oneToOne(memoryBytes, pageBytes["4K"]) : undefined);
  if (table === undefined) return undefined;
  // The tables of a domain lie together; only a table over all of memory is larger than the last-level cache.
  const extent = "bytes" in table ? (table as unknown as { base: number; bytes: number }) : { base: 0, bytes: 0 };
  return new TranslationUnit(run.unit, table, walkMemory(run.walks, extent));
}

function ready(run: PacketRun, facts: Facts): PacketHost {
  const { host } = run;
  const maxRanges = host.cores * (4 * host.rxRing + 1024) + 8192;
  const parts = serverParts(host, facts, {
    maxRanges,
    bytes: ({ footprintLines }, variant) =>
      dmaBytes({ variant, maxRanges, cores: host.cores }) + (run.stackLines > 0 ? host.cores * footprintLines * 64 : 0),
  });
  const { config, cores, simulation, streams, variant } = parts;
  const server = serverOf(run, parts);
  const api = useDmaApi(host, parts, server);
  const lists = givePages(server, api, run, parts);
  const rings = ringsOf(api, run, cores);
  const unit = unitOf(api, run);
  const card = { ...run.nic, queues: cores, receivingQueues: cores - (run.senders ?? 0) };
  const nic = new Nic(card, simulation, config.gigahertz, unit, rings, server, streams.stream("wire"));
  server.nic = nic;
  if (run.deafHardware !== true) api.hardware = nic;
  server.fillRings();
  fillAddressCaches(api, variant, cores);
  return { parts, server, api, lists, unit, nic };
}

/** Until so many packets are served. @throws Error where the host stands still */
function serve({ parts, server }: PacketHost, count: number): void {
  const { simulation, variant } = parts;
  advanceTo(server, simulation, count, mostEventsAPacket * (count - server.done) + 1_000_000);
  if (server.done < count)
    throw new Error(
      `${variant.name}: after ${simulation.now} cycles ${server.done} of ${count} packets are served: the host stands still`,
    );
}

/**
 * Runs a card's packets through a host: the card's transfers go through the translation hardware while cores map, unmap and invalidate.
 * The same argument gives the same result, everywhere.
 * @throws RangeError where the host does not have so many cores
 */
export function simulatePackets(run: PacketRun, facts: Facts): PacketResult {
  const host = ready(run, facts);
  const { api, lists, nic, server, unit } = host;
  const { config, simulation, cores } = host.parts;
  api.begin();
  nic.start();
  server.begin();
  serve(host, run.warmup);
  const start = simulation.now;
  api.reset();
  lists.reset();
  nic.reset();
  server.reset();
  const before = unit && structuredCounters(unit.counters);
  const first = server.done;
  serve(host, first + run.packets);
  const elapsed = simulation.now - start;
  const nanoseconds = elapsed / config.gigahertz;
  const { counts } = nic;
  return {
    inGbps: (counts.receivedBytes * 8) / nanoseconds,
    outGbps: (counts.sentBytes * 8) / nanoseconds,
    offeredGbps: (counts.arrived * run.nic.packetBytes * 8) / nanoseconds,
    nanoseconds,
    served: server.done - first,
    droppedAnswers: server.droppedAnswers,
    nic: counts,
    port: nic.port?.counts,
    unit: unit?.counters,
    before,
    walkOccupancyPs: nic.port?.walkOccupancyPs ?? 0,
    reuse: server.reuse,
    counts: { ...api.counts },
    parts: sharesOfTime(api, simulation.now, elapsed * cores),
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
