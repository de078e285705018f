import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults, type IoLoad } from "../../host/index.js";
import { largePresetNames } from "../../machine/index.js";
import { ConfigError } from "../frame/experiment.js";
import { coresOf } from "../frame/knob-fields.js";
import { listOf } from "../frame/lists.js";
import { assumedOf, type Choice, type LoadPreset, loadNamed, loads } from "./loads.js";
import { reportNamed, reports } from "./reports.js";

const hosts = largePresetNames as [string, ...string[]];
const names: readonly string[] = variants
  .filter(({ linux, name }) => linux !== undefined || name === "pass-through")
  .map(({ name }) => name);
const loadNames: readonly string[] = loads.map(({ name }) => name);
const reportNames: readonly string[] = reports.map(({ name }) => name);

/** The configuration's schema. */
export const Config = z.strictObject({
  report: listOf(z.enum(reportNames, { error: `accepts ${reportNames.join(", ")}` }))
    .optional()
    .describe(
      `public reports, each with its fault and its cure, in place of load, policy, sizeKiB, cores and host: ${reports.map(({ name, about }) => `${name} (${about})`).join("; ")}`,
    ),
  load: listOf(z.enum(loadNames, { error: `accepts ${loadNames.join(", ")}` }))
    .default(["nvme"])
    .describe(`loads: ${loads.map(({ name, about }) => `${name} (${about})`).join("; ")}`),
  host: z
    .enum(hosts, { error: `accepts ${hosts.join(", ")}` })
    .default("ice-lake-sp")
    .describe("simulated host"),
  policy: listOf(z.enum(names, { error: `accepts ${names.join(", ")}` }))
    .default(["pass-through", "v6.18-lazy", "v6.18-strict"])
    .describe("ways of mapping, from 5.10 on"),
  cores: listOf(z.int().min(1).max(128)).default([16]).describe("cores that make requests"),
  sizeKiB: listOf(z.int().min(4).max(1024).multipleOf(4))
    .default([4, 64, 128, 256, 1024])
    .describe("sizes of a storage request (KiB); network loads have their own"),
  linkGbps: listOf(z.number().min(1).max(1600)).default([100]).describe("rates of the device's link (Gb/s)"),
  completions: z
    .union([z.literal("same"), z.int().min(1).max(128)])
    .optional()
    .describe(
      "who gets completions: the core that submitted (same), or so many of the cores in turn; default: the load's",
    ),
  workMicroseconds: z
    .number()
    .min(0.05)
    .max(100)
    .optional()
    .describe("work of a request outside mapping (µs); default: data/workload/storage.json"),
  deviceMicroseconds: z
    .number()
    .min(0)
    .max(10_000)
    .optional()
    .describe("the device's time for a request (µs); default: data/workload/storage.json"),
  depth: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe("requests of a core under way (a count); default: data/workload/storage.json"),
  aged: z
    .int()
    .min(0)
    .max(2_000_000_000)
    .optional()
    .describe(
      "requests that the allocator has served before, outside simulated time (a count); 0 begins with full magazines; default: 100,000, or the report's own",
    ),
  agedSizes: z
    .enum(["own", "mixed"])
    .default("own")
    .describe("sizes of these: the load's own, or that one and all powers of two up to 128 KiB"),
  requests: z.int().min(20).max(100_000).default(100).describe("requests measured for each core (a count)"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});

/** A configuration with its defaults. */
export type Settings = z.output<typeof Config>;

/** One run. */
export interface StoragePoint {
  load: string;
  /** The report that it belongs to and its side, or two empty texts. */
  report: string;
  role: "" | "fault" | "cure";
  pages: number;
  run: HostRun;
  io: IoLoad;
}

/** Requests that a load has served before, where nothing else is said: a few seconds' worth. */
const agedByDefault = 100_000;

/** Powers of two up to the largest size that a cache takes. */
const cached: readonly number[] = [1, 2, 4, 8, 16, 32];

function pointOf(
  { load, policy, cores, sizeKiB, linkGbps, host, aged, agedSizes, depth }: Choice,
  { completions, workMicroseconds, deviceMicroseconds, requests, seed }: Settings,
  { facts }: Basis,
): StoragePoint {
  const preset: LoadPreset = loadNamed(load);
  const pages = sizeKiB / 4;
  const pieces = preset.pieces(pages);
  const under = depth ?? assumedOf(facts, preset.depth);
  const taken = pieces.mapping === "each" ? pieces.segmentPages : pieces.segments * pieces.segmentPages;
  const sizes = agedSizes === "own" ? [taken] : [...new Set([...cached, taken])];
  const io: IoLoad = {
    ...pieces,
    workNs: workMicroseconds === undefined ? assumedOf(facts, preset.work) : workMicroseconds * 1000,
    deviceNs: 1000 * (deviceMicroseconds ?? assumedOf(facts, preset.device)),
    depth: under,
    completions: completions ?? preset.completions,
    permission: preset.permission,
    premapped: preset.premapped,
    link: { gbps: linkGbps, bytes: pages * 4096 },
    ...(aged > 0
      ? {
          aged: {
            requests: aged,
            rate: assumedOf(facts, "agedRate"),
            spell: assumedOf(facts, "spell"),
            sizes,
            depth: under * (pieces.mapping === "each" ? pieces.segments : 1),
          },
        }
      : {}),
  };
  const measured = requests * cores;
  const run: HostRun = {
    ...hostRunDefaults(facts),
    machine: host,
    variant: policy,
    cores,
    staticMaps: 0,
    lock: "queued",
    seed,
    // Until as many are under way as there may be, or for as long again as the measurement where that would be longer.
    warmup: Math.round(measured / 3) + Math.min(cores * under, measured),
    transactions: measured,
  };
  return { load, report: "", role: "", pages, run, io };
}

/** A report sets its load itself. */
const plain = ({ completions: _, workMicroseconds: __, deviceMicroseconds: ___, ...rest }: Settings): Settings => rest;

/** The points of a configuration. @throws ConfigError where the host has none of the numbers of cores */
export function pointsOf(config: Settings, basis: Basis): StoragePoint[] {
  const { host, aged = agedByDefault, agedSizes, depth } = config;
  if (config.report !== undefined)
    return config.report.flatMap((name) => {
      const { sides } = reportNamed(name);
      return (["fault", "cure"] as const).map((role) => ({
        ...pointOf({ ...sides[role], aged: config.aged ?? sides[role].aged }, plain(config), basis),
        report: name,
        role,
      }));
    });
  const most = coresOf(basis.facts, host);
  const counts = config.cores.filter((cores) => cores <= most);
  if (counts.length === 0)
    throw new ConfigError(`storage: ${host} has ${most} cores; ${config.cores.join(", ")} are asked for.`);
  return config.load.flatMap((load) => {
    const { kind, sizeKiB: own } = loadNamed(load);
    const network = kind === "network";
    return counts.flatMap((cores) =>
      (network ? [own] : config.sizeKiB).flatMap((sizeKiB) =>
        config.linkGbps.flatMap((linkGbps) =>
          config.policy.map((policy) =>
            pointOf(
              {
                load,
                policy,
                cores,
                sizeKiB,
                linkGbps,
                host,
                aged,
                agedSizes,
                ...(depth === undefined ? {} : { depth }),
              },
              config,
              basis,
            ),
          ),
        ),
      ),
    );
  });
}
