import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults } from "../../host/index.js";
import { mergedTree } from "../frame/run-length.js";

/** The configuration of the warm-up curve. */
export interface WarmupConfig {
  variants: string[];
  cores: number;
  agedTurns: number[];
  transactions: number;
  slices: number;
  seed: number;
}

type WarmupInput = { [K in keyof WarmupConfig]?: WarmupConfig[K] | undefined };

/** The configuration's schema. */
export const Config: z.ZodType<WarmupConfig, WarmupInput> = z.strictObject({
  variants: z
    .array(
      z.string().refine((name) => variants.some((v) => v.name === name), {
        error: `accepts ${variants.map((v) => v.name).join(", ")}`,
      }),
    )
    .min(1)
    .default(["deferred", "merged-deferred"])
    .describe("ways of mapping"),
  cores: z.int().min(1).max(16).default(16).describe("cores that run the workload"),
  agedTurns: z
    .array(z.int().min(0).max(20))
    .min(1)
    .default([0, 1, mergedTree.turns])
    .describe("how often every receive buffer was replaced before the start, outside simulated time"),
  transactions: z.int().min(100).max(1_000_000).default(20_000).describe("transactions from the very first one"),
  slices: z.int().min(2).max(200).default(20).describe("points of the curve"),
  seed: z.int().min(0).max(2_147_483).default(1).describe("the random streams"),
});

/** One run. */
export interface WarmupPoint {
  run: HostRun;
}

/** How a run begins, in words. */
export const startOf = (turns: number): string =>
  turns === 0 ? "fresh rings" : turns === 1 ? "aged" : `aged ${turns} times`;

/** The points of a configuration. */
export const pointsOf: (config: WarmupConfig, basis: Basis) => WarmupPoint[] = (config, { facts }) =>
  config.variants.flatMap((name) =>
    config.agedTurns.map((agedTurns) => ({
      run: {
        ...hostRunDefaults(facts),
        variant: name,
        cores: config.cores,
        agedTurns,
        warmup: 0,
        transactions: config.transactions,
        slices: config.slices,
        seed: config.seed * 1000,
        agedSeed: config.seed * 1000,
      },
    })),
  );
