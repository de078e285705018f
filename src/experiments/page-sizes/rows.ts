/** One run of a point, and its row in the table. */
import type { Basis } from "../../facts/index.js";
import { runDmaStream } from "../../streams/index.js";
import type { Column } from "../frame/experiment.js";
import { pageHost } from "./hosts.js";
import type { PagePoint } from "./points.js";
import { streamOf } from "./stream.js";

const column = (unit: string, description: string): Column => ({ unit, description });

export const columns: Readonly<Record<keyof PageRow, Column>> = {
  part: column("", "published, thread or grid"),
  kind: column("", "bandwidth, or latency with one read in flight"),
  host: column("", "measured host"),
  page: column("", "leaf size of the 1:1 table; off: no translation"),
  direction: column("", "DMA direction, seen from the device"),
  dmaBytes: column("B", "size of a DMA"),
  windowBytes: column("B", "bytes that the DMAs are spread over"),
  devices: column("", "devices, each on its own link"),
  tags: column("", "reads in flight a device"),
  gbps: column("Gb/s", "data rate of all devices together"),
  gbpsLow: column("Gb/s", "lower end of the 95 % interval"),
  gbpsHigh: column("Gb/s", "upper end of the 95 % interval"),
  latencyNs: column("ns", "mean time of a DMA, from its start to its last byte"),
  latencyP99Ns: column("ns", "99th percentile of the same"),
  missesPerTransfer: column("", "IOTLB misses a DMA"),
  walksPerTransfer: column("", "page walks a DMA (misses for one page share a walk)"),
  walkDepth: column("entries", "table entries read a walk"),
  walkNs: column("ns", "mean duration of a walk"),
  walkersBusy: column("", "walks under way, on average"),
  walkQueue: column("", "pages waiting for a walker, on average"),
  tableCacheShare: column("", "share of table reads that found their line in the last-level cache"),
  deviceTlbHits: column("", "share of packets that the device translated itself (ATS)"),
  inFlight: column("", "packets in flight, on average"),
  linkBusy: column("", "share of time in which the links carry data"),
  roofLink: column("Gb/s", "what the links can carry"),
  roofTags: column("Gb/s", "reads in flight (or posted credits) over the latency without queueing"),
  roofWalkers: column("Gb/s", "walks at a time over the duration of a walk, in DMAs"),
  bound: column("", "the lowest of the three"),
  faults: column("", "DMAs to pages that are not mapped, recorded"),
  littleGap: column("", "largest relative gap in Little's law over all resources"),
  checked: column("", "translations compared with a real page table"),
  measured: column("Gb/s or ns", "published value"),
  errorPercent: column("%", "simulated over published, less one"),
  use: column("", "calibration, prediction, or empty without a published value"),
  record: column("", "published record"),
  missing: column("", "for errors above 15 %: what the model lacks"),
};

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Rounds to seven significant digits, so that a table stays readable; far below any interval. */
function tidy(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : value;
}

/**
 * What the model lacks where it is off by more than 15 %: read off from which rows are off, and never used to correct them.
 * `bound` is the model's own limit at that row.
 */
export function missingMechanism(point: PagePoint, bound: string): string {
  const { host, spec } = point;
  if (host === "snb" && spec.page === "2M")
    return "Sandy Bridge's superpages: a collapse that no latency run shows (SNB_ANOM)";
  if (host === "ivb-remote" && spec.page === "off")
    return "the link between the sockets, for which there is no latency record";
  if (spec.direction === "read" && spec.dmaBytes === 256 && spec.page === "4K" && spec.windowBytes > 1_048_576)
    return "what misses and the completions of a longer read cost each other: walks and link are each within their pace";
  if (bound === "walkers") return "the pace of walks: this host's is not that of Haswell";
  if (spec.page === "4K") return "how misses come in a row where a window is little larger than the IOTLB's reach";
  if (spec.direction === "read" && spec.dmaBytes > 64) return "how the root complex cuts completions";
  return "not known";
}

/** Runs a point. */
export function simulatePoint(point: PagePoint, basis: Basis) {
  const host = pageHost(point.host, basis);
  const config = streamOf(host, point.spec);
  const result = runDmaStream(config);
  const { spec, published } = point;
  const value = point.kind === "latency" ? result.latencyNs.mean : result.gbps;
  const roofs: [string, number][] = [
    ["link", result.roof.link],
    [spec.direction === "read" ? "tags" : "credits", result.roof.tags],
    ["walkers", result.roof.walkers],
  ];
  const bound = roofs.reduce((a, b) => (b[1] < a[1] ? b : a))[0];
  const error = published ? (value / published.measured - 1) * 100 : null;
  const each = (count: number): number => tidy(count / Math.max(1, result.transfers));
  const tableReads = result.cacheReads + result.dramReads;
  return [
    {
      part: point.part,
      kind: point.kind,
      host: point.host,
      page: spec.page,
      direction: spec.direction,
      dmaBytes: spec.dmaBytes,
      windowBytes: spec.windowBytes,
      devices: spec.devices,
      tags: spec.tags,
      gbps: tidy(result.gbps),
      gbpsLow: tidy(result.low),
      gbpsHigh: tidy(result.high),
      latencyNs: tidy(result.latencyNs.mean),
      latencyP99Ns: result.latencyNs.p99,
      missesPerTransfer: each(result.misses),
      walksPerTransfer: each(result.walks),
      walkDepth: tidy(result.walkDepthMean),
      walkNs: tidy(result.walkNs),
      walkersBusy: tidy(result.walkersBusy),
      walkQueue: tidy(result.walkQueue),
      tableCacheShare: tableReads === 0 ? null : tidy(result.cacheReads / tableReads),
      deviceTlbHits: tidy(result.deviceTlbHits / Math.max(1, result.packets)),
      inFlight: tidy(result.tagsBusy),
      linkBusy: tidy(result.linkBusyShare),
      roofLink: tidy(result.roof.link),
      roofTags: tidy(result.roof.tags),
      roofWalkers: finite(tidy(result.roof.walkers)),
      bound,
      faults: result.faults,
      littleGap: Math.max(...result.little.map((row) => row.gap)),
      checked: result.checked,
      measured: published?.measured ?? null,
      errorPercent: error === null ? null : tidy(error),
      use: published?.use ?? "",
      record: published?.recordId ?? "",
      missing: error !== null && Math.abs(error) > 15 ? missingMechanism(point, bound) : "",
    },
  ];
}

/** A row of the table. */
export type PageRow = ReturnType<typeof simulatePoint>[number];
