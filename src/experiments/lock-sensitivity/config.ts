import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { assumptions, type HostRun, hostRunDefaults, smallAssumptions } from "../../host/index.js";
import { agedSeedOf } from "../frame/run-length.js";
import { lengthOf } from "../lock-contention/config.js";

/** The configuration. */
export interface SensitivityConfig {
  variant: string;
  cores: number;
  fidelity: "quick" | "full";
  each: boolean;
  replications: number;
  seed: number;
}

type SensitivityInput = { [K in keyof SensitivityConfig]?: SensitivityConfig[K] | undefined };

/** The configuration's schema. */
export const Config: z.ZodType<SensitivityConfig, SensitivityInput> = z.strictObject({
  variant: z
    .string()
    .refine((name) => variants.some((v) => v.name === name), {
      error: `accepts ${variants.map((v) => v.name).join(", ")}`,
    })
    .default("deferred")
    .describe("way of mapping"),
  cores: z.int().min(1).max(16).default(16).describe("cores that run the workload"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  each: z
    .boolean()
    .default(false)
    .describe("move the small assumptions of a kind one by one as well, not only together"),
  replications: z.int().min(1).max(100).default(2).describe("independent runs of each point"),
  seed: z.int().min(0).max(2_147_483).default(1).describe("the random streams"),
});

/** A run of this experiment. */
export interface Point {
  assumption: string;
  setting: string;
  end: "base" | "low" | "high";
  replication: number;
  run: HostRun;
}

/** The baseline, and each assumption at both ends of its range. */
export function pointsOf(config: SensitivityConfig, { facts }: Basis): Point[] {
  const base: HostRun = {
    ...hostRunDefaults(facts),
    variant: config.variant,
    cores: config.cores,
    ...lengthOf(config.variant, config.fidelity),
  };
  const points: Point[] = [];
  for (let replication = 0; replication < config.replications; replication++) {
    const first = config.seed * 1000;
    const chance = { seed: first + replication, agedSeed: agedSeedOf(first, replication) };
    points.push({ assumption: "base", setting: "base", end: "base", replication, run: { ...base, ...chance } });
    for (const { name, low, high } of config.each
      ? [...assumptions(facts), ...smallAssumptions(facts)]
      : assumptions(facts))
      for (const [end, [setting, change]] of [
        ["low", low],
        ["high", high],
      ] as const) {
        if (Object.keys(change).length === 0) continue;
        points.push({ assumption: name, setting, end, replication, run: { ...base, ...change, ...chance } });
      }
  }
  return points;
}
