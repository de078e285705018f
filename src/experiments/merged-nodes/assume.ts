import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import {
  type DriverProfileName,
  driverProfiles,
  type Flows,
  type HostRun,
  hostRunDefaults,
  publishedStackCycles,
} from "../../host/index.js";
import { type LockKind, lockKinds, machineConfig, presetNames } from "../../machine/index.js";
import type { ParameterRange } from "../frame/ranges.js";

/** Stack work of a transaction that record PE1 fixes, in cycles of the measured host. */
export const publishedStack = (facts: Facts): number => publishedStackCycles(facts, 2.9);

/** What a host is assumed to be, apart from the policy. */
export type Assumptions = Partial<Omit<HostRun, "variant" | "seed" | "agedTurns" | "warmup" | "transactions">>;

/** The same as fields of a configuration: one number or name each, all optional. */
export interface Assume {
  host?: string | undefined;
  cores?: number | undefined;
  threads?: number | undefined;
  stack?: number | undefined;
  stackLines?: number | undefined;
  profile?: DriverProfileName | undefined;
  mapsPerSide?: number | undefined;
  rxRing?: number | undefined;
  twoPageShare?: number | undefined;
  shuffleCompletions?: boolean | undefined;
  staticMaps?: number | undefined;
  holes?: number | undefined;
  lock?: LockKind | undefined;
  handoffCycles?: number | undefined;
  storeOverlap?: number | undefined;
  invalidationCycles?: number | undefined;
  serialShare?: number | undefined;
  flows?: Flows | undefined;
  receiveShare?: number | undefined;
  workSpread?: number | undefined;
  pollBudget?: number | undefined;
  refillBatch?: number | undefined;
  interruptGapMicroseconds?: number | undefined;
  transmitMicroseconds?: number | undefined;
  peerMicroseconds?: number | undefined;
  agedPackets?: number | undefined;
  agedStretch?: number | undefined;
  agedInTurn?: number | undefined;
  agedSentBuffers?: number | undefined;
}

const between = (low: number, high: number) => z.number().min(low).max(high).optional();
const whole = (low: number, high: number) => z.int().min(low).max(high).optional();

/** A host's cores; not its hardware threads, which share a core's caches. */
function coresOf(facts: Facts, host: string): number {
  const { sockets, coresPerSocket } = machineConfig(facts, host);
  return sockets * coresPerSocket;
}

/** Fields to replace in the baseline of recovery, sweep, region and ablation. */
const Fields: z.ZodType<Assume, Assume> = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .optional()
    .describe("simulated host (default: sandy-bridge-ep)"),
  cores: whole(1, 28).describe("cores that run the workload (default: 16)"),
  threads: whole(1, 10_000).describe("TCP_RR connections (default: 200)"),
  stack: between(0.1, 10).describe("stack work a transaction, as a multiple of PE1 (default: 1)"),
  stackLines: whole(0, 65_536).describe("lines that this work touches, in lines of 64 bytes (default: 256)"),
  profile: z
    .enum(driverProfiles.map(({ name }) => name) as [DriverProfileName, ...DriverProfileName[]])
    .optional()
    .describe("which buffers the driver maps for each packet (default: both)"),
  mapsPerSide: between(0.25, 8).describe("maps a transaction on each side that the profile maps (default: 1)"),
  rxRing: whole(16, 8192).describe("receive buffers a queue (default: 512)"),
  twoPageShare: between(0, 1).describe("share of buffers that take two pages (default: 0)"),
  shuffleCompletions: z.boolean().optional().describe("sent buffers complete in arbitrary order (default: false)"),
  staticMaps: whole(0, 65_536).describe("maps made at boot that never go away (default: 32,768)"),
  holes: between(0, 0.5).describe("share of the static maps that is unmapped again (default: 0)"),
  lock: z.enum(lockKinds).optional().describe("kind of every spinlock (default: ticket)"),
  handoffCycles: whole(0, 1000).describe(
    "core cycles that each other waiter adds to a ticket lock's hand-off (default: as the simulated caches make it)",
  ),
  storeOverlap: between(0, 1).describe("share of a store's latency that the core does not wait for (default: 0)"),
  invalidationCycles: whole(0, 20_000).describe("latency of an invalidation, in core cycles (default: record RI1)"),
  serialShare: between(0, 1).describe("share of it in which the IOMMU takes up nothing else (default: 0.5)"),
  flows: z
    .enum(["steered", "hashed"])
    .optional()
    .describe("a connection's packets arrive in the queue of its thread's core, or in any (default: steered)"),
  receiveShare: between(0, 1).describe(
    "share of the stack's work that is done where the packet is received (default: 0.3)",
  ),
  workSpread: between(0, 1).describe("share by which stack work varies up and down (default: 0.25)"),
  pollBudget: whole(1, 1024).describe("packets that one poll takes at most (default: 64)"),
  refillBatch: whole(1, 8192).describe("receive buffers that are replaced at a time (default: 16)"),
  interruptGapMicroseconds: between(0, 10_000).describe("shortest time between two interrupts, in µs (default: 20)"),
  transmitMicroseconds: between(0, 10_000).describe("from handing over a buffer until it is sent, in µs (default: 10)"),
  peerMicroseconds: between(1, 10_000).describe("the peer's and the wire's time, in µs (default: 40)"),
  agedPackets: whole(1, 1024).describe(
    "before the measurement: a poll finds from none to so many packets (default: 2)",
  ),
  agedStretch: whole(1, 8192).describe(
    "before the measurement: maps and unmaps that a core makes before another core has its turn (default: 1)",
  ),
  agedInTurn: whole(0, 1).describe(
    "before the measurement: the next core is drawn (0), or they take turns (1; default: 0)",
  ),
  agedSentBuffers: whole(1, 65_536).describe(
    "before the measurement, without a receive ring: sent buffers a core that make a turn (default: 512)",
  ),
});

