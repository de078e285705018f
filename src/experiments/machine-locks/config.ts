import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { type MachineConfig, presetNames } from "../../machine/index.js";

/** Fields of the experiments that put a load on one lock. */
export const lockLoadFields = {
  sectionCycles: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe("mean length of a critical section (core cycles)"),
  thinkCycles: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(6000)
    .describe("mean time of a core between two sections (core cycles)"),
  seed: z.int().min(0).default(1).describe("seed of think times, section lengths and the order of waiters"),
};

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  cores: z
    .array(z.int().min(1).max(32))
    .min(1)
    .default([1, 2, 3, 4, 6, 8, 9, 10, 12, 14, 16])
    .describe("cores that take the lock, one after another"),
  placement: z
    .enum(["socket by socket", "alternating"])
    .default("socket by socket")
    .describe("fill the first socket first, or take cores from both sockets in turn"),
  homeOccupancyPercent: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe(
      "assumption of the host to replace: how long a line's home is busy with a request (percent of its latency)",
    ),
  fidelity: z
    .enum(["quick", "full"])
    .default("quick")
    .describe("quick: 5 runs of 1,500 sections; full: 10 runs of 20,000"),
  ...lockLoadFields,
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** A number of cores; every kind of lock sees the same think and section times. */
export interface LockPoint extends Omit<Settings, "cores"> {
  cores: number;
}

export const runs = {
  quick: { replications: 5, sections: 1500 },
  full: { replications: 10, sections: 20_000 },
} as const;

/** The CPUs of a placement; one thread a core. */
export function placed(config: MachineConfig, cores: number, placement: Settings["placement"]): number[] {
  const all = Array.from({ length: cores }, (_, i) => i);
  if (placement === "socket by socket" || config.sockets === 1) return all;
  return all.map((i) => (i % config.sockets) * config.coresPerSocket + Math.floor(i / config.sockets));
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => LockPoint[] = ({ cores, ...rest }) =>
  cores.map((n) => ({ ...rest, cores: n }));
