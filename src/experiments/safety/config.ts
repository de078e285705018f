import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults } from "../../host/index.js";
import { agedSeedOf } from "../frame/run-length.js";

/** Microseconds after an unmap's return at which the device touches the page once more. */
export const delays = [0, 1, 10, 100, 1000] as const;

/** The configuration's schema. */
export const Config = z.strictObject({
  variants: z
    .array(
      z.string().refine((name) => variants.some((one) => one.name === name), {
        error: `accepts ${variants.map(({ name }) => name).join(", ")}`,
      }),
    )
    .min(1)
    .default([
      "pass-through",
      "strict",
      "magazines-strict",
      "one-to-one-strict",
      "deferred",
      "magazines-deferred",
      "one-to-one-deferred",
      "strict-ish",
      "pools-4-lazy",
    ])
    .describe("ways of mapping"),
  cores: z.array(z.int().min(1).max(16)).min(1).default([8]).describe("cores that run the workload"),
  profile: z.enum(["both", "transmit", "receive"]).default("both").describe("which buffers the driver maps"),
  buffersAPage: z.int().min(1).max(16).default(1).describe("buffers that share a page, one after another"),
  sentAgain: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of buffers whose page is out already: the same page sent twice"),
  replications: z.int().min(1).max(100).default(4).describe("independent runs of each point, for the intervals"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One run. */
export interface SafetyPoint {
  run: HostRun;
  replication: number;
}

/** The points of a configuration. */
export function pointsOf(config: Settings, { facts }: Basis): SafetyPoint[] {
  const transactions = config.fidelity === "quick" ? 3000 : 30_000;
  return config.variants.flatMap((name) =>
    config.cores.flatMap((cores) =>
      Array.from({ length: config.replications }, (_, replication) => ({
        replication,
        run: {
          ...hostRunDefaults(facts),
          variant: name,
          cores,
          profile: config.profile,
          seed: config.seed * 1000 + replication,
          agedSeed: agedSeedOf(config.seed * 1000, replication),
          // Deferred queues and lists of free pages fill first.
          warmup: Math.round(transactions / 2),
          transactions,
          pages: "free lists" as const,
          ...(config.buffersAPage > 1 || config.sentAgain > 0
            ? { sharing: { buffersAPage: config.buffersAPage, repeatShare: config.sentAgain } }
            : {}),
          touchedAfterMicroseconds: [...delays],
        },
      })),
    ),
  );
}
