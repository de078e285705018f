/**
 * The knobs of a run: one line for everything about a simulated host and its load that can be set. The schema of a configuration, its help,
 * the columns of a table, the words of a legend, `assume.*`, the sensitivity's assumptions and sweeps are made from these lines.
 *
 * A knob names a field of {@link HostRun}, a cost of the DMA code, or a value of the host's machine. Its default comes from data/ (a record,
 * a host's file, the assumptions of data/workload) or stands here with its reason; what nothing published fixes has the range that is honest
 * for it. To add one: its line here, and its use.
 */
import { type CostSource, costSources, type DmaCosts, dmaCosts } from "../dma/index.js";
import type { Facts } from "../facts/index.js";
import type { Uncharged } from "../iova/index.js";
import {
  hostAssumptions,
  type LockKind,
  lockKinds,
  type MachineConfig,
  machineConfig,
  presetNames,
} from "../machine/index.js";
import { workloadAssumption } from "./assumptions.js";
import { type DriverProfileName, driverProfiles } from "./nic.js";
import type { PageSharing } from "./pages.js";
import type { Flows } from "./tcp-rr.js";

/** One run of TCP_RR on one host: everything that a result depends on. Plain JSON. */
export interface HostRun {
  /** Name of a variant of src/dma. */
  variant: string;
  cores: number;
  threads: number;
  lock: LockKind;
  /** Ticket locks: cycles that each other waiter adds to a hand-off; without it, what coherence makes of their reads. */
  handoffCycles?: number;
  seed: number;
  /** Of the random streams of what comes before the first event: holes, buffers of two pages, ageing. Runs of one seed here begin alike. */
  agedSeed: number;
  /** Maps that never go away, made at boot by drivers with `queues` queues. */
  staticMaps: number;
  /** Share of the static maps that is unmapped again before the traffic, at random places. */
  holes: number;
  profile: DriverProfileName;
  rxRing: number;
  rxMaps: number;
  txMaps: number;
  twoPageShare: number;
  shuffleCompletions: boolean;
  /** Which queue a connection's packets arrive in. */
  flows: Flows;
  /** Stack work of a transaction in cycles; "PE1" takes it from that record. */
  stackCycles: number | "PE1";
  stackLines: number;
  /** Share of the cores' time that is idle without an IOMMU: the link is then the limit, at the published rate (record PE1). 0: no such limit. */
  offIdle: number;
  /** Share by which the stack's work grows where buffers are mapped, beyond all that is modelled. */
  otherWork: number;
  /** Share of the stack's work that is done where the packet is received; the rest is the thread's. */
  receiveShare: number;
  /** Stack work varies uniformly by this share up and down. */
  workSpread: number;
  /** Packets that one poll takes at most. */
  pollBudget: number;
  /** Receive buffers are replaced in batches of this size. */
  refillBatch: number;
  peerMicroseconds: number;
  /** From handing a buffer to the NIC until it reports it sent. */
  transmitMicroseconds: number;
  /** Shortest time between two interrupts of a queue. */
  interruptGapMicroseconds: number;
  ats: boolean;
  flushEntries: number;
  flushMilliseconds: number;
  /** How fast a processor copies, for bounce buffers. */
  copyBytesPerCycle?: number;
  /** Preset of the host, with fields replaced. */
  machine: string;
  machineOverrides: Partial<MachineConfig>;
  costs: Partial<DmaCosts>;
  /** A part of the tree's work that is left out of the charge: an ablation. */
  uncharged?: Uncharged;
  /** Where buffers get their pages from: each after the one before (without it), or the free lists of a host after long uptime. */
  pages?: "free lists";
  /** How buffers share pages; without it each has its own. */
  sharing?: PageSharing;
  /** Measures whose pages stay reachable after their unmap, for a device that touches them so many microseconds later. */
  touchedAfterMicroseconds?: readonly number[];
  /** How often every receive buffer is replaced before the start, outside simulated time: see `TcpRr.age`. 0 starts with fresh rings. */
  agedTurns: number;
  /** Meanwhile a poll finds from none to so many packets. */
  agedPackets: number;
  /** Meanwhile a core makes so many maps and unmaps before another core has its turn. */
  agedStretch: number;
  /** Meanwhile the cores have their turns one after the other (1), or at random (0). */
  agedInTurn: number;
  /** Without a receive ring: sent buffers a core that make a turn. */
  agedSentBuffers: number;
  /** Transactions before and within the measurement. */
  warmup: number;
  transactions: number;
  /** Slices of the measurement whose throughput is told apart. */
  slices: number;
}

