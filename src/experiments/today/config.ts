import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults } from "../../host/index.js";
import { largePresetNames, presetNames } from "../../machine/index.js";
import { ConfigError } from "../frame/experiment.js";
import { coresOf } from "../frame/knob-fields.js";
import { listOf } from "../frame/lists.js";
import { agedSeedOf } from "../frame/run-length.js";
import { poolPolicies, searchesTree, steps, strictSteps } from "./policies.js";

const hosts: readonly string[] = [...presetNames, ...largePresetNames];
const names: readonly string[] = variants.map(({ name }) => name);

/** The configuration's schema. */
export const Config = z.strictObject({
  host: listOf(z.enum(hosts, { error: `accepts ${hosts.join(", ")}` }))
    .default(["rome"])
    .describe("simulated hosts"),
  policy: listOf(z.enum(names, { error: `accepts ${names.join(", ")}` }))
    .default([...steps, ...strictSteps].map(({ name }) => name).concat(poolPolicies))
    .describe("ways of mapping"),
  cores: listOf(z.int().min(1).max(128))
    .default([16, 64, 128])
    .describe("cores that run the workload; those that a host has not are left out"),
  profile: z.enum(["both", "transmit", "receive"]).default("both").describe("which buffers the driver maps"),
  threads: z.number().min(1).max(100).default(12.5).describe("connections for each core"),
  rxRing: z.int().min(16).max(4096).default(512).describe("receive buffers a queue (buffers)"),
  replications: z.int().min(1).max(100).default(1).describe("independent runs of each point, for the intervals"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});
/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One run. */
export interface TodayPoint {
  run: HostRun;
  replication: number;
}

/** Transactions of a measurement: enough for each core's ring of unmaps to become full, and few where a search is long. */
function transactions(config: Settings, policy: string, cores: number): number {
  const full = config.fidelity === "full" ? 8 : 1;
  const each = searchesTree(policy) ? Math.max(400, 24 * cores) : Math.max(1600, 96 * cores);
  return full * each;
}

/** The points of a configuration. @throws ConfigError where no host has any of the numbers of cores */
export function pointsOf(config: Settings, { facts }: Basis): TodayPoint[] {
  const made = config.host.flatMap((host) => {
    const most = coresOf(facts, host);
    return config.cores
      .filter((cores) => cores <= most)
      .flatMap((cores) =>
        config.policy.flatMap((policy) =>
          Array.from({ length: config.replications }, (_, replication): TodayPoint => {
            const measured = transactions(config, policy, cores);
            return {
              replication,
              run: {
                ...hostRunDefaults(facts),
                machine: host,
                variant: policy,
                cores,
                threads: Math.ceil(config.threads * cores),
                profile: config.profile,
                rxRing: config.rxRing,
                // Queued spinlocks (v4.2) for all: what differs is the DMA path.
                lock: "queued",
                seed: config.seed * 1000 + replication,
                agedSeed: agedSeedOf(config.seed * 1000, replication),
                warmup: Math.round(measured / 3),
                transactions: measured,
              },
            };
          }),
        ),
      );
  });
  if (made.length === 0)
    throw new ConfigError(`today: none of ${config.host.join(", ")} has ${config.cores.join(" or ")} cores or more.`);
  return made;
}
