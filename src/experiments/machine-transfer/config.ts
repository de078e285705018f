import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { machineConfig, presetNames } from "../../machine/index.js";

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  rounds: z.int().min(10).max(10_000).default(100).describe("round trips measured a pair"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One CPU against all others. */
export interface TransferPoint {
  host: string;
  cpu: number;
  rounds: number;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => TransferPoint[] = ({ host, rounds }, { facts }) => {
  const c = machineConfig(facts, host);
  const cpus = c.sockets * c.coresPerSocket * c.threadsPerCore;
  return Array.from({ length: cpus }, (_, cpu) => ({ host, cpu, rounds }));
};