/** A knob's value. */
export type KnobValue = number | string | boolean;

/** What a knob accepts. */
export type Accepts =
  | {
      kind: "whole" | "number";
      low: number;
      high: number;
      /** A word that stands for what no number says. */
      word?: string;
    }
  | { kind: "boolean" }
  | { kind: "choice"; values: readonly string[] };

/** The two ends of a range as settings of a run, each with its words; an end without changes is the default. */
export interface RangeEnds {
  low: [string, Partial<HostRun>];
  high: [string, Partial<HostRun>];
}

/** One thing that can be set. */
export interface Knob<N extends string = string, V extends KnobValue = KnobValue, S extends boolean = boolean> {
  name: N;
  /** Where it enters a run: a field of its own, a cost of the DMA code, a value of the host's machine. */
  kind: "run" | "cost" | "machine";
  /** It stands in every table of a run; the others where they are set. */
  shown: S;
  /** What it is, in one line, with its unit where the field's name does not say it. */
  about: string;
  unit: string;
  accepts: Accepts;
  /** What a run has without it; undefined where it stands for another knob's field. */
  fallback(facts: Facts): V | undefined;
  /** The change that a value makes to a run. */
  put(value: V, facts: Facts): Partial<HostRun>;
  /** What a title calls it where its values stand side by side: "kinds of lock". */
  topic: string;
  /** How a legend says a value. */
  say(value: V): string;
  /** What the sensitivity calls it, where nothing published fixes it. */
  assumption?: {
    label: string;
    /** Small ones of a kind are moved together, under this name. */
    group?: string;
    /** Both ends of its range. */
    range(facts: Facts): readonly [KnobValue, KnobValue];
    /** The same as changes to a run. */
    ends(facts: Facts): RangeEnds;
  };
}

const whole = (low: number, high: number): Accepts => ({ kind: "whole", low, high });
const number = (low: number, high: number): Accepts => ({ kind: "number", low, high });
const share = number(0, 1);
const boolean: Accepts = { kind: "boolean" };
const oneOf = (...values: readonly string[]): Accepts => ({ kind: "choice", values });

type Say = (value: KnobValue) => string;
const counted: Say = (value) => Number(value).toLocaleString("en");
const percent: Say = (value) => `${100 * Number(value)} %`;
const microseconds: Say = (value) => `${value} µs`;
const none =
  (say: Say): Say =>
  (value) =>
    value === 0 ? "none" : say(value);

interface Line {
  about: string;
  unit?: string;
  accepts: Accepts;
  /** Words of a legend before the value, or in its place. */
  legend?: string | Say;
  /** What a title calls it where it varies (default: its label, or its name). */
  topic?: string;
  /** What the sensitivity calls it. */
  label?: string;
  /** How the sensitivity says an end. */
  say?: Say;
  group?: string;
  /** The range's ends, where data/ does not hold them. */
  ends?: readonly [KnobValue, KnobValue];
  /** What else a run needs for the knob to matter. */
  beside?: Partial<HostRun>;
  shown?: true;
}

/** Whether a line's knob stands in every table. */
type Shown<L extends Line> = L extends { shown: true } ? true : false;

function knob<const N extends string, V extends KnobValue, const L extends Line>(
  name: N,
  line: L,
  fallback: (facts: Facts) => V | undefined,
  put: (value: V, facts: Facts) => Partial<HostRun>,
  range: ((facts: Facts) => readonly [V, V]) | undefined,
  kind: Knob["kind"] = "run",
): Knob<N, V, Shown<L>> {
  const {
    about,
    unit = "",
    accepts,
    legend = name,
    label,
    say = counted,
    group,
    beside = {},
    topic = label ?? name,
  } = line;
  return {
    name,
    kind,
    shown: (line.shown ?? false) as Shown<L>,
    about,
    unit,
    accepts,
    fallback,
    put,
    topic,
    say: typeof legend === "string" ? (value) => `${legend} ${value}` : legend,
    ...(label === undefined || range === undefined
      ? {}
      : {
          assumption: {
            label,
            ...(group === undefined ? {} : { group }),
            range,
            ends(facts) {
              const end = (value: V): [string, Partial<HostRun>] => [
                say(value),
                kind === "run" && value === fallback(facts) ? {} : { ...beside, ...put(value, facts) },
              ];
              const [low, high] = range(facts);
              return { low: end(low), high: end(high) };
            },
          },
        }),
  };
}

