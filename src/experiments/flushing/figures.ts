import { barFigure, dotFigure, type Figure, lineFigure, lookOf } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { barsOf, distinct, estimate, type NumberColumn } from "../frame/rows.js";
import type { Settings } from "./config.js";
import type { FlushingRow } from "./rows.js";

/** A way of mapping under one setting of ATS. */
interface Way {
  name: string;
  title: string;
  ats: boolean;
  rows: FlushingRow[];
}

/** The ways of a run on its largest number of cores. */
function waysOf(rows: readonly FlushingRow[]): Way[] {
  const cores = Math.max(...rows.map((row) => row.cores));
  const keys = new Map<string, Way>();
  for (const row of rows) {
    if (row.cores !== cores) continue;
    const key = `${row.variant} ${row.ats}`;
    const way = keys.get(key) ?? { name: row.variant, title: row.title, ats: row.ats, rows: [] };
    way.rows.push(row);
    keys.set(key, way);
  }
  return [...keys.values()];
}

/** The rows of a way at one rate, or at the highest it was run at. */
const atRate = ({ rows }: Way, gbps = Math.max(...rows.map((row) => row.gbps))): FlushingRow[] =>
  rows.filter((row) => row.gbps === gbps);

/** What was delivered against what was offered, by way of mapping. */
function delivered(rows: readonly FlushingRow[], ats: boolean): Figure {
  const ways = waysOf(rows).filter((way) => way.ats === ats || way.name === "off");
  const rates = distinct(rows, "gbps").sort((a, b) => a - b);
  const most = Math.max(...ways.flatMap((way) => atRate(way).map(({ inGbps }) => inGbps)));
  return dotFigure({
    title: ats ? "Packets that a host takes, with ATS" : "Packets that a host takes",
    caption: `Each row is a way of mapping with its rule for flushes${ats ? ", with a card that caches translations" : ""}; each dot a rate of the wire, as far right as packets of it are taken. Page by page and strict ways stand still whatever the wire brings: the invalidation queue takes about one command a microsecond.`,
    labels: ways.map(({ title }) => title),
    x: { title: "received", unit: "Gb/s", range: [0, 1.05 * most] },
    series: rates.map((gbps) => {
      const values = ways.map((way) =>
        atRate(way, gbps).length > 0 ? estimate(atRate(way, gbps), "inGbps") : undefined,
      );
      return {
        name: `wire of ${gbps} Gb/s`,
        values: values.map((value) => value?.mean ?? null),
        low: values.map((value) => value?.low ?? 0),
        high: values.map((value) => value?.high ?? 0),
      };
    }),
  });
}

const labelOf = ({ title, ats }: Way): string => (ats ? `${title}, ATS` : title);

/** Bars of a column for each way of mapping that translates, at the highest rate. */
function bars(ways: readonly Way[], column: NumberColumn<FlushingRow>, scale = 1) {
  return barsOf(
    ways.map((way) => estimate(atRate(way), column)),
    scale,
  );
}
const translating = (rows: readonly FlushingRow[]): Way[] => waysOf(rows).filter(({ name }) => name !== "off");

/** What the bars of all ways share. */
const byWay = (ways: readonly Way[]) => ({
  categories: ways.map(labelOf),
  x: { title: "way of mapping", unit: "" },
  lying: true,
  layout: { height: 120 + 44 * ways.length },
});

/** Misses a packet by what was missed, at the highest rate. */
function missesFigure(rows: readonly FlushingRow[]): Figure {
  const ways = translating(rows);
  return barFigure({
    title: "Misses a packet, by what was missed",
    caption:
      "Requests that found nothing in the IOTLB, per packet in either direction, at the highest rate. A buffer misses once, whatever the rule: it is new. What a rule changes is how often the rings, which are always in use, have to be looked up again.",
    ...byWay(ways),
    y: { title: "misses a packet", unit: "" },
    series: [
      { name: "buffers", ...bars(ways, "bufferMisses"), place: 0 },
      { name: "descriptor rings", ...bars(ways, "ringMisses"), place: 1 },
    ],
  });
}

/** The cores and the highest rate of a run, for a title. */
function atMost(rows: readonly FlushingRow[]): string {
  const most = (values: readonly number[]) => Math.max(0, ...values);
  return `${most(rows.map(({ cores }) => cores))} cores, ${most(rows.map(({ gbps }) => gbps))} Gb/s`;
}

/** Where the cores' time goes because of invalidations, at the highest rate. */
function timeFigure(rows: readonly FlushingRow[]): Figure {
  const ways = translating(rows);
  return barFigure({
    title: `Time in invalidations: ${atMost(rows)}`,
    caption:
      "Share of all cores' time, at the highest rate: the invalidations themselves with their polls, and spinning on locks, which here is mostly the invalidation queue's. One flush of everything makes both small; a command a page fills the day.",
    ...byWay(ways),
    y: { title: "share of the cores' time", unit: "%" },
    series: [
      {
        name: "invalidation and its polls",
        ...bars(ways, "invalidating", 100),
        look: lookOf("part", "invalidation"),
      },
      { name: "spinning on locks", ...bars(ways, "spinning", 100), look: lookOf("part", "spinning") },
    ],
  });
}

/** The cost of a miss as the counters have it, over the true one. */
function visibility(rows: readonly FlushingRow[]): Figure {
  const seen = rows.filter((row) => row.missNs > 0 && row.inferredByOccupancy > 0);
  const series = (
    name: string,
    column: "inferredByReads" | "inferredByOccupancy" | "inferredWithQueue",
    place: number,
  ) => ({
    name,
    x: seen.map((row) => row.missNs),
    y: seen.map((row) => row[column]),
    mode: "markers" as const,
    place,
  });
  const most = Math.max(1, ...seen.map((row) => row.missNs));
  return lineFigure({
    title: "The cost of a miss, inferred from counters",
    caption:
      "Each mark is a run. To the right, what a miss really cost; upwards, what the counters alone say. Occupancy over walks is the time of a walk, and right as long as misses do not wait for a walker.",
    x: { title: "true mean wait of a miss", unit: "ns", log: true },
    y: { title: "inferred", unit: "ns", log: true },
    series: [
      series("reads × time of a read", "inferredByReads", 1),
      series("walk occupancy ÷ walks", "inferredByOccupancy", 0),
      series("the same, with a queue", "inferredWithQueue", 2),
      { name: "right", x: [100, most], y: [100, most], mode: "lines" as const, dash: true, place: 7 },
    ],
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<FlushingRow, Settings>>> = {
  delivered: (rows) => delivered(rows, false),
  "delivered-ats": (rows) => delivered(rows, true),
  misses: missesFigure,
  time: timeFigure,
  visibility,
};
