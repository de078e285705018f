import { z } from "zod";
import { maxPrivateWays } from "./memory/set-associative.js";

/** The directory holds one core-valid bit a core in a 32-bit word. */
export const directoryCores = 32;
/** Cores of a host with clusters. */
export const mostCores = 128;
/** Bytes of a cache line: all modelled hosts have 64. */
export const lineBytes = 64;
const maxSockets = 2;

const whole = (low: number, high: number, unit: string, text: string) =>
  z
    .int({ error: `accepts a whole number of ${unit} from ${low} to ${high}` })
    .min(low, { error: `accepts a whole number of ${unit} from ${low} to ${high}` })
    .max(high, { error: `accepts a whole number of ${unit} from ${low} to ${high}` })
    .describe(text);
const cycles = (text: string) => whole(0, 1_000_000, "core cycles", `${text} (core cycles)`);

/** A modelled host: geometry and costs. Every cost is in core cycles and is a load-to-use time as a pointer chase sees it. */
export interface MachineConfig {
  /** Core clock in GHz; a cycle is a tick of the host's simulated time. */
  gigahertz: number;
  sockets: number;
  coresPerSocket: number;
  /** Hardware threads a core; they share its L1 and L2. */
  threadsPerCore: number;
  /** Size of a core's L1 data cache in KiB. */
  l1KiB: number;
  l1Ways: number;
  /** Size of a core's L2 in KiB. */
  l2KiB: number;
  l2Ways: number;
  /** Size of a socket's L3 in KiB. */
  l3KiB: number;
  l3Ways: number;
  /** A load that hits the own L1. */
  l1Cycles: number;
  /** A load that hits the own L2. */
  l2Cycles: number;
  /** A load that hits the own socket's L3 and needs no snoop. */
  l3Cycles: number;
  /** A load or store that hits the own socket's L3 and must ask another core, which has no modified copy. */
  cleanSnoopCycles: number;
  /** A line that another core of the socket has modified. */
  dirtySameSocketCycles: number;
  /** A line that only the other socket holds, clean. Also what it costs to invalidate the other socket's clean copies. */
  cleanCrossSocketCycles: number;
  /** A line that the other socket has modified. */
  dirtyCrossSocketCycles: number;
  dramLocalCycles: number;
  dramRemoteCycles: number;
  /** What a locked instruction costs beyond getting the line for itself. */
  atomicCycles: number;
  /** A store to a line that the core owns in its L1: the store buffer hides the rest. */
  storeHitCycles: number;
  /** How long a line's home is busy with one request, in percent of that request's latency, before it takes up the next for the line. */
  homeOccupancyPercent: number;
  /** Disabling or enabling interrupts once, with saving the flags (half of spin_lock_irqsave and its restore). */
  irqSaveCycles: number;
  /** Ways of the L3 that a device's writes may allocate in (DDIO); 0 sends them to memory. */
  ddioWays: number;
  /** The socket whose root complex the device and its IOMMU sit on. */
  deviceSocket: number;
  /** Lines of a core's other work between operations: the ring that {@link Machine.touchFootprint} walks. */
  footprintLines: number;
  /** Whether the IOMMU's page walks snoop the CPUs' caches (1); if not (0), software writes changed entries back with clflush. */
  coherentWalks: number;
  /** Hosts of many cores: clusters of a socket, each with an L3 of its own; `dirtySameSocketCycles` and the L3's costs are then a cluster's. */
  clustersPerSocket?: number | undefined;
  /** With clusters: a line from another cluster of the same socket. */
  otherClusterCycles?: number | undefined;
  /** With clusters: lines of an ascending run of loads that a core has under way at once (a prefetcher's); 1 or none: one after another. */
  streamedLines?: number | undefined;
}