/** A field of a run whose default stands here, with its reason or record in the line's comment. */
function field<
  const K extends keyof HostRun,
  V extends HostRun[K] & KnobValue,
  const L extends Line & { ends?: readonly [HostRun[K] & KnobValue, HostRun[K] & KnobValue] },
>(name: K, value: V, line: L): Knob<K, HostRun[K] & KnobValue, Shown<L>> {
  const { ends } = line;
  return knob(
    name,
    line,
    () => value,
    (v: HostRun[K] & KnobValue) => ({ [name]: v }),
    ends && (() => ends),
  );
}

/** A field of a run that data/workload assumes. */
function assumed<const N extends keyof HostRun, const L extends Line>(name: N, line: L): Knob<N, number, Shown<L>> {
  return knob(
    name,
    line,
    (facts) => workloadAssumption(facts, name).value,
    (value) => ({ [name]: value }),
    (facts) => {
      const { low, high } = workloadAssumption(facts, name).assumption;
      return [low, high];
    },
  );
}

/** A cost of the DMA code; its source and range stand beside it in src/dma. */
function cost<const N extends keyof DmaCosts, const L extends Omit<Line, "unit">>(
  name: N,
  line: L,
): Knob<N, number, Shown<L>> {
  const source = costSources.find((one): one is CostSource => one.field === name);
  if (!source) throw new Error(`The cost "${name}" has no source in src/dma.`);
  const say: Say = source.unit === "share" ? percent : (value) => `${counted(value)} ${source.unit}`;
  return knob(
    name,
    { say, ...line, unit: source.unit },
    (facts) => dmaCosts(facts, machineConfig(facts, hostOfDefaults))[name],
    (value) => ({ costs: { [name]: value } }),
    () => [source.low, source.high],
    "cost",
  );
}

/** A value of the host's machine, replaced; what no record supports has its range in data/hardware. */
function machine<const N extends string, const L extends Line>(
  name: N,
  fieldName: keyof MachineConfig,
  line: L,
): Knob<N, number, Shown<L>> {
  const { unit = "" } = line;
  return knob(
    name,
    { say: (value) => `${counted(value)}${unit === "" || unit === "lines" ? "" : ` ${unit}`}`, ...line },
    (facts) => machineConfig(facts, hostOfDefaults)[fieldName],
    (value) => ({ machineOverrides: { [fieldName]: value } }),
    (facts) => {
      const found = hostAssumptions(facts, hostOfDefaults).find((one) => one.field === fieldName)?.assumption;
      if (!found) throw new Error(`The host "${hostOfDefaults}" has no assumption "${fieldName}".`);
      return [found.low, found.high];
    },
    "machine",
  );
}

/** Receive buffers that stay mapped: record S2 has tens of thousands; two cards of 8 queues with rings of 4,096 hold as many. */
export const keptReceiveBuffers = 32_768;
/** The host of a run that names none: the machine of the published measurements (record PE1). */
export const hostOfDefaults = "sandy-bridge-ep";
const choices = "small choices of the workload";
const costs = "small costs of the DMA code";
const latencies = "small latencies of the host";
const writes = "where the device's writes go";
const memory = "memory latency";
const pe1Microseconds = (facts: Facts): number => Math.round((publishedStackCycles(facts, 2.9) / 2900) * 1000) / 1000;

/** Stack work of a transaction that makes 16 busy cores do the published number of transactions without an IOMMU (record PE1). */
export function publishedStackCycles(facts: Facts, gigahertz: number): number {
  return Math.round((16 * gigahertz * 1e9) / facts.number("PE1"));
}

/**
 * Every knob, in the order in which tables and lists show them.
 * @example knobs().find(({ name }) => name === "rxRing")?.unit // "buffers"
 */
