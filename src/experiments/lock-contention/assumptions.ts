import { costSources, type DmaCosts } from "../../dma/index.js";
import type { Facts } from "../../facts/index.js";
import { type AssumedField, type HostRun, hostRunDefaults, workloadAssumptions } from "../../host/index.js";
import { hostAssumptions, type MachineConfig, machineConfig } from "../../machine/index.js";

/** An assumption and the two ends of the range that is honest for it. */
export interface Assumption {
  name: string;
  low: [string, Partial<HostRun>];
  high: [string, Partial<HostRun>];
}

/** A cost of the DMA code at both ends of the range that its source leaves. */
function cost(field: keyof DmaCosts, name: string, beside: Partial<HostRun> = {}): Assumption {
  const source = costSources.find((one) => one.field === field);
  if (!source) throw new Error(`The cost "${field}" has no source in src/dma.`);
  const at = (value: number): [string, Partial<HostRun>] => [
    source.unit === "share" ? `${100 * value} %` : `${value.toLocaleString("en")} ${source.unit}`,
    { ...beside, costs: { [field]: value } },
  ];
  return { name, low: at(source.low), high: at(source.high) };
}

/** A value of the host that no record supports, at both ends of its range in data/hardware. */
function ofHost(facts: Facts, field: keyof MachineConfig, name: string, unit: string): Assumption {
  const host = hostRunDefaults(facts).machine;
  const found = hostAssumptions(facts, host).find((one) => one.field === field)?.assumption;
  if (!found) throw new Error(`The host "${host}" has no assumption "${field}".`);
  const at = (value: number): [string, Partial<HostRun>] => [
    `${value.toLocaleString("en")}${unit}`,
    { machineOverrides: { [field]: value } },
  ];
  return { name, low: at(found.low), high: at(found.high) };
}

/** Values of the workload that no record supports, at both ends of their range in data/workload. */
function ofWorkload(
  facts: Facts,
  fields: AssumedField | readonly AssumedField[],
  name: string,
  say: (value: number) => string = (value) => value.toLocaleString("en"),
): Assumption {
  const all = [fields].flat() as AssumedField[];
  const at = (end: "low" | "high"): [string, Partial<HostRun>] => {
    const values = all.map((field) => [field, workloadAssumptions(facts)[field].assumption[end]] as const);
    const change = values.filter(([field, value]) => value !== hostRunDefaults(facts)[field]);
    return [say(values[0][1]), Object.fromEntries(change)];
  };
  return { name, low: at("low"), high: at("high") };
}

const share = (value: number): string => `${100 * value} %`;
const microseconds = (value: number): string => `${value} µs`;

/** Several assumptions at their low ends together, and at their high ends. */
function together(name: string, parts: readonly Assumption[]): Assumption {
  const at = (end: "low" | "high"): [string, Partial<HostRun>] => {
    const runs = parts.map((part) => part[end][1]);
    const costs = Object.assign({}, ...runs.map((run) => run.costs)) as HostRun["costs"];
    const machineOverrides = Object.assign({}, ...runs.map((run) => run.machineOverrides)) as Partial<MachineConfig>;
    const all = Object.assign({}, ...runs, { costs, machineOverrides }) as Partial<HostRun>;
    return [`all ${end}`, all];
  };
  return { name, low: at("low"), high: at("high") };
}

/** Choices of the workload that no source fixes. */
const workloadChoices = (facts: Facts): Assumption[] => [
  ofWorkload(facts, "receiveShare", "work done in the softirq", share),
  ofWorkload(facts, "workSpread", "spread of the stack work", (value) => `± ${share(value)}`),
  ofWorkload(facts, "pollBudget", "packets a poll"),
  ofWorkload(facts, "refillBatch", "receive buffers replaced together"),
  ofWorkload(facts, "transmitMicroseconds", "until a buffer is sent", microseconds),
  { name: "a connection's queue", low: ["its core's", {}], high: ["any", { flows: "hashed" }] },
  ofWorkload(facts, "agedPackets", "ageing: packets a poll", (value) => `at most ${value}`),
  ofWorkload(facts, "agedStretch", "ageing: maps and unmaps in a row"),
  ofWorkload(facts, "agedInTurn", "ageing: the next core", (value) => (value === 0 ? "at random" : "in turn")),
  ofWorkload(facts, "agedSentBuffers", "ageing without a ring: sent buffers a core"),
  { name: "ageing: turns of the rings", low: ["1", {}], high: ["3", { agedTurns: 3 }] },
];

