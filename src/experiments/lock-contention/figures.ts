import { type Part, parts, variant } from "../../dma/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { barFigure, type Figure, heatmapFigure, lineFigure, lookOf, measuredLook } from "../../plot/index.js";
import { distinct, estimate, type NumberColumn, where } from "../frame/rows.js";
import { observed, settings } from "./alike.js";
import { gridRatio } from "./grid.js";
import { type LockContentionRow as Row, spinLocks } from "./rows.js";
import { axisOf, comparedIn, type Group, type Line, linesOf, seriesOf } from "./series.js";
import { atTheEnd, falling, intervals, joined, levelling } from "./wording.js";

/** A line across the picture for a lock whose hand-off is not swept. */
function level(rows: readonly Row[], name: string, x: readonly number[], of: (row: Row) => number) {
  const e = estimate(rows, of);
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

/** What the names of the breakdown's parts mean, where they do not say it. */
const meanings: Partial<Record<Part, string>> = {
  stack: "Stack: all work but mapping.",
  spinning: "Spinning: waiting for a spinlock.",
  api: "Api: the calls' own checks and arithmetic.",
  waiting: "Waiting: idle, until the peer answers.",
};

/** One value of an axis in words: "1 core", "16 cores". */
const counted = (n: number, axis: string): string => `${n} ${n === 1 ? axis.slice(0, -1) : axis}`;

/** Lines over cores, or bars where they would join two points only: between them the throughput may well have its peak. */
function overCores(
  spec: { title: string; caption: string; axis: "cores" | "threads"; y: { title: string; unit: string } },
  lines: readonly Line[],
): Figure {
  const { title, caption, axis, y } = spec;
  const x = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const everywhere = lines.every((line) => line.x.length === x.length);
  if (x.length > 2 || !everywhere)
    return lineFigure({ title, caption, x: { title: axis, unit: "", log: axis === "threads" }, y, series: lines });
  return barFigure({
    title,
    caption,
    categories: x.map((n) => counted(n, axis)),
    x: { title: "", unit: "" },
    y,
    series: lines.map(({ name, look, y: values, low, high }) => ({
      name,
      look,
      hatched: look.dash === "dot",
      values,
      low,
      high,
    })),
  });
}

/** How many pools a variant has; 0 for one of another allocator. */
const poolsOf = (row: Row): number => {
  const { pools = 0 } = variant(row.variant);
  return pools === "cpus" ? row.cores : pools;
};

/** Throughput over the number of pools, a line for each number of cores. */
function overPools(rows: readonly Row[]): Figure {
  const cores = distinct(rows, "cores").sort((a, b) => a - b);
  const pools = [...new Set(rows.map(poolsOf))].sort((a, b) => a - b);
  const lines = cores.map((n) => {
    const at = pools.map((count) =>
      estimate(
        rows.filter((row) => row.cores === n && poolsOf(row) === count),
        "throughput",
      ),
    );
    const thousands = (pick: (e: (typeof at)[number]) => number) => at.map((e) => pick(e) / 1000);
    return {
      name: counted(n, "cores"),
      x: pools,
      y: thousands((e) => e.mean),
      low: thousands((e) => e.low),
      high: thousands((e) => e.high),
    };
  });
  const most = lines[lines.length - 1];
  const ways = distinct(rows, "title").map((title) => title.replace(/^\d+ pools?, /, ""));
  return lineFigure({
    title: `Throughput against pools (${[...new Set(ways)].join(", ")})`,
    caption: joined(
      `At ${most.name}: ${pools.map((count, i) => `${counted(count, "pools")} ${most.y[i].toFixed(0)}`).join("; ")} thousand transactions a second.`,
      intervals(rows),
    ),
    x: { title: "pools", unit: "", log: true },
    y: { title: "throughput", unit: "thousand transactions/s" },
    series: lines,
  });
}

/** Of the rows at the same cores or threads, and of the same replication, the one that agrees with `row` in most settings. */
function nearest(rows: readonly Row[], row: Row, axis: "cores" | "threads"): Row | undefined {
  const agreement = (other: Row) => settings().filter((name) => other[name] === row[name]).length;
  return rows
    .filter((other) => other[axis] === row[axis] && other.replication === row.replication)
    .reduce<Row | undefined>((best, o) => (best && agreement(best) >= agreement(o) ? best : o), undefined);
}

/** A share of the cores' time in each group, in percent, with its interval where there is more than one run. */
function shares(groups: readonly { rows: readonly Row[] }[], column: NumberColumn<Row>) {
  const at = groups.map(({ rows }) => estimate(rows, column));
  // The interval of two runs can reach beyond what a share can be: nothing, or all of the time.
  const percent = (pick: (e: (typeof at)[number]) => number) =>
    at.map((e) => Math.min(100, Math.max(0, 100 * pick(e))));
  const values = percent((e) => e.mean);
  return at.every(({ n }) => n < 2) ? { values } : { values, low: percent((e) => e.low), high: percent((e) => e.high) };
}

/** What the strokes on stacked shares are, where there are any. */
const strokes = (rows: readonly Row[]): string =>
  distinct(rows, "replication").length > 1
    ? "Strokes: the lower half of each share's 95 % interval over independent runs."
    : "";

const drawn: Record<string, (rows: readonly Row[], facts: Facts) => Figure> = {
  throughput: (rows) => {
    const axis = axisOf(rows);
    if (distinct(rows, "variant").length > 2 && rows.every((row) => poolsOf(row) > 0)) return overPools(rows);
    const lines = linesOf(seriesOf(rows), axis, "throughput", 1e-3);
    return overCores(
      {
        title: `Throughput against ${axis}: ${comparedIn(rows)}`,
        caption: joined(
          "Thousands of transactions a second of one host.",
          atTheEnd(lines, axis, (value) => value.toFixed(0)),
          falling(lines, axis),
          axis === "threads" ? levelling(lines) : "",
          intervals(rows),
        ),
        axis,
        y: { title: "throughput", unit: "thousand transactions/s" },
      },
      lines,
    );
  },
  relative: (rows, facts) => {
    const axis = axisOf(rows);
    const off = where(rows, { variant: "off" });
    if (off.length === 0) throw new Error('The figure "relative" needs the variant "off" among the variants.');
    const percent = (row: Row) => {
      const base = nearest(off, row, axis);
      return base ? [{ ...row, percent: (100 * row.throughput) / base.throughput }] : [];
    };
    const groups = seriesOf(rows)
      .filter((group) => group.rows[0].variant !== "off")
      .map((group) => ({ ...group, rows: group.rows.flatMap(percent) }))
      .filter((group) => group.rows.length > 0);
    const shown = groups.flatMap((group) => group.rows);
    const lines = linesOf(groups, axis, "percent");
    const measured = (100 * facts.number("PE2")) / facts.number("PE1");
    const comparable = axis === "cores" && distinct(shown, "variant").includes("deferred");
    return lineFigure({
      title: `Share of IOMMU off: ${comparedIn(shown)}`,
      caption: joined(
        atTheEnd(lines, axis, (value) => `${value.toPrecision(value < 10 ? 2 : 3)} %`),
        comparable
          ? `Empty circle: the measured host kept ${Math.round(measured)} % with its default, deferred mapping at 16 cores (record PE2 of data/, not used to set any parameter).`
          : "",
        intervals(shown),
      ),
      x: { title: axis, unit: "", ...(axis === "cores" ? {} : { log: true }) },
      y: { title: "throughput", unit: "% of off", range: [0, 105] },
      series: [
        ...lines,
        ...(comparable
          ? [
              {
                name: "measured, deferred",
                x: [16],
                y: [measured],
                mode: "markers" as const,
                // Around the simulated point, which may lie on it.
                diameter: 14,
                look: measuredLook(lookOf("way", "deferred")),
              },
            ]
          : []),
      ],
    });
  },
  breakdown: (rows) => {
    const most = Math.max(...distinct(rows, "cores"));
    const byThreads = axisOf(rows) === "threads";
    const groups: Pick<Group, "name" | "rows">[] = byThreads
      ? seriesOf(rows).flatMap(({ name, rows: members }) =>
          distinct(members, "threads").map((n) => ({
            name: `${name}, ${n} thread${n === 1 ? "" : "s"}`,
            rows: where(members, { threads: n }),
          })),
        )
      : distinct(rows, "variant").length > 1
        ? seriesOf(where(rows, { cores: most }))
        : distinct(rows, "cores").map((cores) => ({ name: `${cores} cores`, rows: where(rows, { cores }) }));
    const all = parts.map((part) => ({ name: part, look: lookOf("part", part), ...shares(groups, `share: ${part}`) }));
    const drawn = all.filter(({ values }) => values.some((value) => value > 0));
    const spinning = all.find(({ name }) => name === "spinning")?.values ?? [];
    const few = groups.length <= 4;
    const spun = groups.map((group, i) => `${group.name} ${spinning[i].toFixed(0)} %`);
    return barFigure({
      title: byThreads
        ? `Where the time of ${most} cores goes, by threads`
        : distinct(rows, "variant").length > 1
          ? `Where the time of ${counted(most, "cores")} goes: ${comparedIn(rows)}`
          : "Where the cores' time goes",
      caption: joined(
        "Shares of all cores' time; they sum to one.",
        few ? `Spinning: ${spun.join("; ")}.` : `Most spinning: ${spun[spinning.indexOf(Math.max(...spinning))]}.`,
        drawn.flatMap(({ name }) => meanings[name] ?? []).join(" "),
        strokes(rows),
      ),
      categories: groups.map((group) => group.name),
      x: { title: "", unit: "" },
      y: { title: "share of the cores' time", unit: "%", range: [0, 100] },
      stacked: true,
      lying: groups.length > 8,
      series: drawn,
    });
  },
  map: (rows) => {
    const mapped = distinct(rows, "variant").filter((name) => name !== "off");
    if (mapped.length === 0 || where(rows, { variant: "off" }).length === 0)
      throw new Error('The figure "map" needs the variant "off" and one other among the variants.');
    const { pairs, stack, values } = gridRatio(rows, mapped[0], "off");
    const sides = rows[0].profile === "both" ? 2 : 1;
    return heatmapFigure({
      title: `What is left of IOMMU off: ${where(rows, { variant: mapped[0] })[0].title}`,
      caption: `Each cell: what is left, in percent${distinct(rows, "replication").length > 1 ? "" : ", of one run"}. The two free quantities of the workload: pairs of map and unmap a transaction, and the work that a transaction needs besides.`,
      x: { title: "map and unmap a transaction", unit: "pairs" },
      y: { title: "stack work a transaction", unit: "µs" },
      z: { title: "throughput", unit: "% of off", range: [0, 100] },
      xValues: pairs.map((n) => `${n * sides} pair${n * sides === 1 ? "" : "s"}`),
      yValues: stack.map((us) => `${Math.round(us * 10) / 10} µs`),
      zValues: values.map((line) => line.map((v) => 100 * v)),
      text: values.map((line) => line.map((v) => `${Math.round(100 * v)}`)),
    });
  },
  handoff: (rows) => {
    const mapped = rows.filter((row) => row.variant !== "off");
    const swept = mapped.filter((row) => row.handoffCycles !== null);
    const x = [...new Set(swept.flatMap(({ handoffCycles }) => handoffCycles ?? []))].sort((a, b) => a - b);
    const most = Math.max(...distinct(rows, "cores"));
    const at = (row: Row) => row.cores === most;
    if (x.length < 2)
      throw new Error(
        'The figure "handoff" needs two or more numbers in handoffCycles, as ["modelled", 0, 50, 100], and the ticket lock.',
      );
    const titles = distinct(swept, "title");
    const name = (title: string, lock: string) => (titles.length > 1 ? `${lock}, ${title}` : lock);
    const thousands = (row: Row) => row.throughput / 1000;
    return lineFigure({
      title: "A hand-off that grows with the waiters",
      caption: `${most} cores. Solid: a ticket lock whose hand-off takes this many cycles more for each other waiter. Dashed: the same lock as the simulated caches make it, and a queued lock, which tells one waiter only. Bars are 95 % intervals over independent runs.`,
      x: { title: "cost of a hand-off for each other waiter", unit: "cycles" },
      y: { title: "throughput", unit: "thousand transactions/s" },
      series: titles.flatMap((title) => {
        const mine = mapped.filter((row) => row.title === title && at(row));
        const e = x.map((handoffCycles) => estimate(where(mine, { handoffCycles }), thousands));
        const others = distinct(mine, "lock").flatMap((lock) => {
          const rest = where(mine, { lock, handoffCycles: null });
          const kind = lock === "ticket" ? "ticket lock, as the caches make it" : `${lock} lock`;
          return rest.length > 0 ? [level(rest, name(title, kind), [x[0], x[x.length - 1]], thousands)] : [];
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
  utilisation: (rows) => {
    const axis = axisOf(rows);
    const groups = seriesOf(rows).filter((group) => group.rows.some((row) => row["allocator: a transaction"] > 0));
    const lines = linesOf(groups, axis, "allocator: utilisation", 100);
    const trees = groups.every((group) => variant(group.rows[0].variant).allocator.startsWith("rbtree"));
    const lock = trees ? "tree lock" : "allocator's busiest lock";
    return lineFigure({
      title: `How busy the ${lock} is`,
      caption: joined(
        "Share of the time in which it is held. At 100 % only shorter holds can make the host faster.",
        atTheEnd(lines, axis, (value) => `${value.toFixed(0)} %`),
        intervals(groups.flatMap((group) => group.rows)),
      ),
      x: { title: axis, unit: "" },
      y: { title: `${lock} held`, unit: "% of the time", range: [0, 105] },
      series: lines,
    });
  },
  visits: (rows) => {
    const axis = axisOf(rows);
    const groups = seriesOf(rows).filter((group) => group.rows.some((row) => row.visitsPerMap > 0));
    const lines = linesOf(groups, axis, "visitsPerMap");
    return lineFigure({
      title: "How many nodes an allocation looks at",
      caption: joined(
        "Mean over all maps, on a logarithmic axis: how long the search for a free address is, with the lock held.",
        atTheEnd(lines, axis, (value) => value.toFixed(0)),
        intervals(groups.flatMap((group) => group.rows)),
      ),
      x: { title: axis, unit: "" },
      y: { title: "looked at by an allocation", unit: "nodes", log: true },
      series: lines,
    });
  },
  spinning: (rows) => {
    const most = Math.max(...distinct(rows, "cores"));
    const groups = seriesOf(where(rows, { cores: most }));
    const waits = spinLocks.map((lock) => ({
      name: lock,
      look: lookOf("lock", lock),
      ...shares(groups, `spin: ${lock}`),
    }));
    const drawn = waits.filter(({ values }) => values.some((value) => value > 0));
    const first = groups.flatMap((group, i) => {
      const [longest] = [...waits].sort((a, b) => b.values[i] - a.values[i]);
      return longest.values[i] >= 1 ? [`${group.name} ${longest.name}, ${longest.values[i].toFixed(0)} %`] : [];
    });
    return barFigure({
      title: `Which lock ${counted(most, "cores")} wait${most === 1 ? "s" : ""} for: ${comparedIn(rows)}`,
      caption: joined(
        "Share of all cores' time spent spinning on each lock. The allocator's lock is the tree's (iova_rbtree_lock), a magazine's or a pool's.",
        first.length > 0 ? `Longest: ${first.join("; ")}.` : "",
        strokes(rows),
      ),
      categories: groups.map((group) => group.name),
      x: { title: "", unit: "" },
      y: { title: "share of the cores' time", unit: "%", range: [0, 100] },
      stacked: true,
      series: drawn.length > 0 ? drawn : waits.slice(0, 1),
    });
  },
};

/** The figures, by name, each of runs that are counted once: what it shows stands in its caption. */
export const figures: Record<string, (rows: readonly Row[], config: unknown, basis: Basis) => Figure> =
  Object.fromEntries(
    Object.entries(drawn).map(([name, draw]) => [
      name,
      (rows: readonly Row[], _config: unknown, { facts }: Basis) => draw(observed(rows), facts),
    ]),
  );
