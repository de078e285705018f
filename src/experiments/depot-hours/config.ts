import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { releaseSteps, rulesOf } from "../../iova/index.js";
import { assumedOf, loadNamed } from "../storage/loads.js";

const listOf = <T extends z.ZodType>(one: T, error: string) =>
  z.union([z.array(one).min(1), one.transform((value) => [value])], { error });
const modes = ["lazy", "strict"] as const;
const loadNames = ["nvme", "sas"] as const;

function isRelease(release: string): boolean {
  try {
    rulesOf(release);
    return true;
  } catch {
    return false;
  }
}

/** The configuration's schema. */
export const Config = z
  .strictObject({
    load: z
      .enum(loadNames, { error: `accepts ${loadNames.join(", ")}` })
      .default("sas")
      .describe("the load: nvme completes where it submits, sas on 16 CPUs for all"),
    release: listOf(z.string().refine(isRelease), "accepts a release from 4.15 to 6.18, such as 5.15, or a list")
      .default(["5.15", "6.18"])
      .describe(`releases of Linux; the allocator's rules changed in ${releaseSteps.join(", ")}`),
    mode: listOf(z.enum(modes), `accepts ${modes.join(", ")}, or a list`)
      .default(["lazy"])
      .describe("lazy: a CPU frees 255 ranges together; strict: each at once"),
    cores: z.int().min(1).max(128).default(96).describe("cores that make requests"),
    sizeKiB: z
      .int()
      .min(4)
      .max(128)
      .multipleOf(4)
      .default(4)
      .describe("size of a request (KiB), up to the largest that is cached"),
    hours: z.number().min(0.001).max(1000).default(3).describe("how long the load has run at the end (h)"),
    rate: z.number().min(1).max(5_000_000).default(10_000).describe("requests of all cores (1/s)"),
    depth: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe("requests of a core under way, at most (a count); default: data/workload/storage.json"),
    spell: z
      .int()
      .min(1)
      .max(100_000_000)
      .optional()
      .describe("requests until the load changes, on average (a count); default: data/workload/storage.json"),
    seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
  })
  .refine(({ hours, rate }) => hours * 3600 * rate <= 1e11, {
    error: "hours × 3600 × rate: accepts up to 10^11 requests, which take hours",
  });

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One load over one release's allocator. */
export interface DepotHoursPoint {
  release: string;
  mode: (typeof modes)[number];
  hours: number;
  seed: number;
  load: {
    rate: number;
    depth: number;
    spell: number;
    pages: number;
    cores: number;
    completions: "same" | number;
  };
}

/** The points of a configuration. */
export function pointsOf(config: Settings, { facts }: Basis): DepotHoursPoint[] {
  const { load, cores, sizeKiB, hours, rate, seed, depth, spell } = config;
  const preset = loadNamed(load);
  const settings = {
    rate,
    depth: depth ?? assumedOf(facts, preset.depth),
    spell: spell ?? assumedOf(facts, "spell"),
    pages: sizeKiB / 4,
    cores,
    completions: preset.completions,
  };
  return config.mode.flatMap((mode) =>
    config.release.map((release) => ({ release, mode, hours, seed, load: settings })),
  );
}