/** Costs of the DMA code that are small beside a walk. */
const smallCosts = (): Assumption[] => [
  cost("apiCycles", "a call's checks"),
  cost("pteMapCycles", "instructions of an entry's write"),
  cost("pteClearCycles", "instructions of an entry's clearing"),
  cost("tailWriteCycles", "write of the tail register"),
  cost("faultReadCycles", "read of the fault register"),
  cost("relaxCycles", "pause between two polls"),
];

/** Latencies of the host that no record supports, those of memory and of the other socket apart. */
const smallLatencies = (facts: Facts): Assumption[] => [
  ofHost(facts, "cleanSnoopCycles", "a clean line of the same socket", " cycles"),
  ofHost(facts, "storeHitCycles", "a store that hits", " cycles"),
  ofHost(facts, "irqSaveCycles", "interrupts off, or on", " cycles"),
  ofHost(facts, "homeOccupancyPercent", "a line's home is busy", " %"),
];

/** Where the device's writes go. */
const devicePlace = (facts: Facts): Assumption[] => [
  ofHost(facts, "ddioWays", "ways for the device's writes", ""),
  ofHost(facts, "deviceSocket", "socket of the device", ""),
];

const memory = (facts: Facts): Assumption[] => [
  ofHost(facts, "dramLocalCycles", "memory of the own socket", " cycles"),
  ofHost(facts, "dramRemoteCycles", "memory of the other socket", " cycles"),
];

/** Both sockets' memory together, named by the own one's latency. */
function memoryLatency(facts: Facts): Assumption {
  const [own] = memory(facts);
  const nanoseconds = ({ machineOverrides }: Partial<HostRun>): string =>
    `${Math.round(Number(machineOverrides?.dramLocalCycles) / machineConfig(facts, hostRunDefaults(facts).machine).gigahertz)} ns`;
  const { name, low, high } = together("memory latency", memory(facts));
  return { name, low: [nanoseconds(own.low[1]), low[1]], high: [nanoseconds(own.high[1]), high[1]] };
}

/**
 * Every assumption of the simulation, and the range that is honest for it; the small ones of a kind are moved together.
 */
export const assumptions = (facts: Facts): Assumption[] => [
  ofWorkload(facts, ["rxMaps", "txMaps"], "maps a transaction on each side"),
  { name: "stack work", low: ["8 µs", { stackCycles: 23_200 }], high: ["32 µs", { stackCycles: 92_800 }] },
  { name: "driver profile", low: ["transmit", { profile: "transmit" }], high: ["receive", { profile: "receive" }] },
  ofWorkload(facts, "rxRing", "receive buffers a queue"),
  { name: "static maps", low: ["none", { staticMaps: 0 }], high: ["65,536", { staticMaps: 65_536 }] },
  { name: "holes among the static maps", low: ["none", {}], high: ["10 %", { holes: 0.1 }] },
  ofWorkload(facts, "twoPageShare", "two-page buffers", share),
  { name: "order of completion", low: ["as sent", {}], high: ["shuffled", { shuffleCompletions: true }] },
  ofWorkload(facts, "stackLines", "lines the stack touches"),
  ofHost(facts, "footprintLines", "lines it walks through", ""),
  { name: "kind of lock", low: ["ticket", {}], high: ["queued", { lock: "queued" }] },
  {
    name: "hand-off cost a waiter",
    low: ["0 cycles", { handoffCycles: 0 }],
    high: ["100 cycles", { handoffCycles: 100 }],
  },
  cost("storeOverlap", "stores overlap"),
  cost("invalidationCycles", "invalidation latency"),
  cost("serialShare", "invalidations in series"),
  cost("instructionCycles", "instructions an access"),
  cost("deviceInvalidationCycles", "with ATS: the device's answer", { ats: true }),
  cost("clflushCycles", "with clflush: its cost", { coherent: false }),
  ofWorkload(facts, "peerMicroseconds", "peer and wire", microseconds),
  ofWorkload(facts, "interruptGapMicroseconds", "interrupt moderation", microseconds),
  memoryLatency(facts),
  ofHost(facts, "cleanCrossSocketCycles", "a clean line of the other socket", " cycles"),
  together("small choices of the workload", workloadChoices(facts)),
  together("small costs of the DMA code", smallCosts()),
  together("small latencies of the host", smallLatencies(facts)),
  together("where the device's writes go", devicePlace(facts)),
];

/** The small ones, each alone. */
export const smallAssumptions = (facts: Facts): Assumption[] => [
  ...workloadChoices(facts),
  ...smallCosts(),
  ...smallLatencies(facts),
  ...devicePlace(facts),
  ...memory(facts),
];
