import type { Basis } from "../../facts/index.js";
import type { HostRun, IoLoad, IoResult, PacketRun } from "../../host/index.js";
import { type FlushingRow, flushing } from "../flushing/index.js";
import { pageSizes } from "../page-sizes/index.js";

/** A run of a prediction: the host, the way of mapping, the load. */
export interface HeldRun {
  machine: string;
  variant: string;
  cores: number;
  /** Requests measured. */
  requests: number;
  load: Partial<IoLoad>;
  change?: Partial<HostRun>;
}

/** A prediction about cores that map: its runs, and what they come down to. */
export interface IoCase {
  id: string;
  runs: readonly HeldRun[];
  quantity(results: readonly IoResult[]): number;
  /** What the case itself assumes, at both ends of its range. */
  ends?: readonly { name: string; change: Partial<HostRun> }[];
  /** What stands between the two where the prediction misses, as far as it is known. */
  mechanism: string;
}

/** A card and the cores behind it: what of the experiment flushing a prediction runs. */
export type CardSettings = Parameters<typeof flushing.parse>[0];

/** A prediction about a card beside the cores: the experiment flushing runs it. */
export interface CardCase {
  id: string;
  cards: readonly CardSettings[];
  quantity(rows: readonly FlushingRow[]): number;
  mechanism: string;
}

/** A prediction about a device alone, on each of the hosts that its latencies were measured on. */
export interface DeviceCase {
  id: string;
  hosts: readonly [string, ...string[]];
  simulate(host: string, basis: Basis): number;
  mechanism: string;
}

/** How a prediction is run. */
export type HeldCase = IoCase | CardCase | DeviceCase;

/** The row of a card's run, of a host that is changed where an assumption is moved. */
export function cardRow(
  settings: CardSettings,
  seed: number,
  basis: Basis,
  change: (run: PacketRun) => PacketRun = (run) => run,
): FlushingRow {
  const [point] = flushing.points(flushing.parse({ ...settings, replications: 1, seed }), basis);
  return flushing.simulate({ ...point, run: change(point.run) }, basis)[0];
}

/** What every load is where a case says nothing else: the map benchmark, a page at a time. */
export const benchmark: IoLoad = {
  workNs: 300,
  segments: 1,
  segmentPages: 1,
  mapping: "each",
  premapped: 0,
  depth: 0,
  deviceNs: 0,
  completions: "same",
  permission: 3,
};

const kunpeng = (variant: string, cores: number): HeldRun => ({
  machine: "kunpeng-920",
  variant,
  cores,
  requests: 400 + 40 * cores,
  load: {},
  // A sync of an empty queue takes 240 ns there (record MS8), at 2.6 GHz; the tail register's write is part of it.
  change: { costs: { invalidationCycles: 624 } },
});
const loop = (cores: number): HeldRun => kunpeng("v6.18-smmu-strict", cores);
const each = (one: IoResult): number => one.rate / one.cores;

const packets = { workNs: 1600, depth: 64, deviceNs: 10_000, permission: 2 } as const;
const amd = (mapping: "each" | "list"): HeldRun => ({
  machine: "milan",
  variant: "v6.18-amd-strict",
  cores: 32,
  requests: 1600,
  load: { workNs: 8 * 1600, segments: 8, mapping, depth: 8, deviceNs: 10_000 },
});
const sas = (pages: number): HeldRun => ({
  machine: "kunpeng-920",
  variant: "v5.15-strict",
  cores: 24,
  requests: 4000,
  load: { workNs: 3000, segmentPages: pages, depth: 32, deviceNs: 80_000, completions: 8 },
});
const few = (variant: string): HeldRun => ({
  machine: "cascade-lake-sp",
  variant,
  cores: 5,
  requests: 3000,
  load: packets,
});
// Five million requests a second of 16 cores without translation.
const nvme = (variant: string): HeldRun => ({
  machine: "ice-lake-sp",
  variant,
  cores: 16,
  requests: 4000,
  load: { workNs: 3200, depth: 64, deviceNs: 20_000, permission: 2 },
});

