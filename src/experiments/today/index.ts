/** The same requests through eleven years of Linux, on hosts of up to 128 cores. */
import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { hostRunDefaults } from "../../host/index.js";
import { largePresetNames, machineConfig, presetNames } from "../../machine/index.js";
import { ConfigError, defineExperiment, type Experiment } from "../frame/experiment.js";
import { agedSeedOf } from "../frame/run-length.js";
import * as figures from "./figures.js";
import { poolPolicies, searchesTree, steps, strictSteps } from "./policies.js";
import { columns, simulatePoint, type TodayPoint, type TodayRow } from "./rows.js";

// Question: what did each change since 2015 bring, and what would one choose today?

const hosts: readonly string[] = [...presetNames, ...largePresetNames];
const listOf = <T extends z.ZodType>(one: T) => z.union([z.array(one).min(1), one.transform((value) => [value])]);
const names: readonly string[] = variants.map(({ name }) => name);

const Config = z.strictObject({
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
type Config = z.output<typeof Config>;

/** Transactions of a measurement: enough for each core's ring of unmaps to become full, and few where a search is long. */
function transactions(config: Config, policy: string, cores: number): number {
  const full = config.fidelity === "full" ? 8 : 1;
  const each = searchesTree(policy) ? Math.max(400, 24 * cores) : Math.max(1600, 96 * cores);
  return full * each;
}

function points(config: Config, { facts }: Basis): TodayPoint[] {
  const made = config.host.flatMap((host) => {
    const { sockets, coresPerSocket } = machineConfig(facts, host);
    return config.cores
      .filter((cores) => cores <= sockets * coresPerSocket)
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

/** From 2015 to today: throughput, exposure, locks, visits and memory of the same requests. */
export const today: Experiment<typeof Config, TodayPoint, TodayRow> = defineExperiment({
  name: "today",
  place: [8, 2],
  title: "From 2015 to today",
  question: "What did each change since 2015 bring for the same requests, and what would one choose today?",
  config: Config,
  points,
  label: ({ run, replication }) => `${run.machine}, ${run.variant}, ${run.cores} cores, run ${replication + 1}`,
  simulate: simulatePoint,
  columns,
  figures: {
    throughput: (rows) => figures.throughput(rows),
    waterfall: (rows) => figures.waterfall(rows),
    strict: (rows) => figures.strictLadder(rows),
    exposure: (rows) => figures.exposure(rows),
    time: (rows) => figures.time(rows),
  },
  claims: () => [],
});

export { poolPolicies, steps as todaySteps, strictSteps as todayStrictSteps, type TodayPolicy } from "./policies.js";
export type { TodayPoint, TodayRow } from "./rows.js";
