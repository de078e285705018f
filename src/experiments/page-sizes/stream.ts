/** From a host and a point of the experiment to the stream that is simulated. */
import { type LinkConfig, pcieLink } from "../../machine/index.js";
import { oneToOne, pageBytes } from "../../pagetables/index.js";
import type { StreamConfig, StreamHost } from "../../streams/index.js";
import { type PageHost, wireShare } from "./hosts.js";
import type { PageSetting } from "./published.js";

/** One simulated run: plain values, so that a worker can take it. Fields left out are the host's. */
export interface RunSpec {
  page: PageSetting;
  direction: "read" | "write";
  dmaBytes: number;
  windowBytes: number;
  /** Memory that the 1:1 table covers. */
  memoryBytes: number;
  /** Where the table ends, if before the end of memory: DMA beyond it faults. */
  mappedBytes?: number;
  devices: number;
  tags: number;
  walkers: number;
  pattern: "random" | "sequential";
  /** What warmed the window: the device's writes (what DDIO leaves), the host (the whole last-level cache), or nothing. */
  warmth: "device" | "host" | "cold";
  /** Packets measured, about. */
  packets: number;
  seed: number;
  generation?: 1 | 2 | 3 | 4 | 5;
  width?: 1 | 2 | 4 | 8 | 16;
  completions?: "mps" | "rcb" | "short";
  /** Shortest time between the beginnings of two walks, ns. */
  walkIntervalNs?: number;
  /** Shortest time between two posted writes of the card, ns. */
  writeIntervalNs?: number;
  iotlbEntries?: number;
  iotlbWays?: number;
  iotlbBySize?: "shared" | "separate";
  replacement?: "lru" | "fifo" | "random";
  structureEntries?: number;
  /** Bytes of the last-level cache that table lines can use. */
  tableCacheBytes?: number;
  coherentWalks?: boolean;
  hitUnderMiss?: boolean;
  units?: "shared" | "per-device";
  deviceTlbEntries?: number;
  postedHeaders?: number;
  postedData?: number;
  check?: boolean;
}

/** A quarter of the fixed time passes before the remapping unit, a quarter after the root complex: it moves no result of a steady stream. */
const towards = 0.25;

function hostTimes(host: PageHost, spec: RunSpec): StreamHost {
  const mode = spec.page === "off" ? host.off : host.on;
  const fixed = Math.round(mode.hitNs * 1000) - wireShare(host.link);
  const side = Math.round(fixed * towards);
  const resident = { device: host.ddioBytes, host: host.llcBytes, cold: 0 }[spec.warmth];
  return {
    toUnitPs: side,
    memoryPs: fixed - 2 * side,
    dramExtraPs: Math.round(mode.dramExtraNs * 1000),
    residentBytes: resident,
    toDevicePs: side,
  };
}

/** The link of a run: the host's, or another generation or width with the host's limits. */
export function linkOf(host: PageHost, spec: Pick<RunSpec, "generation" | "width" | "completions">): LinkConfig {
  const { mps, mrrs, rcb } = host.link;
  return pcieLink(spec.generation ?? host.link.generation, spec.width ?? host.link.width, {
    mps,
    mrrs,
    rcb,
    completions: spec.completions ?? host.link.completions,
  });
}

/** The stream of a run on a host. */
export function streamOf(host: PageHost, spec: RunSpec): StreamConfig {
  const link = linkOf(host, spec);
  const packetBytes = Math.min(spec.dmaBytes, spec.direction === "read" ? link.mrrs : link.mps);
  const packetsEach = Math.ceil(spec.dmaBytes / packetBytes);
  const transfers = Math.max(100, Math.round(spec.packets / packetsEach));
  const entries = spec.iotlbEntries ?? host.iotlbEntries;
  const structures = spec.structureEntries ?? host.structureEntries;
  const leaf = spec.page === "2M" && host.superpagesAs4K ? "4K" : spec.page;
  const missPs = Math.round(host.missNs * 1000);
  const dramPs = Math.round(host.on.dramExtraNs * 1000);
  const coherent = spec.coherentWalks ?? host.coherentWalks;
  const replacement = spec.replacement ?? "lru";
  return {
    devices: Array.from({ length: spec.devices }, (_, i) => ({
      name: `device ${i}`,
      link,
      tags: spec.tags,
      writeIntervalPs: Math.round((spec.writeIntervalNs ?? 0) * 1000),
      postedHeaders: spec.postedHeaders ?? host.postedHeaders,
      postedData: spec.postedData ?? host.postedData,
      deviceTlbEntries: spec.deviceTlbEntries ?? 0,
    })),
    host: hostTimes(host, spec),
    translation:
      leaf === "off"
        ? null
        : {
            table: oneToOne(spec.mappedBytes ?? spec.memoryBytes, pageBytes[leaf]),
            unit: {
              iotlb: { entries, ways: spec.iotlbWays ?? entries, replacement },
              iotlbBySize: spec.iotlbBySize ?? "shared",
              structureCaches: { entries: structures, ways: structures, replacement },
              walkers: spec.walkers,
              walkIntervalPs: Math.round((spec.walkIntervalNs ?? 0) * 1000),
              // A walk costs what its table reads cost (record FS5: time grows in proportion to table reads).
              walkFixedPs: 0,
            },
            memory: {
              coherent,
              // The measured miss is one table read: from the cache where walks are coherent, from DRAM where they are not (CAP2).
              cachePs: host.coherentWalks ? missPs : Math.max(1, missPs - dramPs),
              dramPs: host.coherentWalks ? missPs + dramPs : missPs,
              cacheBytes: spec.tableCacheBytes ?? host.llcBytes,
            },
            units: spec.units ?? "shared",
            hitUnderMiss: spec.hitUnderMiss ?? true,
          },
    direction: spec.direction,
    pattern: spec.pattern,
    dmaBytes: spec.dmaBytes,
    windowStart: 0,
    windowBytes: spec.windowBytes,
    primed:
      leaf === "off"
        ? 0
        : 4 * Math.max(entries, 128) * (spec.pattern === "sequential" ? 4096 / Math.min(4096, spec.dmaBytes) : 1),
    transfers,
    warmup: Math.round(transfers / 5),
    seed: spec.seed,
    check: spec.check ?? false,
  };
}
