import { z } from "zod";
import type { Basis } from "../../facts/index.js";
import { reports } from "./cases.js";

const titles: readonly string[] = reports.map(({ title }) => title);

export const roles = ["fault", "cure"] as const;

/** The configuration's schema. */
export const Config = z.strictObject({
  reports: z
    .array(z.enum(titles))
    .min(1)
    .default([...titles])
    .describe("public reports, by what they are about"),
  requests: z.int().min(100).max(100_000).default(2000).describe("requests after the scene is set (a count)"),
  seed: z.int().min(0).default(1).describe("seed of the orders that are left to chance"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One side of one report. */
export interface ReportPoint {
  report: string;
  role: (typeof roles)[number];
  requests: number;
  seed: number;
}

/** The points of a configuration. */
export const pointsOf: (config: Settings, basis: Basis) => ReportPoint[] = ({ reports: chosen, requests, seed }) =>
  chosen.flatMap((report) => roles.map((role): ReportPoint => ({ report, role, requests, seed })));