/** SAS as record MS14 has it: requests above the largest cached size, over caches that mixed sizes have aged. */
const aged = (variant: string, pages: number): HeldRun => ({
  machine: "kunpeng-920",
  variant,
  cores: 24,
  requests: 1500,
  load: {
    workNs: 3000,
    segments: pages,
    mapping: "list",
    depth: 170,
    deviceNs: 80_000,
    completions: 16,
    permission: 2,
    aged: { requests: 150_000, rate: 600_000, spell: 30_000, sizes: [1, 2, 4, 8, 16, 32, 64, 124], depth: 170 },
  },
});
/** A guest: what it invalidates goes through the hypervisor. Assumed: 20 µs, one at a time. */
const exits = (microseconds: number, gigahertz: number): Partial<HostRun> => ({
  costs: { invalidationCycles: Math.round(microseconds * 1000 * gigahertz), serialShare: 1 },
});
const exitEnds: readonly { name: string; change: Partial<HostRun> }[] = [2, 100].map((microseconds) => ({
  name: `a flush of ${microseconds} µs`,
  change: exits(microseconds, 2.5),
}));
const s390 = (variant: string): HeldRun => ({
  machine: "cascade-lake-sp",
  variant,
  cores: 8,
  requests: 40_000,
  load: { workNs: 3000, depth: 64, deviceNs: 20_000 },
  change: exits(20, 2.5),
});
const virtio = (variant: string, pages: number): HeldRun => ({
  machine: "cascade-lake-sp",
  variant,
  cores: 4,
  requests: 1200,
  load: { workNs: 10_000, segmentPages: pages, depth: 8, deviceNs: 80_000, permission: 2 },
  change: exits(20, 2.5),
});
const gained = ([mapped, pooled]: readonly IoResult[]): number => pooled.rate / mapped.rate;
const lost = ([open, strict]: readonly IoResult[]): number => 100 * (1 - strict.rate / open.rate);
/** Packets of a page on eight cores of the host of records FS1 and MS36; a request maps so many. */
const packetsOf = (variant: string, segments: number, permission: number, gbps: number): HeldRun => ({
  machine: "cascade-lake-sp",
  variant,
  cores: 8,
  requests: 3000,
  load: { ...packets, segments, permission, link: { gbps, bytes: 4096 } },
});

/** The host of the thesis's years, all cores of it: a page in and out of a map. */
const technion = (variant: string): HeldRun => ({
  machine: "sandy-bridge-ep",
  variant,
  cores: 16,
  requests: 16_000,
  load: packets,
});

/** Cores that only receive packets of 4 KiB, as a card sees it. */
const received = (variant: string, gbps: number, cores: number, more: CardSettings = {}): CardSettings => ({
  variants: [variant],
  ats: [false],
  gbps: [gbps],
  cores: [cores],
  packetBytes: 4096,
  answers: 0,
  ...more,
});
const strictReceive = received("v6.9-strict", 100, 5);
/** Ten cores of one card in strict mode: five receive, five send, or one half of them has nothing to do. */
const both = received("v6.9-strict", 100, 10, { senders: 5 });
const onlyReceive = received("v6.9-strict", 100, 5);
const onlySend = received("v6.9-strict", 100, 10, { senders: 5, offered: 0 });
/** Walks of a packet that found no entry of the last level. */
const longWalks = ({ walks2, walks3, walks4 }: FlushingRow): number => walks2 + walks3 + walks4;

