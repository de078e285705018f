import type { HostRun, IoLoad, IoResult } from "../../host/index.js";

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

/** How a prediction is run, and what its runs come down to. */
export interface HeldCase {
  id: string;
  runs: readonly HeldRun[];
  quantity(results: readonly IoResult[]): number;
  /** What stands between the two where the prediction misses, as far as it is known. */
  mechanism: string;
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

/** The cases, by the id of their prediction in data/judging/today.json. */
export const cases: readonly HeldCase[] = [
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
];
