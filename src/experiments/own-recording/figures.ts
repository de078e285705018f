/** The report's figures, each from the report's data alone. */
import { barFigure, type Figure, lineFigure } from "../../plot/index.js";
import { type AllocatorRow, recordedAllocators } from "./allocators.js";
import type { RecordingReport } from "./report.js";

const seconds = (ns: readonly number[]): number[] => ns.map((value) => value / 1e9);
const time = { title: "time in the recording", unit: "s" };
const place = (row: AllocatorRow): number => recordedAllocators.indexOf(row.allocator);
const lazyOf = ({ allocators }: RecordingReport): AllocatorRow[] =>
  allocators.filter(({ policy }) => policy === "lazy");

function rate({ info }: RecordingReport): Figure {
  return lineFigure({
    title: "Requests over the recording's time",
    caption: `Maps a second, all devices, over ${(info.spanNs / 1e9).toPrecision(3)} s. Where the line jumps, another phase of the workload begins.`,
    x: time,
    y: { title: "maps", unit: "1/s" },
    series: [{ name: "maps", x: seconds(info.rate.timeNs), y: info.rate.mapsPerSecond, mode: "lines" }],
  });
}

function live({ translations: { series }, device }: RecordingReport): Figure {
  const x = seconds(series.timeNs);
  return lineFigure({
    title: "What is mapped at a time",
    caption: `Ranges that ${device.id} has mapped, and the pieces that remain where abutting ranges count as one: a tree that merges has so many nodes (with the recorded addresses).`,
    x: time,
    y: { title: "mapped at a time", unit: "ranges" },
    series: [
      { name: "live maps", x, y: series.live, mode: "lines" },
      { name: "intervals, abutting ones merged", x, y: series.intervals, mode: "lines" },
    ],
  });
}

function sizes({ info }: RecordingReport): Figure {
  const rows = info.sizes.histogram.slice(0, 40);
  return barFigure({
    title: "How large requests are",
    caption: `Requests by their size, all devices; ${(100 * info.sizes.shareAbove32).toFixed(1)} % are above 32 pages, which no per-CPU cache of Linux holds.`,
    categories: rows.map(([from, to]) => (to - from > 1 ? `${from}–${to - 1}` : `${from}`)),
    x: { title: "pages of 4 KiB", unit: "" },
    y: { title: "requests", unit: "", log: true },
    series: [{ name: "requests", values: rows.map(([, , count]) => count) }],
  });
}

function visits(report: RecordingReport): Figure {
  return lineFigure({
    title: "How far the tree's search goes",
    caption:
      "Nodes that a map's search looks at, mean over each stretch of time, under the lazy policy. A line that climbs is a tree in which holes collect; a cache that serves the map looks at none (such stretches lie below the axis).",
    x: time,
    y: { title: "nodes a map", unit: "nodes", log: true },
    series: lazyOf(report).map((row) => ({
      name: row.title,
      x: seconds(row.series.timeNs),
      y: row.series.visitsMean,
      mode: "lines" as const,
      place: place(row),
    })),
  });
}

function caches(report: RecordingReport): Figure {
  return lineFigure({
    title: "What the caches keep",
    caption:
      "Freed ranges that lie in per-CPU magazines and depots, still nodes of the tree, under the lazy policy: a line that only climbs is memory that does not come back.",
    x: time,
    y: { title: "ranges in caches", unit: "ranges" },
    series: lazyOf(report)
      .filter(({ allocator }) => allocator === "magazines" || allocator === "rcache6")
      .map((row) => ({
        name: row.title,
        x: seconds(row.series.timeNs),
        y: row.series.cached,
        mode: "lines" as const,
        place: place(row),
      })),
  });
}

function translations({ translations: { series, capacity } }: RecordingReport): Figure {
  const x = seconds(series.timeNs);
  return lineFigure({
    title: "Pages in flight against the IOTLB",
    caption: `Mapped pages and the lines of table entries that they lie in, beside the entries that the IOTLBs of five measured hosts behave as having (${capacity.low} to ${capacity.high}). Above the dashed line not every page can be cached at once; whether that costs anything depends on which pages the device touches.`,
    x: time,
    y: { title: "mapped at a time", unit: "", log: true },
    series: [
      { name: "4 KiB pages", x, y: series.pages, mode: "lines" },
      { name: "lines of table entries", x, y: series.lines, mode: "lines" },
      { name: "IOTLB entries", x, y: x.map(() => capacity.high), mode: "lines", dash: true, place: 7 },
    ],
  });
}

/** Every figure of a report by its name; those without data are left out. */
export const reportFigures: Readonly<Record<string, (report: RecordingReport) => Figure | undefined>> = {
  rate,
  live,
  sizes,
  visits: (report) => (report.allocators.length > 0 ? visits(report) : undefined),
  caches: (report) => (report.allocators.length > 0 ? caches(report) : undefined),
  translations,
};
