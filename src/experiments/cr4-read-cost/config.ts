import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { presetNames } from "../../machine/index.js";

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host whose caches are modelled"),
  linesBetweenExits: z
    .array(
      z
        .int()
        .min(0)
        .max(1 << 20),
    )
    .min(1)
    .default([0, 64, 256, 512, 1024, 2048, 4096, 8192, 32768, 131072, 524288])
    .describe("cache lines (64 bytes) that guest and host touch between two VM entries; an assumption, swept"),
  exits: z
    .int()
    .min(50)
    .max(100_000)
    .default(200)
    .describe("VM entries measured a point, fewer at the largest footprints; five batches make the interval"),
  exitsPerSecond: z
    .array(z.number().positive().max(1e7))
    .min(1)
    .default([1e3, 1e4, 1e5, 1e6])
    .describe("VM exits a second and CPU, for the share of the CPU's time"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One footprint on one host. */
export interface ReadCostPoint {
  host: string;
  lines: number;
  exits: number;
  exitsPerSecond: number[];
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => ReadCostPoint[] = ({
  host,
  linesBetweenExits,
  exits,
  exitsPerSecond,
}) => linesBetweenExits.map((lines) => ({ host, lines, exits, exitsPerSecond }));
