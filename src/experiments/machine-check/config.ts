import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { rules } from "../../kvm/index.js";

const ruleNames: readonly string[] = rules.map(({ name }) => name);

const bit = z.union([z.literal(0), z.literal(1)]);

/** The configuration's schema. */
export const Config = z.strictObject({
  rule: z
    .array(z.enum(ruleNames))
    .min(1)
    .default([...ruleNames])
    .describe("rules for the CR4 that hardware runs the guest with"),
  hostMce: z.array(bit).min(1).default([1, 0]).describe("CR4.MCE of the host, 0 or 1"),
  guestMce: z.array(bit).min(1).default([0, 1]).describe("what the guest wrote to CR4.MCE, 0 or 1"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One guest under one rule: what the table's rows are computed for. */
export interface TablePoint {
  rule: string;
  hostMce: 0 | 1;
  guestMce: 0 | 1;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => TablePoint[] = ({ rule, hostMce, guestMce }) =>
  rule.flatMap((name) =>
    hostMce.flatMap((host) => guestMce.map((guest) => ({ rule: name, hostMce: host, guestMce: guest }))),
  );
