import { z } from "zod";
import { cases } from "./cases.js";

const ids: readonly string[] = cases.map(({ id }) => id);

/** The configuration's schema. */
export const Config = z.strictObject({
  predictions: z
    .array(z.enum(ids))
    .min(1)
    .default([...ids])
    .describe("predictions, by their name in data/judging/today.json"),
  sweep: z
    .boolean()
    .default(false)
    .describe(
      "move each assumption of the host, of the invalidation and of the load to both ends of its range, and say which verdict hangs on it (some ten times as long)",
    ),
  mostSeeds: z
    .int()
    .min(2)
    .max(100)
    .default(5)
    .describe(
      "seeds at most: a prediction is run with two, and with more while an end of its margin lies in their interval",
    ),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One prediction. */
export interface HeldPoint {
  id: string;
  sweep: boolean;
  mostSeeds: number;
  seed: number;
}

/** The points of a configuration. */
export const pointsOf = ({ predictions, sweep, mostSeeds, seed }: Settings): HeldPoint[] =>
  predictions.map((id) => ({ id, sweep, mostSeeds, seed }));
