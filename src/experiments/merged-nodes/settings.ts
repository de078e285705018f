import type { Facts } from "../../facts/index.js";
import { keptReceiveBuffers } from "../../host/index.js";
import { type HostChanges, publishedStack } from "./assume.js";

// What is run off, stock and merged: the baseline, one assumption changed at a time, maps of the two that are least known, and parts of the
// tree's work left out of the charge.

/** How unmaps are flushed, and which wording: the names of variants in src/dma; "merged-" before them is the merged tree. */
export const policies = ["deferred", "strict", "thread-deferred", "thread-strict"] as const;
/** One of the policies above. */
export type PolicyName = (typeof policies)[number];

/** One setting of the assumptions, to be run off, stock and merged. */
export interface Setting {
  part: "recovery" | "sweep" | "ablation" | "region";
  /** What is varied: "cores"; "baseline" for the setting that all others vary. */
  assumption: string;
  /** To what, in words: "4"; in the region a number of cores or pairs, or a name. */
  level: string | number;
  /** The region's other axis: stack work, as a multiple of PE1. */
  stackMultiple?: number;
  policy: PolicyName;
  run: HostChanges;
  /** Whether the throughput without an IOMMU differs from the baseline's. */
  ownOff: boolean;
  /** It is known to move little: a quick run gives it one seed, and its interval comes from the deviation of the others. */
  minor?: boolean;
}

/** Eight cores' rings of 3 MiB are more than their socket's L3: between two uses of a line by one core, everything passes through it. */
const beyondL3: HostChanges = { stackLines: 4096, machineOverrides: { footprintLines: 49_152 } };
/** The other baseline: receive buffers that stay mapped are the static maps, and only what is sent is mapped for each packet. */
const receiveBuffersStay: HostChanges = { profile: "transmit", staticMaps: keptReceiveBuffers };
/** The other hosts of data/hardware, with the same stack work in cycles; Westmere-EP has no more cores than these. */
const westmere = (stack: number): HostChanges => ({ machine: "westmere-ep", cores: 12, stackCycles: stack });
const broadwell = (stack: number): HostChanges => ({ machine: "broadwell-ep", stackCycles: stack });
const lever = (assumption: string, ownOff: boolean, levels: [string, HostChanges][]): Setting[] =>
  levels.map(([level, run]) => ({ part: "sweep", assumption, level, policy: "deferred", run, ownOff }));

/** What moves the share that comes back by two points at most, with four seeds a setting: little more than other seeds do. */
const minor = (settings: readonly Setting[]): Setting[] => settings.map((setting) => ({ ...setting, minor: true }));

/** One assumption changed at a time; everything else as in the baseline. The assumptions of data/workload stand in their order there. */
export function sweepSettings(facts: Facts): readonly Setting[] {
  const stack = publishedStack(facts);
  return [
    ...lever("cores", true, [
      ["2", { cores: 2 }],
      ["4", { cores: 4 }],
      ["8", { cores: 8 }],
    ]),
    ...lever("kind of lock", false, [["ticket (up to 4.1)", { lock: "ticket" }]]),
    ...lever("ticket lock: hand-off, a waiter", false, [
      ["0 cycles", { lock: "ticket", handoffCycles: 0 }],
      ["50 cycles", { lock: "ticket", handoffCycles: 50 }],
      ["100 cycles", { lock: "ticket", handoffCycles: 100 }],
    ]),
    ...lever("host", true, [
      ["Westmere-EP, 12 cores", westmere(stack)],
      ["Broadwell-EP, 16 cores", broadwell(stack)],
      ["Broadwell-EP, 28 cores", { ...broadwell(stack), cores: 28 }],
    ]),
    ...lever("stack work a transaction", true, [
      ["half of PE1", { stackCycles: Math.round(stack / 2) }],
      ["twice PE1", { stackCycles: 2 * stack }],
    ]),
    ...lever("lines the stack touches", true, [
      ["8,192 (512 KiB)", { stackLines: 8192 }],
      ["more than the L3", beyondL3],
    ]),
    ...lever("driver profile", true, [
      ["receive buffers stay mapped", receiveBuffersStay],
      ["receive only", { profile: "receive" }],
    ]),
    ...lever("receive ring", false, [
      ["64", { rxRing: 64 }],
      ["1,024", { rxRing: 1024 }],
    ]),
    ...lever("static maps beside the rings", false, [["32,768", { staticMaps: keptReceiveBuffers }]]),
    ...lever("order of completion", false, [["shuffled", { shuffleCompletions: true }]]),
    ...lever("sizes", false, [["half of two pages", { twoPageShare: 0.5 }]]),
    ...minor([
      ...lever("stack work done on receipt", true, [
        ["10 %", { receiveShare: 0.1 }],
        ["60 %", { receiveShare: 0.6 }],
      ]),
      ...lever("spread of the stack work", true, [
        ["none", { workSpread: 0 }],
        ["± 50 %", { workSpread: 0.5 }],
      ]),
      ...lever("most packets a poll", true, [["4", { pollBudget: 4 }]]),
      ...lever("buffers a refill", true, [["1", { refillBatch: 1 }]]),
      ...lever("time to send", true, [
        ["1 µs", { transmitMicroseconds: 1 }],
        ["100 µs", { transmitMicroseconds: 100 }],
      ]),
      ...lever("before the measurement", false, [
        ["up to 16 packets a poll", { agedPackets: 16 }],
        ["a core makes 64 maps in a row", { agedStretch: 64 }],
        ["one core after the other", { agedInTurn: 1 }],
      ]),
      ...lever("driver profile", true, [
        ["receive buffers stay mapped, a turn of 64 buffers", { ...receiveBuffersStay, agedSentBuffers: 64 }],
      ]),
    ]),
  ];
}