export function knobs() {
  return [
    // The load. Maps a side set both directions; data/workload has one value for each.
    knob(
      "mapsPerSide",
      {
        topic: "maps a side",
        shown: true,
        about: "maps a transaction on each side that the profile maps",
        unit: "maps",
        accepts: number(0.25, 8),
        legend: "maps a side",
        label: "maps a transaction on each side",
      },
      (facts) => workloadAssumption(facts, "rxMaps").value,
      (value: number) => ({ rxMaps: value, txMaps: value }),
      (facts) => {
        const { low, high } = workloadAssumption(facts, "rxMaps").assumption;
        return [low, high];
      },
    ),
    knob(
      "stackMicroseconds",
      {
        shown: true,
        about: "work of a transaction outside DMA mapping (µs a core); the default is record PE1",
        unit: "µs",
        accepts: number(0.5, 500),
        legend: "stack µs",
        label: "stack work",
        say: microseconds,
      },
      pe1Microseconds,
      (value: number, facts) => ({
        stackCycles: value === pe1Microseconds(facts) ? "PE1" : Math.round(value * 2900),
      }),
      () => [8, 32],
    ),
    knob(
      "stack",
      { about: "stack work a transaction, as a multiple of PE1", accepts: number(0.1, 10), legend: "stack × PE1" },
      () => undefined,
      (value: number, facts) => ({ stackCycles: Math.round(publishedStackCycles(facts, 2.9) * value) }),
      undefined,
    ),
    // Two baselines: receive buffers that are mapped for each packet, or that stay mapped and are then the boot's maps that never go away.
    knob(
      "profile",
      {
        topic: "what the driver maps",
        shown: true,
        about:
          "which buffers the driver maps for each packet; with transmit the receive buffers stay mapped (32,768 static maps)",
        accepts: oneOf(...driverProfiles.map(({ name }) => name)),
        label: "driver profile",
        say: String,
      },
      (): DriverProfileName => "both",
      (profile) => ({ profile, ...(profile === "transmit" ? { staticMaps: keptReceiveBuffers } : {}) }),
      () => ["transmit", "receive"],
    ),
    assumed("rxRing", {
      about: "receive buffers a queue, where the profile replaces them",
      unit: "buffers",
      accepts: whole(16, 8192),
      label: "receive buffers a queue",
    }),
    // With receive buffers that are mapped for each packet, the rings are what the boot maps.
    field("staticMaps", 0, {
      shown: true,
      about: "maps made at boot that never go away, beside what the profile maps for each packet",
      unit: "maps",
      accepts: whole(0, 65_536),
      legend: "static maps",
      label: "static maps",
      say: none(counted),
      ends: [0, keptReceiveBuffers],
    }),
    field("holes", 0, {
      topic: "holes",
      shown: true,
      about: "share of the static maps that is unmapped again before the traffic",
      unit: "share",
      accepts: number(0, 0.5),
      label: "holes among the static maps",
      say: none(percent),
      ends: [0, 0.1],
      beside: { staticMaps: keptReceiveBuffers },
    }),
    assumed("twoPageShare", {
      shown: true,
      about: "share of buffers that take two pages (record: 0.35 on vmxnet3)",
      unit: "share",
      accepts: share,
      legend: "two-page share",
      label: "two-page buffers",
      say: percent,
    }),
    field("shuffleCompletions", false, {
      about: "sent buffers complete in arbitrary order",
      accepts: boolean,
      legend: (value) => (value ? "shuffled completions" : "completions as sent"),
      label: "order of completion",
      say: (value) => (value ? "shuffled" : "as sent"),
      ends: [false, true],
    }),
    assumed("stackLines", {
      shown: true,
      about: "cache lines that a transaction's other work touches",
      unit: "lines",
      accepts: whole(0, 65_536),
      legend: "stack lines",
      label: "lines the stack touches",
    }),
    assumed("offIdle", {
      about:
        "share of the cores' time that is idle without an IOMMU: the link is then the limit, at the rate of record PE1",
      unit: "share",
      accepts: number(0, 0.9),
      legend: (value) => `${100 * Number(value)} % idle at off`,
      label: "idle without an IOMMU: the link is the limit",
      say: percent,
    }),
    assumed("otherWork", {
      about: "share by which the stack's work grows where buffers are mapped, beyond all that is modelled",
      unit: "share",
      accepts: number(0, 1),
      legend: (value) => `${100 * Number(value)} % other work`,
      label: "work that is neither the stack's nor spinning",
      say: percent,
    }),
    machine("footprintLines", "footprintLines", {
      about: "lines of a core's other work, which it walks through in a ring",
      unit: "lines",
      accepts: whole(64, 1_048_576),
      label: "lines it walks through",
    }),
    // Locks.
    // x86 has the queued spinlock since v4.2; the thread does not say how old the kernel of its measurements was.
    field("lock", "queued", {
      topic: "kinds of lock",
      shown: true,
      about: "kind of every spinlock; Linux on x86: ticket up to 4.1, queued from 4.2",
      accepts: oneOf(...lockKinds),
      legend: (value) => (value === "ticket" ? "ticket lock (up to 4.1)" : `${value} lock`),
      label: "kind of lock",
      say: (value) => (value === "ticket" ? "ticket (up to 4.1)" : String(value)),
      ends: ["ticket", "queued"],
    }),
    knob(
      "handoffCycles",
      {
        topic: "hand-offs",
        shown: true,
        about:
          "core cycles by which each other waiter makes the hand-off of a ticket lock longer; modelled: what coherence makes of their reads",
        unit: "cycles",
        accepts: { kind: "whole", low: 0, high: 1000, word: "modelled" },
        legend: (value) => (value === "modelled" ? "hand-off as the caches make it" : `${value} cycles a waiter`),
        label: "with ticket locks: hand-off cost a waiter",
        say: (value) => `${value} cycles`,
        beside: { lock: "ticket" },
      },
      (): "modelled" | number => "modelled",
      (value) => (value === "modelled" ? {} : { handoffCycles: value }),
      () => [0, 100],
    ),
    // Costs of the DMA code and of invalidations.
    cost("storesAtOnce", {
      shown: true,
      about: "lines that the stores in a core's store buffer ask for at the same time; a lock's release waits for them",
      accepts: whole(1, 64),
      legend: "stores at once",
      label: "stores that wait for their lines together",
    }),
    cost("storesBuffered", {
      about: "stores that wait in a core's store buffer at most",
      accepts: whole(1, 256),
      label: "store buffer",
      group: costs,
    }),
    cost("invalidationCycles", {
      shown: true,
      about: "from the queue's tail register to the status word (record RI1 less the tail write)",
      accepts: whole(0, 20_000),
      legend: "invalidation cycles",
      label: "invalidation latency",
    }),
    cost("serialShare", {
      shown: true,
      about: "share of an invalidation's latency in which the IOMMU takes up nothing else",
      accepts: share,
      legend: "serial share",
      label: "invalidations in series",
    }),
    // No label: a load on VT-d never meets it. The experiment "held" moves it over its range.
    cost("retriesInPlace", {
      about: "SMMUv3: failed compare-exchanges whose next try comes before another core takes the line away",
      accepts: share,
      legend: "retries in place",
    }),
    cost("instructionCycles", {
      about: "instructions of an access that its load does not hide",
      accepts: whole(0, 100),
      label: "instructions an access",
    }),
    cost("deviceInvalidationCycles", {
      about: "with ATS: from an invalidation of the device's translations to its answer",
      accepts: whole(0, 100_000),
      label: "with ATS: the device's answer",
      beside: { ats: true },
    }),
    cost("clflushCycles", {
      about: "with clflush: its cost, less the next access's miss",
      accepts: whole(0, 2000),
      label: "with clflush: its cost",
      beside: { machineOverrides: { coherentWalks: 0 } },
    }),
    field("ats", false, {
      topic: "ATS",
      shown: true,
      about: "the device caches translations (ATS)",
      accepts: boolean,
      legend: (value) => (value ? "ATS" : "no ATS"),
    }),
    // By host: the default one flushes (record CAP2).
    knob(
      "coherent",
      {
        topic: "page walks",
        shown: true,
        about: "page walks snoop the CPU caches; false adds clflush",
        accepts: boolean,
        legend: (value) => (value ? "coherent walks" : "clflush"),
        label: "page walks",
        say: (value) => (value ? "snoop the caches" : "do not snoop: clflush"),
      },
      (facts): boolean => machineConfig(facts, hostOfDefaults).coherentWalks === 1,
      (value) => ({ machineOverrides: { coherentWalks: value ? 1 : 0 } }),
      () => [false, true],
      "machine",
    ),
    // The wire and the host's memory.
    assumed("peerMicroseconds", {
      about: "the peer's and the wire's time (µs)",
      unit: "µs",
      accepts: number(1, 10_000),
      label: "peer and wire",
      say: microseconds,
    }),
    assumed("interruptGapMicroseconds", {
      about: "shortest time between two interrupts of a queue (µs)",
      unit: "µs",
      accepts: number(0, 10_000),
      label: "interrupt moderation",
      say: microseconds,
    }),
    machine("dramLocalCycles", "dramLocalCycles", {
      about: "a load from the own socket's memory",
      unit: "cycles",
      accepts: whole(1, 10_000),
      label: "memory of the own socket",
      group: memory,
    }),
    machine("dramRemoteCycles", "dramRemoteCycles", {
      about: "a load from the other socket's memory",
      unit: "cycles",
      accepts: whole(1, 10_000),
      label: "memory of the other socket",
      group: memory,
    }),
    machine("cleanCrossSocketCycles", "cleanCrossSocketCycles", {
      about: "a line that only the other socket holds, clean",
      unit: "cycles",
      accepts: whole(1, 10_000),
      label: "a clean line of the other socket",
    }),
    // Small choices of the workload.
    assumed("receiveShare", {
      about: "share of the stack's work that is done where the packet is received",
      unit: "share",
      accepts: share,
      label: "work done in the softirq",
      say: percent,
      group: choices,
    }),
    assumed("workSpread", {
      about: "share by which stack work varies up and down",
      unit: "share",
      accepts: share,
      label: "spread of the stack work",
      say: (value) => `± ${percent(value)}`,
      group: choices,
    }),
    assumed("pollBudget", {
      about: "packets that one poll takes at most",
      unit: "packets",
      accepts: whole(1, 1024),
      label: "packets a poll",
      group: choices,
    }),
    assumed("refillBatch", {
      about: "receive buffers that are replaced at a time",
      unit: "buffers",
      accepts: whole(1, 8192),
      label: "receive buffers replaced together",
      group: choices,
    }),
    assumed("transmitMicroseconds", {
      about: "from handing over a buffer until it is sent (µs)",
      unit: "µs",
      accepts: number(0, 10_000),
      label: "until a buffer is sent",
      say: microseconds,
      group: choices,
    }),
    // Steered: a NIC that sends a flow's packets where its thread runs (Intel's ATR), as 200 threads on as many connections had.
    field("flows", "steered", {
      about: "a connection's packets arrive in the queue of its thread's core, or in any",
      accepts: oneOf("steered", "hashed"),
      label: "a connection's queue",
      say: (value) => (value === "steered" ? "its core's" : "any"),
      ends: ["steered", "hashed"],
      group: choices,
    }),
    assumed("agedPackets", {
      about: "before the measurement: a poll finds from none to so many packets",
      unit: "packets",
      accepts: whole(1, 1024),
      label: "ageing: packets a poll",
      say: (value) => `at most ${value}`,
      group: choices,
    }),
    assumed("agedStretch", {
      about: "before the measurement: maps and unmaps that a core makes before another core has its turn",
      unit: "maps and unmaps",
      accepts: whole(1, 8192),
      label: "ageing: maps and unmaps in a row",
      group: choices,
    }),
    assumed("agedInTurn", {
      about: "before the measurement: the next core is drawn (0), or they take turns (1)",
      accepts: whole(0, 1),
      label: "ageing: the next core",
      say: (value) => (value === 0 ? "at random" : "in turn"),
      group: choices,
    }),
    assumed("agedSentBuffers", {
      about: "before the measurement, without a receive ring: sent buffers a core that make a turn",
      unit: "buffers",
      accepts: whole(1, 65_536),
      label: "ageing without a ring: sent buffers a core",
      group: choices,
    }),
    knob(
      "agedTurns",
      {
        about: "before the measurement: how often every receive buffer is replaced (default: by fidelity and variant)",
        unit: "turns",
        accepts: whole(0, 20),
        label: "ageing: turns of the rings",
        say: String,
        group: choices,
      },
      () => 1,
      (value: number) => ({ agedTurns: value }),
      () => [1, 3],
    ),
    // Small costs of the DMA code.
    cost("apiCycles", {
      about: "a call's checks before any translation",
      accepts: whole(0, 2000),
      label: "a call's checks",
      group: costs,
    }),
    cost("pteMapCycles", {
      about: "instructions of an entry's write",
      accepts: whole(0, 5000),
      label: "instructions of an entry's write",
      group: costs,
    }),
    cost("pteClearCycles", {
      about: "instructions of an entry's clearing",
      accepts: whole(0, 5000),
      label: "instructions of an entry's clearing",
      group: costs,
    }),
    cost("tailWriteCycles", {
      about: "a write of the queue's tail register",
      accepts: whole(0, 2000),
      label: "write of the tail register",
      group: costs,
    }),
    cost("faultReadCycles", {
      about: "a read of the fault register",
      accepts: whole(0, 5000),
      label: "read of the fault register",
      group: costs,
    }),
    cost("relaxCycles", {
      about: "the pause between two polls of a status word",
      accepts: whole(0, 500),
      label: "pause between two polls",
      group: costs,
    }),
    // Small latencies of the host, and where the device's writes go.
    machine("cleanSnoopCycles", "cleanSnoopCycles", {
      about: "a clean line that another core of the socket may hold",
      unit: "cycles",
      accepts: whole(1, 1000),
      label: "a clean line of the same socket",
      group: latencies,
    }),
    machine("storeHitCycles", "storeHitCycles", {
      about: "a store to a line that the core owns",
      unit: "cycles",
      accepts: whole(0, 100),
      label: "a store that hits",
      group: latencies,
    }),
    machine("irqSaveCycles", "irqSaveCycles", {
      about: "interrupts off with their state saved, or on again",
      unit: "cycles",
      accepts: whole(0, 1000),
      label: "interrupts off, or on",
      group: latencies,
    }),
    machine("handoffPercent", "homeOccupancyPercent", {
      shown: true,
      about:
        "how long a line's home is busy with one request, in percent of its latency: a lock's hand-off to its waiters",
      unit: "%",
      accepts: whole(0, 100),
      legend: "hand-off %",
      label: "a line's home is busy",
      group: latencies,
    }),
    machine("ddioWays", "ddioWays", {
      about: "ways of the last-level cache that the device's writes fill; 0 sends them to memory",
      unit: "ways",
      accepts: whole(0, 20),
      label: "ways for the device's writes",
      say: counted,
      group: writes,
    }),
    machine("deviceSocket", "deviceSocket", {
      about: "socket that the device and its IOMMU sit on",
      accepts: whole(0, 1),
      label: "socket of the device",
      group: writes,
    }),
    knob(
      "agedSeed",
      {
        about:
          "seed of what comes before the first event; without it, the replications of a point have four among them",
        accepts: whole(0, 2_147_483_647),
        legend: "ageing",
      },
      () => undefined,
      (value: number) => ({ agedSeed: value }),
      undefined,
    ),
    // What the thread says of the load (records S6 and S7), and the host.
    field("flushEntries", 250, {
      about: "slots of the deferred flush table (record S7)",
      unit: "slots",
      accepts: whole(1, 100_000),
    }),
    field("flushMilliseconds", 10, {
      about: "the deferred flush timer of v4.3 (ms)",
      unit: "ms",
      accepts: number(0.001, 100_000),
    }),
    knob(
      "host",
      { about: "simulated host", accepts: oneOf(...presetNames), legend: String },
      (): string => hostOfDefaults,
      (value) => ({ machine: value }),
      undefined,
    ),
    field("threads", 200, {
      shown: true,
      about: "TCP_RR connections",
      unit: "threads",
      accepts: whole(1, 10_000),
    }),
    field("cores", 16, {
      shown: true,
      about: "cores that run the workload (the first eight share a socket)",
      unit: "cores",
      accepts: whole(1, 28),
    }),
  ] as const;
}