const ioCases: readonly IoCase[] = [
  {
    id: "unmap-16",
    runs: [loop(1), loop(16)],
    quantity: ([one, many]) => many.unmapNs / one.unmapNs,
    mechanism:
      "the wait for the sync alone grows 4.5 times there (883 to 4,000 ns) and hardly here: how the hardware takes up commands that come together is not published",
  },
  {
    id: "unmap-96",
    runs: [loop(1), loop(96)],
    quantity: ([one, many]) => many.unmapNs / one.unmapNs,
    mechanism:
      "how often a compare-exchange that failed succeeds at once when tried again: half is assumed, and the way across the sockets has no record",
  },
  {
    id: "hardware-96",
    runs: [loop(96)],
    quantity: ([many]) => many.hardwareShare,
    mechanism:
      "as for 16 threads: the wait for a sync grows to 24 µs there, and stays near the 240 ns of an empty queue here",
  },
  {
    id: "cas-64",
    runs: [loop(32), loop(64)],
    quantity: ([few32, many]) => each(few32) / each(many),
    mechanism: "how often a failed compare-exchange succeeds at once: half is assumed",
  },
  {
    id: "cas-128",
    runs: [loop(32), loop(128)],
    quantity: ([few32, many]) => each(few32) / each(many),
    mechanism: "how often a failed compare-exchange succeeds at once: half is assumed",
  },
  {
    id: "add-64",
    runs: [loop(64), kunpeng("v6.18-smmu-add-strict", 64)],
    quantity: ([exchanged, added]) => added.rate / exchanged.rate,
    mechanism: "how often a failed compare-exchange succeeds at once: half is assumed",
  },
  {
    id: "per-page",
    runs: [amd("each"), amd("list")],
    quantity: ([pages, list]) => list.rate / pages.rate,
    mechanism:
      "eight pages a list are assumed, and that all 32 flows share one domain; there the link ended the repaired kernel's gain at 95 Gb/s",
  },
  {
    id: "cached-size",
    runs: [sas(64), sas(32)],
    quantity: ([above, within]) => within.rate / above.rate,
    mechanism:
      "the address space is fresh here and searches are short; the report's came after hours (the experiment allocator-reports ages it)",
  },
  {
    id: "timer",
    runs: [
      {
        machine: "rome",
        variant: "v6.9-lazy",
        cores: 128,
        requests: 60_000,
        load: { workNs: 60_000, depth: 4, deviceNs: 20_000 },
      },
    ],
    quantity: ([lazy]) => (lazy.counts.timerFlushes > 0 ? lazy.flushNs / lazy.counts.timerFlushes / 1e6 : 0),
    mechanism:
      "CPUs that queue another unmap free their own rings as soon as the flush is finished, long before the timer's CPU comes to them: a lockup needs CPUs that have filled their rings and then are quiet",
  },
  {
    id: "strict-loss",
    runs: [few("pass-through"), few("v6.9-strict")],
    quantity: ([open, strict]) => 100 * (1 - strict.rate / open.rate),
    mechanism:
      "cores only: the device's misses in the IOTLB, which the paper finds to be most of the loss, are not in this load; and what five cores invalidate is here one invalidation a packet",
  },
  {
    id: "optane-strict",
    runs: [nvme("pass-through"), nvme("v6.18-strict")],
    quantity: ([open, strict]) => strict.rate / open.rate,
    mechanism: "the report does not name its host, nor its number of cores: 16 are assumed",
  },
  {
    id: "optane-lazy",
    runs: [nvme("pass-through"), nvme("v6.18-lazy")],
    quantity: ([open, lazy]) => lazy.rate / open.rate,
    mechanism:
      "work of a request outside mapping: 3.2 µs come from 16 cores for five million; with fewer cores it is less, and mapping weighs more",
  },
  {
    id: "retry",
    runs: [aged("v5.12-smmu-strict", 124), aged("v5.10-smmu-strict", 124)],
    quantity: ([with_, without]) => without.rate / with_.rate,
    mechanism:
      '24 cores with 170 requests each do not use up the addresses below 4 GiB here, so no first pass fails; where the caches of 96 CPUs use them up, with as many requests in all, taking it back gives 1.7 to 5.5 times as much (experiment storage, report "the retry of 5.11"); how many CPUs the report had is not published',
  },
  {
    id: "strict-lazy-sas",
    runs: [aged("v5.12-smmu-strict", 124), aged("v5.12-smmu-lazy", 124)],
    quantity: ([strict, lazy]) => lazy.rate / strict.rate,
    mechanism:
      "every request is taken to be of 124 pages: 24 rings of such ranges alone hold up to three quarters of the addresses below 4 GiB, and each request searches what is left; smaller requests go through the caches",
  },
  {
    id: "cached-size-mixed",
    runs: [aged("v5.12-smmu-strict", 64), aged("v5.12-smmu-strict", 32)],
    quantity: ([above, within]) => within.rate / above.rate,
    mechanism: "what share of the requests lies above the largest cached size is not published: all of them here",
  },
  {
    id: "guest-rings",
    runs: [s390("pools-1-lazy"), s390("v6.18-lazy")],
    quantity: gained,
    ends: exitEnds,
    mechanism:
      "the bitmap wraps and is flushed once in 786,432 pages, not in this run; the old s390 code's bitmap is of an aperture that is not published, and so is the time of its flush",
  },
  {
    id: "guest-single",
    runs: [s390("pools-1-lazy"), s390("v6.18-lazy-single")],
    quantity: gained,
    ends: exitEnds,
    mechanism: "the same: nothing says how long a flush takes in such a guest",
  },
  ...[1, 4, 32].map(
    (pages): IoCase => ({
      id: `guest-bounce-${pages * 4}`,
      runs: [virtio("v6.18-guest-strict", pages), virtio("v6.18-guest-bounce", pages)],
      quantity: gained,
      ends: exitEnds,
      mechanism:
        "what a request to the hypervisor takes is not published: 20 µs are assumed, one at a time for all CPUs; a guest whose requests overlap loses less",
    }),
  ),
  {
    id: "guest-unmap-4",
    runs: [virtio("v6.18-guest-strict", 1), virtio("v6.18-guest-bounce", 1)],
    quantity: ([mapped, pooled]) => pooled.unmapNs / mapped.unmapNs,
    ends: exitEnds,
    mechanism:
      "the same: the pool's unmap is a copy here, the other a wait of 20 µs behind those of three other CPUs; there it was a fraction",
  },
  {
    id: "nginx",
    runs: [packetsOf("pass-through", 2, 1, 90), packetsOf("v6.9-strict", 2, 1, 90)],
    quantity: lost,
    mechanism: "cores only: the device's misses in the IOTLB are not in this load",
  },
  {
    id: "redis",
    runs: [packetsOf("pass-through", 2, 3, 100), packetsOf("v6.9-strict", 2, 3, 100)],
    quantity: lost,
    mechanism: "cores only: the device's misses in the IOTLB are not in this load",
  },
  {
    id: "spdk",
    runs: [packetsOf("v6.9-strict", 1, 3, 100)],
    quantity: ([strict]) => (strict.rate * 4096 * 8) / 1e9,
    mechanism:
      "the reports' storage target is a card with its own stack; here a packet is 1.6 µs of work on eight cores",
  },
  {
    id: "identity",
    runs: [technion("magazines-deferred"), technion("one-to-one-deferred")],
    quantity: ([magazines, identity]) => (magazines.mapNs + magazines.unmapNs) / (identity.mapNs + identity.unmapNs),
    mechanism: "which kernel and load the thesis compared is not in its abstract",
  },
];

