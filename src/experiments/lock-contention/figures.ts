import { parts } from "../../dma/index.js";
import { factNumber } from "../../facts/index.js";
import { barFigure, type Figure, heatmapFigure, lineFigure } from "../../plot/index.js";
import type { Row } from "../experiment.js";
import { distinct, estimate, where } from "./estimate.js";
import { gridRatio } from "./sensitivity.js";

/** Columns that a configuration can sweep, with a name for a legend; the first that varies besides cores splits the lines. */
const splitters: readonly [string, string][] = [
  ["lock", "lock"],
  ["profile", "profile"],
  ["ats", "ATS"],
  ["coherent", "coherent"],
  ["staticMaps", "static maps"],
  ["holes", "holes"],
  ["mapsPerSide", "maps a side"],
  ["stackMicroseconds", "stack µs"],
  ["stackLines", "stack lines"],
  ["twoPageShare", "two-page share"],
  ["storeOverlap", "store overlap"],
  ["invalidationCycles", "invalidation cycles"],
  ["serialShare", "serial share"],
  ["handoffPercent", "hand-off %"],
  ["handoffCycles", "cycles a waiter"],
];

/** Rows in groups that differ in nothing but cores, threads and replication; each with a name that says what is special. */
export function seriesOf(rows: readonly Row[]): { name: string; rows: Row[] }[] {
  const varying = splitters.filter(([column]) => distinct(rows, column).length > 1);
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = [row["title"], ...varying.map(([column, label]) => `${label} ${row[column]}`)].join(" · ");
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return [...groups].map(([name, members]) => ({ name, rows: members }));
}

const against = (axis: "cores" | "threads", rows: readonly Row[], column: string, scale = 1) =>
  seriesOf(rows).map(({ name, rows: members }) => {
    const x = distinct<number>(members, axis).sort((a, b) => a - b);
    const at = x.map((value) => estimate(where(members, { [axis]: value }), column));
    return {
      name,
      x,
      y: at.map((e) => e.mean * scale),
      low: at.map((e) => e.low * scale),
      high: at.map((e) => e.high * scale),
    };
  });

/** A line across the picture for a lock whose hand-off is not swept. */
function level(rows: readonly Row[], name: string, x: readonly number[], column: string) {
  const e = estimate(rows, column);
  return {
    name,
    x: [...x],
    y: x.map(() => e.mean),
    low: x.map(() => e.low),
    high: x.map(() => e.high),
    dash: true,
    mode: "lines" as const,
  };
}

/** The axis that the rows vary along: cores, unless only the threads do. */
const axisOf = (rows: readonly Row[]): "cores" | "threads" =>
  distinct(rows, "cores").length === 1 && distinct(rows, "threads").length > 1 ? "threads" : "cores";

