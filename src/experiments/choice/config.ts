import { z } from "zod";
import { costSources, variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults, type IoLoad } from "../../host/index.js";
import { largePresetNames } from "../../machine/index.js";
import { ConfigError } from "../frame/experiment.js";
import { coresOf } from "../frame/knob-fields.js";
import { listOf } from "../frame/lists.js";
import { ways } from "./ways.js";

const hosts = largePresetNames as [string, ...string[]];

/** The configuration's schema. */
export const Config = z.strictObject({
  host: z
    .enum(hosts, { error: `accepts ${hosts.join(", ")}` })
    .default("ice-lake-sp")
    .describe("simulated host"),
  cores: listOf(z.int().min(1).max(128)).default([4, 16, 64]).describe("cores that serve the device"),
  rate: listOf(z.number().min(1).max(1600)).default([10, 100, 200]).describe("rates of the device (Gb/s)"),
  workMicroseconds: z
    .number()
    .min(0.05)
    .max(50)
    .default(1.6)
    .describe("work of a 4 KiB packet outside mapping (µs); 1.6 is five cores for 100 Gb/s (record FS2)"),
  depth: z.int().min(1).max(1024).default(64).describe("packets of a core under way (a count)"),
  sweep: z
    .boolean()
    .default(true)
    .describe("move the assumptions to the ends of their ranges, to see what changes the choice"),
  everyWay: z
    .boolean()
    .default(false)
    .describe("choose also among ways that Linux has not (bounce: a pool that stays mapped)"),
  packets: z.int().min(100).max(100_000).default(240).describe("packets measured for each core (a count)"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});
/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** Packets of a request that are mapped together: 32 KiB, a large send. */
const together = 8;

/** One run: a way, under one assumption. */
export interface ChoicePoint {
  way: string;
  assumption: string;
  run: HostRun;
  load: IoLoad;
}

/** What is moved to the ends of its range, for the ways on which it tells. */
function ends(way: string, mapped: string): { assumption: string; change: Partial<HostRun> }[] {
  if (way === "bounce")
    return [2, 32].map((value) => ({
      assumption: `copies at ${value} bytes a cycle`,
      change: { copyBytesPerCycle: value },
    }));
  if (variant(mapped).policy !== "strict" || way === "2M pool") return [];
  const source = costSources.find(({ field }) => field === "invalidationCycles");
  if (source === undefined) throw new Error("The cost of an invalidation has no source in src/dma.");
  return [source.low, source.high].map((value) => ({
    assumption: `an invalidation of ${value.toLocaleString("en")} cycles`,
    change: { costs: { invalidationCycles: value } },
  }));
}

/** The points of a configuration. @throws ConfigError where the host has none of the numbers of cores */
export function pointsOf(config: Settings, { facts }: Basis): ChoicePoint[] {
  const most = coresOf(facts, config.host);
  const cores = config.cores.filter((n) => n <= most);
  if (cores.length === 0)
    throw new ConfigError(`choice: ${config.host} has ${most} cores; ${config.cores.join(", ")} are asked for.`);
  return cores.flatMap((n) =>
    ways.flatMap((way): ChoicePoint[] => {
      const pieces = way.together ? together : 1;
      const requests = Math.ceil((config.packets * n) / pieces);
      const load: IoLoad = {
        workNs: config.workMicroseconds * 1000 * pieces,
        segments: pieces,
        segmentPages: 1,
        mapping: way.together ? "two-step" : "each",
        premapped: way.stays,
        depth: Math.max(1, Math.round(config.depth / pieces)),
        deviceNs: 10_000,
        completions: "same",
        permission: 2,
      };
      const run: HostRun = {
        ...hostRunDefaults(facts),
        machine: config.host,
        variant: way.variant,
        cores: n,
        staticMaps: 0,
        lock: "queued",
        seed: config.seed,
        warmup: Math.round(requests / 3),
        transactions: requests,
      };
      const varied = config.sweep ? ends(way.name, way.variant) : [];
      return [{ assumption: "as assumed", change: {} }, ...varied].map(({ assumption, change }) => ({
        way: way.name,
        assumption,
        run: { ...run, ...change },
        load,
      }));
    }),
  );
}