/** Refuses impossible machines, naming the field, the value and what is accepted. */
export const MachineConfigSchema: z.ZodType<MachineConfig, MachineConfig> = z
  .strictObject({
    gigahertz: z
      .number({ error: "accepts GHz from 0.1 to 10" })
      .min(0.1, { error: "accepts GHz from 0.1 to 10" })
      .max(10, { error: "accepts GHz from 0.1 to 10" })
      .describe("core clock (GHz)"),
    sockets: whole(1, maxSockets, "sockets", "sockets"),
    coresPerSocket: whole(1, mostCores, "cores", "cores a socket"),
    threadsPerCore: whole(1, 2, "threads", "hardware threads a core"),
    l1KiB: whole(1, 1024, "KiB", "L1 data cache of a core (KiB)"),
    l1Ways: whole(1, maxPrivateWays, "ways", "ways of an L1"),
    l2KiB: whole(1, 65_536, "KiB", "L2 of a core (KiB)"),
    l2Ways: whole(1, maxPrivateWays, "ways", "ways of an L2"),
    l3KiB: whole(1, 1_048_576, "KiB", "L3 of a socket (KiB)"),
    l3Ways: whole(1, 64, "ways", "ways of an L3"),
    l1Cycles: cycles("load that hits the L1"),
    l2Cycles: cycles("load that hits the L2"),
    l3Cycles: cycles("load that hits the L3"),
    cleanSnoopCycles: cycles("L3 hit that asks another core"),
    dirtySameSocketCycles: cycles("line modified by another core of the socket"),
    cleanCrossSocketCycles: cycles("clean line from, or invalidation of, the other socket"),
    dirtyCrossSocketCycles: cycles("line modified in the other socket"),
    dramLocalCycles: cycles("local memory"),
    dramRemoteCycles: cycles("the other socket's memory"),
    atomicCycles: cycles("a locked instruction beyond its line"),
    storeHitCycles: cycles("store to an owned line in the L1"),
    homeOccupancyPercent: whole(0, 100, "percent", "home busy with a request (percent of its latency)"),
    irqSaveCycles: cycles("disabling or enabling interrupts once"),
    ddioWays: whole(0, 64, "ways", "L3 ways a device's writes may fill"),
    deviceSocket: whole(0, maxSockets - 1, "(socket number)", "socket of the device"),
    footprintLines: whole(1, 1_048_576, "lines", "ring of lines of a core's other work"),
    coherentWalks: whole(0, 1, "(0: no, 1: yes)", "page walks snoop the CPUs' caches"),
    clustersPerSocket: whole(1, 16, "clusters", "clusters of a socket, each with an L3").optional(),
    otherClusterCycles: cycles("a line from another cluster of the socket").optional(),
    streamedLines: whole(1, 64, "lines", "lines of an ascending run of loads under way at once").optional(),
  })
  .superRefine((c, context) => {
    const refuse = (path: keyof MachineConfig, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (c.clustersPerSocket !== undefined) {
      if (c.sockets * c.coresPerSocket > mostCores)
        refuse("coresPerSocket", `accepts at most ${mostCores / c.sockets} with ${c.sockets} sockets`);
      if (c.coresPerSocket % c.clustersPerSocket !== 0)
        refuse("clustersPerSocket", `accepts a divisor of the ${c.coresPerSocket} cores of a socket`);
      if (c.l2KiB < c.l1KiB) refuse("l2KiB", `accepts at least the ${c.l1KiB} KiB of the L1`);
      if (c.deviceSocket >= c.sockets)
        refuse("deviceSocket", `accepts 0 to ${c.sockets - 1} with ${c.sockets} sockets`);
      return;
    }
    if (c.sockets * c.coresPerSocket > directoryCores)
      refuse(
        "coresPerSocket",
        `accepts at most ${Math.floor(directoryCores / c.sockets)} with ${c.sockets} sockets: the directory holds ${directoryCores} cores`,
      );
    for (const level of ["l1", "l2", "l3"] as const) {
      const lines = (c[`${level}KiB`] * 1024) / lineBytes;
      const sets = lines / c[`${level}Ways`];
      if (!Number.isInteger(sets))
        refuse(`${level}Ways`, `accepts a divisor of the ${lines} lines in ${c[`${level}KiB`]} KiB`);
      else if (level !== "l3" && (sets & (sets - 1)) !== 0)
        refuse(
          `${level}KiB`,
          `accepts sizes with a power of two of sets; ${c[`${level}KiB`]} KiB in ${c[`${level}Ways`]} ways have ${sets}`,
        );
    }
    if (c.l2KiB < c.l1KiB) refuse("l2KiB", `accepts at least the ${c.l1KiB} KiB of the L1`);
    if (c.l3KiB < c.coresPerSocket * (c.l1KiB + c.l2KiB))
      refuse(
        "l3KiB",
        `accepts at least the ${c.coresPerSocket * (c.l1KiB + c.l2KiB)} KiB of the private caches below it: the L3 is inclusive`,
      );
    if (c.ddioWays > c.l3Ways) refuse("ddioWays", `accepts 0 to the ${c.l3Ways} ways of the L3`);
    if (c.deviceSocket >= c.sockets) refuse("deviceSocket", `accepts 0 to ${c.sockets - 1} with ${c.sockets} sockets`);
  });

/** A machine's configuration that was refused. */
export class MachineConfigError extends Error {
  override name = "MachineConfigError";
}

/**
 * Checks a configuration.
 * @throws MachineConfigError with a line for each wrong field: its name, its value, what is accepted
 */
export function checkMachineConfig(input: unknown): MachineConfig {
  const parsed = MachineConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const field = issue.path.join(".") || "the configuration";
    const value = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], input);
    return `  ${field}: got ${JSON.stringify(value) ?? "nothing"}, ${issue.message}`;
  });
  throw new MachineConfigError(`The machine's configuration is not possible:\n${lines.join("\n")}`);
}
