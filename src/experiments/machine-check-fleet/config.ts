import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { rules } from "../../kvm/index.js";

const ruleNames: readonly string[] = rules.map(({ name }) => name);

const share = z.number().min(0).max(1);

/** The configuration's schema. */
export const Config = z.strictObject({
  rule: z.array(z.enum(ruleNames)).min(1).default(["before", "shadow"]).describe("rules for the guest's hardware CR4"),
  hosts: z.int().min(1).max(1_000_000).default(10_000).describe("hosts in the fleet"),
  machineChecksPerHostYear: z
    .number()
    .min(0)
    .max(100)
    .default(0.02)
    .describe("machine checks a host and year that the host would survive (assumption, swept in the notebook)"),
  guestsWithMceClear: z
    .array(share)
    .min(1)
    .default([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
    .describe("share of the guests that leave CR4.MCE clear (assumption, swept)"),
  timeInGuest: share.default(0.8).describe("share of a CPU's time that is in guest mode (assumption)"),
  replications: z.int().min(2).max(1000).default(20).describe("independent years"),
  seed: z.int().min(0).default(1).describe("seed of the random streams"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One rule and one share of guests. */
export interface FleetPoint {
  rule: string;
  hosts: number;
  rate: number;
  clear: number;
  timeInGuest: number;
  replications: number;
  seed: number;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => FleetPoint[] = (c) =>
  c.rule.flatMap((rule) =>
    c.guestsWithMceClear.map((clear) => ({
      rule,
      clear,
      hosts: c.hosts,
      rate: c.machineChecksPerHostYear,
      timeInGuest: c.timeInGuest,
      replications: c.replications,
      seed: c.seed,
    })),
  );
