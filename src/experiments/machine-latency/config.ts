import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { machineConfig, presetNames } from "../../machine/index.js";

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  sizesKiB: z
    .array(z.int().min(1).max(131_072))
    .min(1)
    .default([8, 16, 32, 40, 64, 128, 256, 288, 512, 1024, 4096, 16_384, 20_480, 22_528, 24_576])
    .describe("memory that the chase runs through (KiB), one pointer a 64-byte line"),
  remote: z
    .boolean()
    .default(true)
    .describe("chase through the other socket's memory too, where the private caches are too small"),
  seed: z.int().min(0).default(1).describe("seed of the random order of the lines"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One chase. */
export interface LatencyPoint {
  host: string;
  sizeKiB: number;
  home: number;
  seed: number;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => LatencyPoint[] = (
  { host, sizesKiB, remote, seed },
  { facts },
) =>
  (remote ? [0, 1] : [0]).flatMap((home) => {
    // Where memory is attached shows only once the private caches are too small.
    const sizes = home === 0 ? sizesKiB : sizesKiB.filter((sizeKiB) => sizeKiB > 2 * machineConfig(facts, host).l2KiB);
    return sizes.map((sizeKiB) => ({ host, sizeKiB, home, seed }));
  });
