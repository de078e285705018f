/** The report's figures, each from the report's data alone. */
import { barFigure, type Figure, type Look, lineFigure, looks } from "../../plot/index.js";
import { type AllocatorRow, hasCaches, recordedAllocators } from "./allocators.js";
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
    x: { title: "size", unit: "pages of 4 KiB" },
    y: { title: "how many", unit: "requests", log: true },
    series: [{ name: "requests", values: rows.map(([, , count]) => count) }],
  });
}

function visits(report: RecordingReport): Figure {
  return lineFigure({
    title: "How far the tree's search goes",
    caption:
      "Nodes that a map's search looks at, mean over each stretch of time, under the lazy policy. A line that climbs is a tree in which holes collect; a cache that serves the map looks at none.",
    x: time,
    y: { title: "nodes a map", unit: "nodes", log: true, none: 0.01 },
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
      .filter(hasCaches)
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
    y: { title: "mapped at a time", unit: "pages, lines, entries", log: true },
    series: [
      { name: "4 KiB pages", x, y: series.pages, mode: "lines" },
      { name: "lines of table entries", x, y: series.lines, mode: "lines" },
      { name: "IOTLB entries", x, y: x.map(() => capacity.high), mode: "lines", dash: true, place: 7 },
    ],
  });
}

/** A way of mapping's look, where it has one. */
const lookOfWay = (name: string): { look?: Look } => {
  const look = looks.way[name];
  return look === undefined ? {} : { look };
};

function saturation({ simulated }: RecordingReport): Figure | undefined {
  if (!simulated) return undefined;
  const names = [...new Set(simulated.loads.map(({ variant }) => variant))];
  return lineFigure({
    title: "Where it saturates",
    caption: `Requests a second that are done, where the recorded requests come faster and faster, on ${simulated.cores} cores. Where a line leaves the diagonal, the cores fall behind.`,
    x: { title: "requests asked for", unit: "1/s", log: true },
    y: { title: "requests done", unit: "1/s", log: true },
    series: names.map((name) => {
      const rows = simulated.loads.filter(({ variant, rate }) => variant === name && Number.isFinite(rate));
      return {
        name: rows[0].title,
        x: rows.map(({ offered }) => offered),
        y: rows.map(({ achieved }) => achieved),
        ...lookOfWay(name),
      };
    }),
  });
}

function cores({ simulated }: RecordingReport): Figure | undefined {
  const rows = simulated?.loads.filter(({ rate }) => !Number.isFinite(rate)) ?? [];
  const names = [...new Set(rows.map(({ variant }) => variant))];
  if (new Set(rows.map((row) => row.cores)).size < 2) return undefined;
  return lineFigure({
    title: "The same from more cores",
    caption:
      "Requests a second that are done when every request is due at once, by so many cores: each further set of cores makes the same requests once more, for the same device. Beyond eight cores the host's other socket takes part.",
    x: { title: "cores", unit: "" },
    y: { title: "requests done", unit: "1/s" },
    series: names.map((name) => {
      const own = rows.filter(({ variant }) => variant === name);
      return {
        name: own[0].title,
        x: own.map((row) => row.cores),
        y: own.map(({ achieved }) => achieved),
        ...lookOfWay(name),
      };
    }),
  });
}

function locks({ simulated }: RecordingReport): Figure | undefined {
  if (!simulated) return undefined;
  const rows = simulated.locksSaturated;
  const titles = [...new Map(simulated.loads.map(({ variant, title }) => [variant, title]))];
  const names = [...new Set(rows.map(({ lock }) => lock))];
  return barFigure({
    title: "Which lock is held, as fast as it can",
    caption: "Share of the time in which the busiest lock of each kind is held when every request is due at once.",
    categories: titles.map(([, title]) => title),
    x: { title: "way of mapping", unit: "" },
    y: { title: "time in which it is held", unit: "%" },
    series: names.map((lock) => ({
      name: lock,
      values: titles.map(
        ([variant]) => 100 * (rows.find((row) => row.variant === variant && row.lock === lock)?.utilisation ?? 0),
      ),
    })),
  });
}

function gains({ simulated }: RecordingReport): Figure | undefined {
  const told = simulated?.gains.filter(({ cpuTime }) => cpuTime !== undefined) ?? [];
  if (told.length === 0) return undefined;
  return barFigure({
    title: "What each change does to the CPU time of a request",
    caption:
      "Change of the CPU time in the DMA API at the recorded rate against the policy that it would replace, with the 95 % interval over the stretches; left of zero is less time.",
    categories: told.map(({ title, from }) => `${title}, instead of ${from}`),
    x: { title: "change", unit: "" },
    y: { title: "CPU time a request", unit: "%" },
    lying: true,
    series: [
      {
        name: "change",
        values: told.map(({ cpuTime }) => cpuTime!.mean),
        low: told.map(({ cpuTime }) => cpuTime!.low),
        high: told.map(({ cpuTime }) => cpuTime!.high),
      },
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
  saturation,
  cores,
  locks,
  gains,
};
