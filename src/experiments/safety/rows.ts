import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { hostRun } from "../../host/index.js";
import { type Column, columnEach } from "../frame/column.js";
import { type ColumnName, valuesOf } from "../frame/rows.js";
import { delays, type SafetyPoint } from "./config.js";

/** Columns of the touches after an unmap: "owner: 10" is a page that its owner still reads, 10 µs after; "other: 10" is somebody else's. */
const touchColumns = <V>(of: (whose: "owner" | "other", delay: number, i: number) => V) => ({
  ...columnEach("owner", delays, (delay, i) => of("owner", delay, i)),
  ...columnEach("other", delays, (delay, i) => of("other", delay, i)),
});

/** Runs one point. */
export function simulate({ run, replication }: SafetyPoint, basis: Basis) {
  const result = hostRun(run, basis);
  const { exposure, pinned, counts, cycles, gigahertz } = result;
  if (!exposure || !pinned) throw new Error("a run of this experiment measures exposure");
  const microseconds = (value: number): number => value / gigahertz / 1000;
  const each = Math.max(1, exposure.pages);
  return [
    {
      variant: run.variant,
      title: variant(run.variant).title,
      cores: run.cores,
      replication,
      throughput: result.throughput,
      unmaps: counts.unmaps,
      stalePages: exposure.pages,
      ownerPages: exposure.owner / cycles,
      otherPages: exposure.other / cycles,
      reachedOther: exposure.reachedOther / each,
      longestOther: microseconds(exposure.longestOther),
      ...touchColumns((whose, _, i) => exposure.touches[i][whose] / Math.max(1, counts.unmaps)),
      pinnedMean: pinned.mean,
      pinnedMost: pinned.most,
      tableKiB: result.tableCount * 4,
      emptyTables: result.emptyTables,
      freedTables: counts.freedTables,
      invalidations: counts.invalidations / Math.max(1, counts.unmaps),
      sharedUnmaps: counts.sharedUnmaps / Math.max(1, counts.unmaps),
      fallbacks: counts.fallbacks / Math.max(1, counts.maps),
    },
  ];
}

/** A row of the table. */
export type SafetyRow = ReturnType<typeof simulate>[number];

/** The rows on the most cores that a run has: what the figures show, and what is judged. */
export function onMostCores(rows: readonly SafetyRow[]): SafetyRow[] {
  const most = Math.max(...valuesOf(rows, "cores"));
  return rows.filter(({ cores }) => cores === most);
}

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<SafetyRow>, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  cores: { unit: "", description: "cores that run the workload" },
  replication: { unit: "", description: "number of the independent run" },
  throughput: { unit: "1/s", description: "transactions a second" },
  unmaps: { unit: "", description: "unmaps in the measurement" },
  stalePages: { unit: "pages", description: "pages whose translation was still cached when their unmap returned" },
  ownerPages: { unit: "pages", description: "in reach while their owner reads them, mean at a time" },
  otherPages: { unit: "pages", description: "in reach while they are somebody else's, mean at a time" },
  reachedOther: { unit: "1", description: "share of those translations that came to lead to somebody else's page" },
  longestOther: { unit: "µs", description: "the longest that one led there" },
  ...touchColumns((whose, delay) => ({
    unit: "1",
    description: `reached ${delay} µs after the unmap, ${whose === "owner" ? "its owner's" : "somebody else's"}: per unmap`,
  })),
  pinnedMean: { unit: "pages", description: "held after their owner gave them up, mean at a time" },
  pinnedMost: { unit: "pages", description: "the same, most" },
  tableKiB: { unit: "KiB", description: "memory of the page tables at the end" },
  emptyTables: { unit: "tables", description: "of them, tables that map nothing" },
  freedTables: { unit: "tables", description: "table pages freed in the measurement" },
  invalidations: { unit: "1", description: "invalidations per unmap" },
  sharedUnmaps: { unit: "1", description: "dynamic 1:1: share of unmaps of a page that somebody still maps" },
  fallbacks: { unit: "1", description: "dynamic 1:1: share of maps that took an address above memory" },
};