/** A part of the mechanism that is taken away. */
export interface Ablation {
  name: string;
  /** In words, as rows hold it. */
  level: string;
  run: HostChanges;
  /** Whether the throughput without an IOMMU differs from the baseline's. */
  ownOff?: true;
  /** It stands beside another one, with which it is compared in place of the baseline. */
  beside?: string;
  /** Everything at once: what must take away all of the gain, if the model is right. */
  control?: true;
}

/** Parts of the mechanism taken away, one at a time. */
export const ablations = [
  { name: "with statics", level: "with 32,768 static maps", run: { staticMaps: keptReceiveBuffers } },
  { name: "statics", level: "no static maps", run: { staticMaps: 0 }, beside: "with statics" },
  {
    name: "holes",
    level: "static maps with holes (5 %)",
    run: { staticMaps: keptReceiveBuffers, holes: 0.05 },
    beside: "with statics",
  },
  { name: "warm", level: "warm: the stack touches no lines", run: { stackLines: 0 }, ownOff: true },
  { name: "cold", level: "cold: the stack fills the L3", run: beyondL3, ownOff: true },
  { name: "lookup", level: "lookup (find) costs nothing", run: { uncharged: "find" } },
  { name: "change", level: "inserting and erasing costs nothing", run: { uncharged: "change" } },
  { name: "walk", level: "the downward walk costs nothing", run: { uncharged: "walk" } },
  {
    name: "cold lookup",
    level: "cold, and lookup costs nothing",
    run: { ...beyondL3, uncharged: "find" },
    beside: "cold",
  },
  {
    name: "cold walk",
    level: "cold, and the walk costs nothing",
    run: { ...beyondL3, uncharged: "walk" },
    beside: "cold",
  },
  { name: "all but walk", level: "all but the walk costs nothing", run: { uncharged: "all but walk" } },
  { name: "tree", level: "nothing in the tree costs anything", run: { uncharged: "all" }, control: true },
] as const satisfies readonly Ablation[];
/** The name of an ablation. */
export type AblationName = (typeof ablations)[number]["name"];

/** The ablations as settings. */
export const ablationSettings: readonly Setting[] = (ablations as readonly Ablation[]).map(
  ({ level, run, ownOff = false }) => ({
    part: "ablation",
    assumption: "ablation",
    level,
    policy: "deferred",
    run,
    ownOff,
  }),
);

/** Map and unmap pairs a transaction, as a driver profile and maps a packet. */
const pairsOf: Readonly<Record<number, HostChanges>> = {
  1: receiveBuffersStay,
  2: { profile: "both" },
  4: { profile: "both", rxMaps: 2, txMaps: 2 },
};

/** The hosts of the region, oldest first, each with all its cores; the baseline's among them. */
export const regionHosts = {
  "westmere-ep": ["Westmere-EP, 12 cores", westmere],
  "sandy-bridge-ep": ["Sandy Bridge-EP, 16 cores", (): HostChanges => ({})],
  "broadwell-ep": ["Broadwell-EP, 28 cores", (stack: number): HostChanges => ({ ...broadwell(stack), cores: 28 })],
} as const satisfies Record<string, readonly [string, (stack: number) => HostChanges]>;
/** The name of a host of the region. */
export type RegionHost = keyof typeof regionHosts;

/** The assumptions that the maps of the region lay against stack work. */
export const regionAxes = {
  cores: "cores",
  pairs: "pairs a transaction",
  hosts: "host",
  policies: "policy and wording",
} as const;

/**
 * Four maps: stack work, which the thread leaves open and PE1 only suggests, against the cores, against the map and unmap pairs that
 * a transaction makes, against the host, and against how unmaps are flushed. A setting's level is the other axis's value, its
 * `stackMultiple` the multiple of PE1.
 */
export function regionSettings(
  cores: readonly number[],
  pairs: readonly number[],
  hosts: readonly RegionHost[],
  chosen: readonly PolicyName[],
  stackShares: readonly number[],
  facts: Facts,
): Setting[] {
  const stack = publishedStack(facts);
  const cell = (
    assumption: string,
    value: number | string,
    share: number,
    run: HostChanges,
    policy: PolicyName = "deferred",
  ): Setting => ({
    part: "region",
    assumption,
    level: value,
    stackMultiple: share,
    policy,
    run: { ...run, stackCycles: Math.round(stack * share) },
    ownOff: true,
  });
  return stackShares.flatMap((share) => [
    ...cores.map((n) => cell(regionAxes.cores, n, share, { cores: n })),
    ...pairs.map((n) => cell(regionAxes.pairs, n, share, pairsOf[n] ?? {})),
    ...hosts.map((name) => cell(regionAxes.hosts, regionHosts[name][0], share, regionHosts[name][1](stack))),
    ...chosen.map((policy) => cell(regionAxes.policies, policy, share, {}, policy)),
  ]);
}

/** The baseline: the defaults of the workload, under each policy. Without an IOMMU there is no policy: it is run with the first. */
export function baselineSettings(chosen: readonly PolicyName[]): Setting[] {
  return chosen.map((policy, i) => ({
    part: "recovery",
    assumption: "baseline",
    level: policy,
    policy,
    run: {},
    ownOff: i === 0,
  }));
}
