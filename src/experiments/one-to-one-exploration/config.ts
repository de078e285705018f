import { z } from "zod";
import { oneToOneVariant, oneToOneVariants } from "./model/variants.js";
import { type OneToOneSystem, rangesFor } from "./model/view.js";

/** How much happens in an exploration, by name. */
const bounds = {
  "2 CPUs, 2 pairs": { cpus: 2, pairs: 2, pages: 2, levels: 2 },
  "3 CPUs, 1 pair": { cpus: 3, pairs: 1, pages: 1, levels: 2 },
  "2 CPUs, 1 pair, 3 levels": { cpus: 2, pairs: 1, pages: 2, levels: 3 },
} as const;
type Bounds = keyof typeof bounds;
const boundNames = Object.keys(bounds) as [Bounds, ...Bounds[]];
const variantNames: readonly string[] = oneToOneVariants.map(({ name }) => name);

/** The configuration's schema. */
export const Config = z.strictObject({
  variant: z
    .array(z.enum(variantNames))
    .min(1)
    .default([...variantNames])
    .describe("ways to do dynamic 1:1, right and broken"),
  bounds: z.array(z.enum(boundNames)).min(1).default(["2 CPUs, 2 pairs"]).describe("how much happens"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One exploration. */
export interface OneToOnePoint {
  variant: string;
  bounds: Bounds;
}

/** The points of a configuration. */
export const pointsOf = ({ variant, bounds: names }: Settings): OneToOnePoint[] =>
  names.flatMap((name) => variant.map((each) => ({ variant: each, bounds: name })));

/** The system of a point. */
export function oneToOneSystem({ variant, bounds: name }: OneToOnePoint): OneToOneSystem {
  const { cpus, pairs, pages, levels } = bounds[name];
  const found = oneToOneVariant(variant);
  return { variant: found, cpus, pairs, levels, ranges: rangesFor(found, pages) };
}
