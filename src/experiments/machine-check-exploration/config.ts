import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { rules, type SystemConfig, simpleSystem } from "../../kvm/index.js";

const ruleNames: readonly string[] = rules.map(({ name }) => name);

/** What may happen in a situation, besides guests that write CR4 and machine checks anywhere. */
export const situations: Readonly<Record<string, Partial<SystemConfig>>> = {
  "nothing changes": { startWith: "on" },
  "guests move, CPUs agree": { startWith: "on", migrations: true },
  "CPUs differ, guests move": { startWith: "any", migrations: true },
  "host turns MCE on or off": { startWith: "any", hostChanges: true },
  "all of it": { startWith: "any", migrations: true, hostChanges: true },
};

const situationNames = Object.keys(situations) as [string, ...string[]];

/** The configuration's schema. */
export const Config = z.strictObject({
  rule: z
    .array(z.enum(ruleNames))
    .min(1)
    .default([...ruleNames])
    .describe("rules for the guest's hardware CR4"),
  hostCr4: z
    .array(z.enum(["refreshed", "constant"]))
    .min(1)
    .default(["refreshed", "constant"])
    .describe("the VMCS's host CR4: refreshed at each entry, or constant since the vCPU was created"),
  situation: z.array(z.enum(situationNames)).min(1).default(situationNames).describe("what may happen"),
  cpus: z.int().min(1).max(4).default(2).describe("physical CPUs, 1 to 4"),
  vcpus: z.int().min(1).max(3).default(2).describe("vCPUs, 1 to 3"),
  machineChecks: z.int().min(0).max(3).default(1).describe("machine checks in all, 0 to 3"),
  broadcast: z.boolean().default(false).describe("a machine check reaches every CPU at once"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One exploration. */
export interface ExplorationPoint {
  situation: string;
  system: SystemConfig;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => ExplorationPoint[] = ({
  rule,
  hostCr4,
  situation,
  cpus,
  vcpus,
  machineChecks,
  broadcast,
}) =>
  rule.flatMap((name) =>
    hostCr4.flatMap((policy) =>
      situation.map((what) => ({
        situation: what,
        system: {
          ...simpleSystem,
          cpus,
          vcpus,
          machineChecks,
          broadcast,
          rule: name,
          hostCr4: policy,
          ...situations[what],
        },
      })),
    ),
  );