const cardCases: readonly CardCase[] = [
  {
    id: "misses",
    cards: [strictReceive],
    quantity: ([{ bufferMisses, ringMisses }]) => bufferMisses + ringMisses,
    mechanism: "rings and buffers of one card; the report's includes descriptors of sends and acknowledgements",
  },
  {
    id: "walk-misses",
    cards: [strictReceive],
    quantity: ([row]) => longWalks(row),
    mechanism:
      "buffers' addresses come from caches in the order in which these were filled, and so lie in few table pages; hours of traffic scatter them",
  },
  {
    id: "walk-reads",
    cards: [strictReceive],
    quantity: ([{ walks1, walks2, walks3, walks4 }]) => walks1 + 2 * walks2 + 3 * walks3 + 4 * walks4,
    mechanism: "fewer walks miss the last level's entries here (see the prediction before)",
  },
  {
    id: "wall-4k",
    cards: [received("off", 200, 16), received("v6.9-lazy", 200, 16)],
    quantity: ([off, lazy]) => 100 * (1 - lazy.inGbps / off.inGbps),
    mechanism: "the abstract says up to 20 %; the report's hosts are not modelled",
  },
  {
    id: "transmit-interfered",
    cards: [onlySend, both],
    quantity: ([alone, together]) => 100 * (1 - together.outGbps / alone.outGbps),
    mechanism:
      "both halves wait for the same queue of invalidations here and come out alike (28 Gb/s each); in the paper it is senders that lose, whose reads a miss delays",
  },
  {
    id: "receive-interfered",
    cards: [onlyReceive, both],
    quantity: ([alone, together]) => 100 * (1 - together.inGbps / alone.inGbps),
    mechanism: "the same: the senders' invalidations take the receivers' turns",
  },
  {
    id: "drops",
    cards: [received("v6.9-strict", 58, 5)],
    quantity: ([{ lostInCard, lostWithoutBuffer }]) => 100 * (lostInCard + lostWithoutBuffer),
    mechanism:
      "the simulated host takes 97 Gb/s with five cores in this mode (FS1's loss is not there on the card's side), so 58 leave nothing waiting; offered 100, it has no sender that slows down",
  },
  {
    id: "hint",
    cards: [received("v6.18-strict", 100, 5), received("v6.18.2-strict", 100, 5)],
    quantity: ([lost, kept]) => longWalks(kept) / longWalks(lost),
    mechanism:
      "with the hint kept no walk misses at all here: one card's buffers lie in few tables, and nothing else drops their entries",
  },
];

const deviceCases: readonly DeviceCase[] = [
  {
    id: "wall-2m",
    hosts: ["hsw", "bdw", "ivb"],
    simulate: (host, basis) => {
      const config = pageSizes.parse({
        parts: ["grid"],
        hosts: [host],
        pages: ["off", "2M"],
        directions: ["write"],
        dmaBytes: [4096],
        windows: [1_073_741_824],
      } as Parameters<typeof pageSizes.parse>[0]);
      const rows = pageSizes.points(config, basis).flatMap((point) => pageSizes.simulate(point, basis));
      const of = (page: string): number => rows.find((row) => row.page === page)?.gbps ?? Number.NaN;
      return of("2M") / of("off");
    },
    mechanism: "a device alone, without the host's copies of buffers",
  },
];

/** The cases, by the id of their prediction in data/judging/today.json. */
export const cases: readonly HeldCase[] = [...ioCases, ...cardCases, ...deviceCases];