type Table = ReturnType<typeof knobs>[number];
/** The name of a knob. */
export type KnobName = Table["name"];
/** Values of knobs, by name. */
export type Settings = { [K in Table as K["name"]]: K extends Knob<string, infer V> ? V : never };
/** The name of a knob that stands in every table of a run. */
export type ShownKnobName = Extract<Table, { shown: true }>["name"];

/** A knob by its name. @throws Error naming it where there is none */
export function knobNamed(name: string): Knob {
  const found = (knobs() as readonly Knob[]).find((one) => one.name === name);
  if (!found) throw new Error(`There is no knob "${name}" of a run.`);
  return found;
}

/** The defaults of a run: the machine of the published measurements under the thread's load, as the knobs have it. */
export function hostRunDefaults(facts: Facts): HostRun {
  const fields = (knobs() as readonly Knob[]).flatMap((one) => {
    const value = one.kind === "run" ? one.fallback(facts) : undefined;
    return value === undefined ? [] : [one.put(value, facts)];
  });
  return {
    ...(Object.assign({}, ...fields) as HostRun),
    variant: "deferred",
    seed: 1,
    agedSeed: 1,
    machineOverrides: {},
    costs: {},
    warmup: 1000,
    transactions: 2000,
    slices: 10,
  };
}

/** The change that values of knobs make to a run. */
export function changeOf(
  settings: Readonly<Partial<Record<string, KnobValue | undefined>>>,
  facts: Facts,
): Partial<HostRun> {
  const all = new Map((knobs() as readonly Knob[]).map((one) => [one.name, one]));
  return together(
    ...Object.entries(settings).map(([name, value]) =>
      value === undefined ? {} : (all.get(name)?.put(value, facts) ?? {}),
    ),
  );
}

