import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults } from "../../host/index.js";
import { lockKinds } from "../../machine/index.js";
import { agedSeedOf } from "../frame/run-length.js";
import { lengthOf } from "../lock-contention/config.js";

/** What the two tables are made for. */
export interface AnatomyConfig {
  variants: string[];
  cores: number[];
  lock: HostRun["lock"];
  profile: HostRun["profile"];
  ats: boolean;
  coherent: boolean;
  fidelity: "quick" | "full";
  seed: number;
}

/** What may be given: everything has a default. */
export type Input<C> = { [K in keyof C]?: C[K] | undefined };

/** Fields of the anatomy and of the lock table. */
export const fields = {
  variants: z
    .array(
      z.string().refine((name) => variants.some((v) => v.name === name), {
        error: `accepts ${variants.map((v) => v.name).join(", ")}`,
      }),
    )
    .min(1)
    .default(["deferred"])
    .describe("ways of mapping"),
  cores: z.array(z.int().min(1).max(16)).min(1).default([1, 16]).describe("cores that run the workload"),
  lock: z.enum(lockKinds).default("queued").describe("kind of every spinlock"),
  profile: z.enum(["both", "transmit", "receive"]).default("both").describe("which buffers the driver maps"),
  ats: z.boolean().default(false).describe("the device caches translations (ATS)"),
  coherent: z.boolean().default(false).describe("page walks snoop the CPU caches; false adds clflush"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
};

/** The configuration of the anatomy. */
export interface MapAnatomyConfig extends AnatomyConfig {
  replications: number;
}

/** The configuration's schema. */
export const Config: z.ZodType<MapAnatomyConfig, Input<MapAnatomyConfig>> = z.strictObject({
  ...fields,
  replications: z.int().min(1).max(100).default(4).describe("independent runs of each point, for the intervals"),
});

/** A run for each variant and number of cores. */
export const runsOf = (config: AnatomyConfig, { facts }: Basis): HostRun[] =>
  config.variants.flatMap((name) =>
    config.cores.map((cores) => ({
      ...hostRunDefaults(facts),
      variant: name,
      cores,
      lock: config.lock,
      profile: config.profile,
      ats: config.ats,
      machineOverrides: { coherentWalks: config.coherent ? 1 : 0 },
      seed: config.seed * 1000,
      agedSeed: config.seed * 1000,
      ...lengthOf(name, config.fidelity),
    })),
  );

/** One run of the anatomy. */
export interface AnatomyPoint {
  run: HostRun;
  replication: number;
}

/** The points of a configuration. */
export const pointsOf = (config: MapAnatomyConfig, basis: Basis): AnatomyPoint[] =>
  runsOf(config, basis).flatMap((run) =>
    Array.from({ length: config.replications }, (_, replication) => ({
      run: { ...run, seed: run.seed + replication, agedSeed: agedSeedOf(run.seed, replication) },
      replication,
    })),
  );

/** A short name for a run. */
export const label = (run: HostRun): string => `${run.variant}, ${run.cores} cores`;
