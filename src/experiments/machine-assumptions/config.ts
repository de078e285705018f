import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { hostAssumptions, type MachineConfig, presetNames } from "../../machine/index.js";
import { lockLoadFields } from "../machine-locks/config.js";

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host whose assumed values are varied, one at a time, to both ends of their ranges"),
  ...lockLoadFields,
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One value of one assumption; `field` is empty for the host as it is. */
export interface AssumptionPoint extends Settings {
  field: keyof MachineConfig | "";
  end: "as it is" | "low" | "high";
  value: number;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => AssumptionPoint[] = (config, { facts }) => [
  { ...config, field: "", end: "as it is", value: 0 },
  ...hostAssumptions(facts, config.host).flatMap(({ field, value: asItIs, assumption }) =>
    (["low", "high"] as const)
      .map((end) => ({ ...config, field, end, value: assumption?.[end] ?? asItIs }))
      .filter(({ value }) => value !== asItIs),
  ),
];
