/** From a configuration to the independent runs that it asks for. */
import type { Basis } from "../../facts/index.js";
import { type PageSizesSettings, threadRanges } from "./config.js";
import { type HostName, pageHost } from "./hosts.js";
import { intervalNs, parallelism } from "./parallelism.js";
import { bandwidthPoints, latencyRows, type PublishedPoint } from "./published.js";
import type { RunSpec } from "./stream.js";

/** One run: which host, what, and the measured value where there is one. */
export interface PagePoint {
  part: "published" | "thread" | "grid";
  host: HostName;
  kind: "bandwidth" | "latency";
  spec: RunSpec;
  published: { recordId: string; measured: number; use: "calibration" | "prediction" } | null;
}

const gibibyte = 1_073_741_824;
const packetsQuick = 5000;

/** Fields of a run that the configuration fixes for all points. */
function common(
  config: PageSizesSettings,
  basis: Basis,
): Omit<RunSpec, "page" | "direction" | "dmaBytes" | "windowBytes" | "memoryBytes" | "devices" | "tags" | "warmth"> {
  const optional = {
    generation: config.generation,
    width: config.width,
    iotlbEntries: config.iotlbEntries,
    iotlbWays: config.iotlbWays,
    structureEntries: config.structureEntries,
    tableCacheBytes: config.tableCacheBytes,
    coherentWalks: config.coherentWalks,
    postedHeaders: config.postedHeaders,
    postedData: config.postedData,
  };
  return {
    walkers: config.walkers ?? parallelism(basis).walkers.value,
    pattern: config.pattern,
    packets: packetsQuick * (config.fidelity === "full" ? 10 : 1),
    seed: config.seed,
    completions: config.completions,
    iotlbBySize: config.iotlbBySize,
    replacement: config.replacement,
    hitUnderMiss: config.hitUnderMiss,
    units: config.units,
    deviceTlbEntries: config.deviceTlbEntries,
    check: config.check,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)) as object),
  };
}

/** What a request costs the card, and how fast walks begin, by direction; walkers that the configuration counts begin whenever one is free. */
function pace(direction: "read" | "write", config: PageSizesSettings, basis: Basis): Partial<RunSpec> {
  const { walks, writeWalks, writes } = parallelism(basis);
  return {
    ...(config.walkers === null ? { walkIntervalNs: intervalNs(direction === "read" ? walks : writeWalks) } : {}),
    ...(direction === "write" ? { writeIntervalNs: intervalNs(writes) } : {}),
  };
}

/** Tables cover whole gibibytes, as far as there is memory. */
const covered = (windowBytes: number, memoryBytes: number): number =>
  Math.min(memoryBytes, Math.ceil(windowBytes / gibibyte) * gibibyte);

function publishedRuns(config: PageSizesSettings, basis: Basis): PagePoint[] {
  const wanted = (row: PublishedPoint): boolean =>
    config.pages.includes(row.page) &&
    config.directions.includes(row.direction) &&
    (config.dmaBytes?.includes(row.dmaBytes) ?? true) &&
    (config.windows?.includes(row.windowBytes) ?? true);
  return config.hosts.flatMap((name) => {
    const host = pageHost(name, basis);
    // The remote host borrows another's latency records: they are that host's rows, and listed there.
    const latency = name === "ivb-remote" ? [] : latencyRows(basis.facts, name, host.latencyRecords);
    const bandwidth = host.bandwidthRecords === null ? [] : bandwidthPoints(basis.facts, name, host.bandwidthRecords);
    return [...bandwidth, ...latency].filter(wanted).flatMap((row): PagePoint[] => {
      const shared = common(config, basis);
      return (config.devices ?? [1]).flatMap((devices) =>
        (row.kind === "latency" ? [1] : (config.tags ?? [host.tags ?? parallelism(basis).tags.value])).map((tags) => ({
          part: "published",
          host: name,
          kind: row.kind,
          spec: {
            ...shared,
            ...pace(row.direction, config, basis),
            packets: row.kind === "latency" ? shared.packets / 2 : shared.packets,
            page: row.page,
            direction: row.direction,
            dmaBytes: row.dmaBytes,
            windowBytes: row.windowBytes,
            memoryBytes: covered(row.windowBytes, config.memoryBytes),
            devices,
            tags,
            warmth: config.warmth ?? (row.kind === "latency" ? "host" : "device"),
          },
          published: { recordId: row.recordId, measured: row.measured, use: row.use },
        })),
      );
    });
  });
}

/** The thread's devices are other cards, on links twice as wide: walks keep their pace, a write costs them nothing of their own. */
function threadPace(direction: "read" | "write", config: PageSizesSettings, basis: Basis): Partial<RunSpec> {
  const { writeIntervalNs: _card, ...walks } = pace(direction, config, basis);
  return walks;
}

function productRuns(config: PageSizesSettings, part: "thread" | "grid", basis: Basis): PagePoint[] {
  const thread = part === "thread";
  const hosts = thread ? config.hosts.slice(0, 1) : config.hosts;
  const fitting = (ranges: readonly number[]) => ranges.filter((bytes) => bytes <= config.memoryBytes);
  const windows = config.windows ?? (thread ? fitting(threadRanges.windows) : [64 * 1024 * 1024]);
  const sizes = config.dmaBytes ?? (thread ? threadRanges.dmaBytes : [64]);
  const counts = config.devices ?? (thread ? threadRanges.devices : [1]);
  const shared = common(config, basis);
  const link = thread ? { generation: config.generation ?? 3, width: config.width ?? 16 } : {};
  return hosts.flatMap((host) =>
    config.directions.flatMap((direction) =>
      counts.flatMap((devices) =>
        // Tags are for reads: a write is limited by credits.
        (direction === "write"
          ? [threadRanges.tags[0]]
          : (config.tags ??
            (thread ? threadRanges.tags : [pageHost(host, basis).tags ?? parallelism(basis).tags.value]))
        ).flatMap((tags) =>
          sizes.flatMap((dmaBytes) =>
            windows.flatMap((windowBytes) =>
              config.pages.map(
                (page): PagePoint => ({
                  part,
                  host,
                  kind: "bandwidth",
                  spec: {
                    ...shared,
                    ...(thread ? threadPace(direction, config, basis) : pace(direction, config, basis)),
                    ...link,
                    page,
                    direction,
                    dmaBytes,
                    windowBytes,
                    memoryBytes: covered(windowBytes, config.memoryBytes),
                    ...(config.mappedBytes !== null && !thread ? { mappedBytes: config.mappedBytes } : {}),
                    devices,
                    tags,
                    warmth: config.warmth ?? "cold",
                  },
                  published: null,
                }),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Every run of a configuration, part by part. */
export function pagePoints(config: PageSizesSettings, basis: Basis): PagePoint[] {
  return config.parts.flatMap((part) =>
    part === "published" ? publishedRuns(config, basis) : productRuns(config, part, basis),
  );
}