/** The figures, by name: what each shows stands in its caption. */
export const figures: Record<string, (rows: readonly Row[]) => Figure> = {
  throughput: (rows) => {
    const axis = axisOf(rows);
    return lineFigure({
      title: `Throughput against ${axis}`,
      caption: "Transactions a second of one host; bars are 95 % intervals over independent runs.",
      x: { title: axis, unit: "", ...(axis === "cores" ? {} : { log: true }) },
      y: { title: "throughput", unit: "thousand transactions/s" },
      series: against(axis, rows, "throughput", 1e-3),
    });
  },
  relative: (rows) => {
    const axis = axisOf(rows);
    const off = where(rows, { variant: "off" });
    if (off.length === 0) throw new Error('The figure "relative" needs the variant "off" among the variants.');
    const percent = rows
      .filter((row) => row["variant"] !== "off")
      .flatMap((row) => {
        const base = off.find((o) => o[axis] === row[axis] && o["replication"] === row["replication"]);
        return base ? [{ ...row, percent: (100 * Number(row["throughput"])) / Number(base["throughput"]) }] : [];
      });
    return lineFigure({
      title: "Throughput as a share of IOMMU off",
      caption: `The measured host kept ${Math.round((100 * factNumber("PE2")) / factNumber("PE1"))} % with its default, deferred mapping at 16 cores (record PE2, not used to set any parameter).`,
      x: { title: axis, unit: "" },
      y: { title: "throughput", unit: "% of off", range: [0, 105] },
      series: [
        ...against(axis, percent, "percent"),
        ...(axis === "cores" && distinct(percent, "variant").includes("deferred")
          ? [
              {
                name: "measured, deferred (PE2)",
                x: [16],
                y: [(100 * factNumber("PE2")) / factNumber("PE1")],
                mode: "markers" as const,
              },
            ]
          : []),
      ],
    });
  },
  breakdown: (rows) => {
    const most = Math.max(...distinct<number>(rows, "cores"));
    const groups =
      axisOf(rows) === "threads"
        ? seriesOf(rows).flatMap(({ name, rows: members }) =>
            distinct<number>(members, "threads").map((n) => ({
              name: `${name}, ${n} thread${n === 1 ? "" : "s"}`,
              rows: where(members, { threads: n }),
            })),
          )
        : distinct(rows, "variant").length > 1
          ? seriesOf(where(rows, { cores: most }))
          : distinct<number>(rows, "cores").map((cores) => ({ name: `${cores} cores`, rows: where(rows, { cores }) }));
    return barFigure({
      title:
        distinct(rows, "variant").length > 1 ? `Where the time of ${most} cores goes` : "Where the cores' time goes",
      caption: "Shares of all cores' time; they sum to one. Spinning is time waiting for a spinlock.",
      categories: groups.map((group) => group.name),
      x: { title: "", unit: "" },
      y: { title: "share of the cores' time", unit: "%", range: [0, 100] },
      stacked: true,
      series: parts.map((part) => ({
        name: part,
        values: groups.map((group) => 100 * estimate(group.rows, `share: ${part}`).mean),
      })),
    });
  },
  map: (rows) => {
    const mapped = distinct<string>(rows, "variant").filter((name) => name !== "off");
    if (mapped.length === 0 || where(rows, { variant: "off" }).length === 0)
      throw new Error('The figure "map" needs the variant "off" and one other among the variants.');
    const { pairs, stack, values } = gridRatio(rows, mapped[0], "off");
    const sides = rows[0]["profile"] === "both" ? 2 : 1;
    return heatmapFigure({
      title: `${where(rows, { variant: mapped[0] })[0]["title"]}: what is left of IOMMU off`,
      caption:
        "The two free quantities of the workload: pairs of map and unmap a transaction, and the work that a transaction needs besides.",
      x: { title: "map and unmap a transaction", unit: "pairs" },
      y: { title: "stack work a transaction", unit: "µs" },
      z: { title: "throughput", unit: "% of off" },
      xValues: pairs.map((n) => `${n * sides} pair${n * sides === 1 ? "" : "s"}`),
      yValues: stack.map((us) => `${Math.round(us * 10) / 10} µs`),
      zValues: values.map((line) => line.map((v) => 100 * v)),
      text: values.map((line) => line.map((v) => `${Math.round(100 * v)}`)),
    });
  },
  handoff: (rows) => {
    const mapped = rows.filter((row) => row["variant"] !== "off");
    const swept = mapped.filter((row) => row["handoffCycles"] !== null);
    const x = distinct<number>(swept, "handoffCycles").sort((a, b) => a - b);
    const most = Math.max(...distinct<number>(rows, "cores"));
    const at = (row: Row) => row["cores"] === most;
    if (x.length < 2)
      throw new Error(
        'The figure "handoff" needs two or more numbers in handoffCycles, as ["modelled", 0, 50, 100], and the ticket lock.',
      );
    const titles = distinct<string>(swept, "title");
    const name = (title: string, lock: string) => (titles.length > 1 ? `${lock}, ${title}` : lock);
    const one = (row: Row) => ({ ...row, thousands: Number(row["throughput"]) / 1000 });
    return lineFigure({
      title: "A hand-off that grows with the waiters",
      caption: `${most} cores. Solid: a ticket lock whose hand-off takes this many cycles more for each other waiter. Dashed: the same lock as the simulated caches make it, and a queued lock, which tells one waiter only. Bars are 95 % intervals over independent runs.`,
      x: { title: "cost of a hand-off for each other waiter", unit: "cycles" },
      y: { title: "throughput", unit: "thousand transactions/s" },
      series: titles.flatMap((title) => {
        const mine = mapped.filter((row) => row["title"] === title && at(row)).map(one);
        const e = x.map((handoffCycles) => estimate(where(mine, { handoffCycles }), "thousands"));
        const others = distinct<string>(mine, "lock").flatMap((lock) => {
          const rest = where(mine, { lock, handoffCycles: null });
          const kind = lock === "ticket" ? "ticket lock, as the caches make it" : `${lock} lock`;
          return rest.length > 0 ? [level(rest, name(title, kind), [x[0], x[x.length - 1]], "thousands")] : [];
        });
        return [
          {
            name: name(title, "ticket lock, swept"),
            x,
            y: e.map((i) => i.mean),
            low: e.map((i) => i.low),
            high: e.map((i) => i.high),
          },
          ...others,
        ];
      }),
    });
  },
  utilisation: (rows) =>
    lineFigure({
      title: "How busy the tree lock is",
      caption:
        "Share of the time in which the allocator's busiest lock is held. At one, nothing else can make the host faster.",
      x: { title: axisOf(rows), unit: "" },
      y: { title: "allocator lock held", unit: "% of the time", range: [0, 105] },
      series: against(
        axisOf(rows),
        rows.filter((row) => Number(row["allocator: a transaction"]) > 0),
        "allocator: utilisation",
        100,
      ),
    }),
  spinning: (rows) => {
    const most = Math.max(...distinct<number>(rows, "cores"));
    const groups = seriesOf(where(rows, { cores: most }));
    const locks = ["allocator lock", "async_umap_flush_lock", "q_lock", "device_domain_lock"];
    return barFigure({
      title: `Which lock ${most} cores wait for`,
      caption: "Share of all cores' time spent spinning on each lock.",
      categories: groups.map((group) => group.name),
      x: { title: "", unit: "" },
      y: { title: "share of the cores' time", unit: "%", range: [0, 100] },
      stacked: true,
      series: locks.map((lock) => ({
        name: lock,
        values: groups.map((g) => 100 * estimate(g.rows, `spin: ${lock}`).mean),
      })),
    });
  },
};
