import { z } from "zod";
import { variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { hostRunDefaults, type PacketRun, workloadAssumptions } from "../../host/index.js";
import { pcieLink } from "../../machine/index.js";
import { type PageHost, pageHost } from "../page-sizes/hosts.js";
import { intervalNs, parallelism } from "../page-sizes/parallelism.js";

const whole = (low: number, high: number) => z.int().min(low).max(high);
const share = z.number().min(0).max(1);

/** The fields of a configuration. */
export const Config = z.strictObject({
  variants: z
    .array(
      z.string().refine((name) => variants.some((one) => one.name === name && !one.reuse), {
        error: `accepts ${variants
          .filter(({ reuse }) => !reuse)
          .map(({ name }) => name)
          .join(", ")}`,
      }),
    )
    .min(1)
    .default([
      "off",
      "static-identity",
      "magazines-strict",
      "strict-domain",
      "flush-pages",
      "flush-ranges",
      "flush-threshold",
      "flush-domain",
    ])
    .describe("ways of mapping, each with its rule for flushes"),
  ats: z.array(z.boolean()).min(1).default([false, true]).describe("the card caches translations (ATS)"),
  gbps: z.array(z.number().min(1).max(400)).min(1).default([40, 100, 200]).describe("rate of the wire (Gb/s)"),
  cores: z.array(whole(1, 16)).min(1).default([16]).describe("cores, each with a queue"),
  senders: whole(0, 15)
    .default(0)
    .describe("of these cores, those that receive nothing and send all the time (a count)"),
  sendersDepth: whole(1, 512).default(64).describe("packets that each of them keeps on their way out (assumed)"),
  offered: share.default(1).describe("packets come in at this share of the wire's rate; 0: none do"),
  packetBytes: whole(64, 4096).default(1500).describe("bytes of a packet"),
  answers: share.default(1).describe("share of packets answered by one of the same size"),
  headerBytes: whole(0, 256).default(0).describe("bytes of a sent header that is a buffer of its own; 0: none"),
  receiveBuffersAPage: whole(1, 8).default(1).describe("receive buffers that share a page"),
  sentAgain: share.default(0).describe("share of sent buffers whose page is being sent already"),
  iotlbEntries: whole(1, 65_536).nullable().default(null).describe("entries of the IOTLB; null: the host's"),
  walkers: whole(1, 64).nullable().default(null).describe("walks at a time; null: as fitted on Haswell"),
  deviceTlbEntries: whole(1, 65_536).default(64).describe("with ATS: entries of the card's own cache (assumed)"),
  flushEntries: whole(1, 100_000).default(250).describe("unmaps that are flushed together (record S7)"),
  replications: whole(1, 100).default(2).describe("independent runs of each point, for the intervals"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many packets"),
  seed: whole(0, 2_147_483_647).default(1).describe("the random streams"),
});
export type Settings = z.output<typeof Config>;

/** One run. */
export interface FlushingPoint {
  run: PacketRun;
  replication: number;
}

/** The fixed times between link and memory, by the host's latency: a quarter before the remapping unit, a quarter after the root complex. */
const towards = 0.25;

/** What is other from run to run. */
interface Setting {
  variant: string;
  ats: boolean;
  gbps: number;
  cores: number;
  replication: number;
}

/** Every setting that a configuration asks for; without translation there is nothing that a card could cache. */
const settingsOf = ({ variants: names, ats, gbps, cores, replications }: Settings): Setting[] =>
  names.flatMap((variant) =>
    ats
      .filter((cached) => !cached || variant !== "off")
      .flatMap((cached) =>
        gbps.flatMap((rate) =>
          cores.flatMap((n) =>
            Array.from({ length: replications }, (_, replication) => ({
              variant,
              ats: cached,
              gbps: rate,
              cores: n,
              replication,
            })),
          ),
        ),
      ),
  );

/** The runs of a configuration. */
export function points(config: Settings, basis: Basis): FlushingPoint[] {
  const host = pageHost("cascade-lake", basis);
  const load = workloadAssumptions(basis.facts, "packets");
  const fixed = Math.round(host.on.hitNs * 1000);
  const side = Math.round(fixed * towards);
  const missPs = Math.round(host.missNs * 1000);
  const packets = config.fidelity === "quick" ? 4000 : 50_000;
  const unit = unitOf(config, host, basis);
  /** The card: every core has a queue of it. */
  const nicOf = ({ gbps, cores, ats }: Setting): PacketRun["nic"] => ({
    gbps,
    packetBytes: config.packetBytes,
    queues: cores,
    // Wide enough for 200 Gb/s in both directions.
    link: pcieLink(4, 16, { mps: host.link.mps, mrrs: host.link.mrrs, rcb: host.link.rcb }),
    toUnitPs: side,
    memoryPs: fixed - 2 * side,
    toDevicePs: side,
    tags: load["tags"].value,
    postedHeaders: host.postedHeaders,
    postedData: host.postedData,
    fifoBytes: load["fifoKiB"].value * 1024,
    descriptorBytes: 16,
    fetchBatch: load["fetchBatch"].value,
    writeBackBatch: load["writeBackBatch"].value,
    deviceTlbEntries: ats ? config.deviceTlbEntries : 0,
    offered: config.offered,
  });
  return settingsOf(config).map((setting) => ({
    replication: setting.replication,
    run: {
      host: {
        ...hostRunDefaults(basis.facts),
        variant: setting.variant,
        cores: setting.cores,
        ats: setting.ats,
        flushEntries: config.flushEntries,
        // One host: its cores write entries for the walks that the card's requests make.
        machineOverrides: { coherentWalks: host.coherentWalks ? 1 : 0 },
        seed: config.seed * 1000 + setting.replication,
      },
      nic: nicOf(setting),
      unit,
      walks: {
        coherent: host.coherentWalks,
        cachePs: missPs,
        dramPs: missPs + Math.round(host.on.dramExtraNs * 1000),
        cacheBytes: host.llcBytes,
      },
      receiveCycles: load["receiveCycles"].value,
      sendCycles: load["sendCycles"].value,
      stackLines: load["stackLines"].value,
      answers: config.answers,
      headerBytes: config.headerBytes,
      receiveBuffersAPage: config.receiveBuffersAPage,
      sentAgain: config.sentAgain,
      ...(config.senders > 0 ? { senders: config.senders, sendersDepth: config.sendersDepth } : {}),
      warmup: Math.round(packets / 2),
      packets,
    },
  }));
}

/** The remapping unit: the host's, with walks as fitted on Haswell where the configuration does not say otherwise. */
function unitOf(config: Settings, host: PageHost, basis: Basis): PacketRun["unit"] {
  const fitted = parallelism(basis);
  const entries = config.iotlbEntries ?? host.iotlbEntries;
  const replacement = "lru" as const;
  return {
    iotlb: { entries, ways: entries, replacement },
    iotlbBySize: "shared",
    structureCaches: { entries: host.structureEntries, ways: host.structureEntries, replacement },
    walkers: config.walkers ?? fitted.walkers.value,
    walkFixedPs: 0,
    ...(config.walkers === null ? { walkIntervalPs: Math.round(intervalNs(fitted.walks) * 1000) } : {}),
  };
}
