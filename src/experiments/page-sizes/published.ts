/** The published rows: bandwidth and latency by window, with how each may be used. */
import type { Facts } from "../../facts/index.js";
import type { LatencyPoint } from "./calibrate.js";

/** Page setting of a row: the IOMMU off, or the largest leaf that the 1:1 table may use. */
export type PageSetting = "off" | "4K" | "2M" | "1G";

/** One measured point. */
export interface PublishedPoint {
  recordId: string;
  host: string;
  page: PageSetting;
  direction: "read" | "write";
  dmaBytes: number;
  windowBytes: number;
  kind: "bandwidth" | "latency";
  /** Gb/s, or nanoseconds. */
  measured: number;
  use: "calibration" | "prediction";
}

/** "1536K" in bytes. */
export function windowOf(text: string): number {
  const match = /^(\d+)K$/.exec(text);
  if (!match) throw new RangeError(`window "${text}": expected kibibytes such as 1024K`);
  return Number(match[1]) * 1024;
}

/** The points of a latency record. */
export function latencyPoints(facts: Facts, recordId: string): LatencyPoint[] {
  return Object.entries(facts.record(recordId).value as Record<string, number>).map(([window, ns]) => ({
    windowBytes: windowOf(window),
    ns,
  }));
}

/** The points that fix reads in flight, the card's writes, and walks for reads and for writes. */
export const fitPoints: Readonly<Record<"tags" | "walks" | "writes" | "writeWalks", readonly [string, string]>> = {
  tags: ["P_HSW_rd_rnd_64_off", "65536K"],
  walks: ["P_HSW_rd_rnd_64_4k", "65536K"],
  writes: ["P_HSW_wr_rnd_64_off", "65536K"],
  writeWalks: ["P_HSW_wr_rnd_64_4k", "65536K"],
};

const isFitted = (id: string, window: string): boolean =>
  Object.values(fitPoints).some(([record, at]) => record === id && at === window);

/** A measured value by record and window. */
export function measuredAt(facts: Facts, [recordId, window]: readonly [string, string]): number {
  return (facts.record(recordId).value as Record<string, number>)[window];
}

const settings: Record<string, PageSetting> = { off: "off", "4k": "4K", sp: "2M" };

/** Every published bandwidth row of a host, by the prefix of its records. */
export function bandwidthPoints(facts: Facts, host: string, prefix: string): PublishedPoint[] {
  return facts
    .all()
    .filter((record) => record.id.startsWith(prefix))
    .map(({ id }) => facts.record(id))
    .flatMap((record) => {
      const match = /_(rd|wr)_rnd_(\d+)_(off|4k|sp)$/.exec(record.id);
      if (!match) throw new Error(`record ${record.id}: its name does not end in direction, size and page setting`);
      return Object.entries(record.value as Record<string, number>).map(
        ([window, measured]): PublishedPoint => ({
          recordId: record.id,
          host,
          page: settings[match[3]],
          direction: match[1] === "rd" ? "read" : "write",
          dmaBytes: Number(match[2]),
          windowBytes: windowOf(window),
          kind: "bandwidth",
          measured,
          use: record.use === "calibration" || isFitted(record.id, window) ? "calibration" : "prediction",
        }),
      );
    });
}

/** The latency rows of a host: calibration, but for a record that the host's parameters are kept apart from. */
export function latencyRows(
  facts: Facts,
  host: string,
  records: Partial<Record<PageSetting, string>>,
): PublishedPoint[] {
  return Object.entries(records).flatMap(([page, recordId]) =>
    latencyPoints(facts, recordId).map(
      ({ windowBytes, ns }): PublishedPoint => ({
        recordId,
        host,
        page: page as PageSetting,
        direction: "read",
        dmaBytes: 64,
        windowBytes,
        kind: "latency",
        measured: ns,
        use: facts.record(recordId).use === "calibration" ? "calibration" : "prediction",
      }),
    ),
  );
}