/** The same, where the host has the cores. */
export const assumeSchema = (facts: Facts): z.ZodType<Assume, Assume> =>
  Fields.superRefine((assume, context) => {
    const defaults = hostRunDefaults(facts);
    const { host = defaults.machine, cores = defaults.cores } = assume;
    if (cores > coresOf(facts, host))
      context.addIssue({
        code: "custom",
        path: ["cores"],
        message: `accepts at most the ${coresOf(facts, host)} cores of ${host}; the default is ${defaults.cores}`,
      });
  });

/**
 * Between which values each assumption of the baseline may honestly lie, for a sensitivity analysis of merged-nodes: a range or choices.
 * `seed` stands for chance.
 */
export const assumedRanges: Readonly<Record<string, ParameterRange | readonly unknown[]>> = {
  "assume.cores": { low: 8, high: 16, whole: true },
  "assume.stack": { low: 0.5, high: 2 },
  "assume.profile": ["transmit", "both"],
  "assume.mapsPerSide": { low: 0.5, high: 2 },
  "assume.rxRing": { low: 64, high: 512, whole: true },
  "assume.staticMaps": { low: 0, high: 32_768, whole: true },
  "assume.stackLines": { low: 0, high: 2048, whole: true },
  "assume.handoffCycles": { low: 0, high: 100, whole: true },
  policies: [["deferred"], ["thread-deferred"]],
  seed: { low: 1, high: 4, whole: true },
};

/** The same parameters in words. */
export const assumedNames: Readonly<Record<string, string>> = {
  "assume.cores": "cores",
  "assume.stack": "stack work, × PE1",
  "assume.profile": "driver maps",
  "assume.mapsPerSide": "maps a side",
  "assume.rxRing": "receive ring",
  "assume.staticMaps": "static maps",
  "assume.stackLines": "lines the stack touches",
  "assume.handoffCycles": "hand-off a waiter, cycles",
  policies: "wording",
  seed: "chance: another seed",
};

/** The fields of a run that assumptions set. */
export function assumed(assume: Assume, facts: Facts): Assumptions {
  const { host, stack, mapsPerSide, storeOverlap, invalidationCycles, serialShare, ...rest } = assume;
  const set = <T extends object>(values: T) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
      [K in keyof T]?: NonNullable<T[K]>;
    };
  const costs = set({ storeOverlap, invalidationCycles, serialShare });
  return {
    ...set(rest),
    ...set({ machine: host, rxMaps: mapsPerSide, txMaps: mapsPerSide }),
    ...(stack === undefined ? {} : { stackCycles: Math.round(publishedStack(facts) * stack) }),
    ...(Object.keys(costs).length === 0 ? {} : { costs }),
  };
}