/** One change to a run after the other: costs and machine values add up, every other field is replaced. */
export function together(...changes: readonly Partial<HostRun>[]): Partial<HostRun> {
  const all = Object.assign({}, ...changes) as Partial<HostRun>;
  for (const key of ["costs", "machineOverrides"] as const) {
    const merged = Object.assign({}, ...changes.map((change) => change[key])) as object;
    if (Object.keys(merged).length > 0) Object.assign(all, { [key]: merged });
  }
  return all;
}

/** An assumption behind a run, and both ends of the range that is honest for it. */
export interface Assumption extends RangeEnds {
  name: string;
}

/**
 * Every assumption of a simulated host, in the order of the knobs. Those of a group are moved together, where the group's first stands or, for
 * the small ones, at the end.
 */
export function assumptions(facts: Facts): Assumption[] {
  const all: readonly Knob[] = knobs();
  const alone: Assumption[] = [];
  const grouped = new Set<string>();
  for (const { assumption } of all) {
    if (!assumption) continue;
    const { label, group, ends } = assumption;
    if (group === undefined) alone.push({ name: label, ...ends(facts) });
    else if (group === memory && !grouped.has(group)) alone.push(ofGroup(all, group, facts));
    if (group !== undefined) grouped.add(group);
  }
  return [...alone, ...[choices, costs, latencies, writes].map((group) => ofGroup(all, group, facts))];
}

/** The small assumptions, each alone. */
export function smallAssumptions(facts: Facts): Assumption[] {
  const all: readonly Knob[] = knobs();
  return [choices, costs, latencies, writes, memory].flatMap((wanted) =>
    all.flatMap(({ assumption }) =>
      assumption?.group === wanted ? [{ name: assumption.label, ...assumption.ends(facts) }] : [],
    ),
  );
}

function ofGroup(all: readonly Knob[], group: string, facts: Facts): Assumption {
  const members = all.flatMap(({ assumption }) => (assumption?.group === group ? [assumption.ends(facts)] : []));
  const end = (which: "low" | "high"): [string, Partial<HostRun>] => {
    const change = together(...members.map((ends) => ends[which][1]));
    if (group !== memory) return [`all ${which}`, change];
    // Both sockets' memory, named by the own one's latency.
    const { gigahertz } = machineConfig(facts, hostOfDefaults);
    return [`${Math.round(Number(change.machineOverrides?.dramLocalCycles) / gigahertz)} ns`, change];
  };
  return { name: group, low: end("low"), high: end("high") };
}
