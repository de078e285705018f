/** How far the model is from the published rows: median and worst, by host, size and direction. No row is left out. */
import type { Comparison } from "../frame/experiment.js";
import { distinct, where } from "../frame/rows.js";
import type { PageRow } from "./rows.js";

/** Errors of a group of rows, percent. */
export interface ErrorRow {
  by: "all" | "host" | "DMA size" | "direction" | "page" | "anomaly";
  group: string;
  rows: number;
  /** Median of the absolute error. */
  medianPercent: number;
  /** The error that is largest in absolute value, with its sign. */
  worstPercent: number;
  /** Rows within 15 %. */
  within15: number;
  /** The row of the worst error. */
  worstRow: string;
}

/** A row with its published value. */
export type ComparedRow = PageRow & { measured: number; errorPercent: number };
const isCompared = (row: PageRow): row is ComparedRow => row.measured !== null && row.errorPercent !== null;

const named = (row: PageRow): string =>
  `${row.host} ${row.page} ${row.direction} ${row.dmaBytes} B, ${row.windowBytes / 1024} KiB`;

function summary(by: ErrorRow["by"], group: string, rows: readonly ComparedRow[]): ErrorRow {
  const sorted = rows.map((row) => Math.abs(row.errorPercent)).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  const worst = rows.reduce((a, b) => (Math.abs(b.errorPercent) > Math.abs(a.errorPercent) ? b : a));
  return {
    by,
    group,
    rows: rows.length,
    medianPercent: median,
    worstPercent: worst.errorPercent,
    within15: sorted.filter((error) => error <= 15).length,
    worstRow: named(worst),
  };
}

/** Sandy Bridge with superpages: kept apart, never dropped. */
export const isAnomaly = (row: PageRow): boolean => row.host === "snb" && row.page === "2M";

/** The predicted bandwidth rows of a run: those that no fit has seen. */
export const predictions = (rows: readonly PageRow[]): ComparedRow[] =>
  rows.filter(isCompared).filter((row) => row.use === "prediction" && row.kind === "bandwidth");

/** The error table. Calibration rows are counted in none of its groups but the last. */
export function errorTable(rows: readonly PageRow[]): ErrorRow[] {
  const predicted = predictions(rows);
  if (predicted.length === 0) return [];
  const usual = predicted.filter((row) => !isAnomaly(row));
  const groups = (by: ErrorRow["by"], key: "host" | "direction" | "dmaBytes" | "page"): ErrorRow[] =>
    distinct(usual, key).map((value) => summary(by, String(value), where(usual, { [key]: value })));
  const calibration = rows.filter(isCompared).filter((row) => row.use === "calibration");
  const odd = predicted.filter(isAnomaly);
  return [
    summary("all", "every predicted row", predicted),
    ...(usual.length > 0 ? [summary("all", "without Sandy Bridge's superpages", usual)] : []),
    ...groups("host", "host"),
    ...groups("direction", "direction"),
    ...groups("DMA size", "dmaBytes"),
    ...groups("page", "page"),
    ...(odd.length > 0 ? [summary("anomaly", "Sandy Bridge's superpages", odd)] : []),
    ...(calibration.length > 0 ? [summary("all", "calibration rows (not evidence)", calibration)] : []),
  ];
}

/** Rows off by more than 15 %, counted by what the model lacks there, most frequent first. */
export function missingMechanisms(rows: readonly PageRow[]): { missing: string; rows: number; worstPercent: number }[] {
  const counts = new Map<string, { rows: number; worstPercent: number }>();
  for (const row of predictions(rows)) {
    if (row.missing === "") continue;
    const key = row.missing;
    const entry = counts.get(key) ?? { rows: 0, worstPercent: 0 };
    entry.rows += 1;
    const error = row.errorPercent;
    if (Math.abs(error) > Math.abs(entry.worstPercent)) entry.worstPercent = error;
    counts.set(key, entry);
  }
  return [...counts].map(([missing, entry]) => ({ missing, ...entry })).sort((a, b) => b.rows - a.rows);
}

/** Every row that has a published value, beside it: bandwidths with their interval, latencies as they are. */
export function comparedOf(rows: readonly PageRow[]): Comparison[] {
  return rows.filter(isCompared).map((row): Comparison => {
    const bandwidth = row.kind === "bandwidth";
    const mean = row[bandwidth ? "gbps" : "latencyNs"];
    return {
      id: `${row.record} ${row.windowBytes / 1024}K`,
      factId: row.record,
      published: row.measured,
      simulated: {
        mean,
        low: bandwidth ? row.gbpsLow : mean,
        high: bandwidth ? row.gbpsHigh : mean,
        n: 1,
        level: 0.95,
        unit: bandwidth ? "Gb/s" : "ns",
      },
      use: row.use === "calibration" ? "calibration" : "prediction",
    };
  });
}
