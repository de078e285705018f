import { barFigure, type Figure, heatmapFigure, lineFigure } from "../../plot/index.js";
import type { Interval, Row } from "../experiment.js";
import { baselineOf, type Recovery, recoveries } from "./estimates.js";

const number = (row: Row, column: string): number => Number(row[column]);
const percent = (value: number): number => 100 * value;
const means = (intervals: readonly Interval[], scale = 1) => ({
  values: intervals.map((i) => scale * i.mean),
  low: intervals.map((i) => scale * i.low),
  high: intervals.map((i) => scale * i.high),
});
const policyTitles: Record<string, string> = {
  deferred: "deferred (v4.3)",
  strict: "strict (v4.3)",
  "thread-deferred": "deferred, the thread's wording",
  "thread-strict": "strict, the thread's wording",
};

/** Nodes at boot and in steady state, unmerged and merged, for each source and layout. */
export function nodesFigure(rows: readonly Row[]): Figure {
  const all = rows.filter((r) => r["part"] === "structure" && r["source"] !== "generated");
  const label = (r: Row) => `${r["source"]}, ${r["layout"]}, ${r["when"]}`;
  const categories = [...new Set(all.map(label))];
  return barFigure({
    title: "How many nodes merging leaves",
    caption:
      'Recorded requests of two drivers, for the NIC with the most requests. "v4.3 addresses": the same requests, addresses chosen by the tree of v4.3. "As recorded": the addresses that Linux 6.1 chose. Steady state: mean over the second half of the load; bars from the lowest to the highest sample.',
    categories,
    x: { title: "requests and moment", unit: "" },
    y: { title: "nodes", unit: "", log: true },
    series: ["unmerged", "merged"].map((tree) => {
      const mine = categories.map((c) => all.find((r) => label(r) === c && r["tree"] === tree) as Row);
      return {
        name: tree,
        values: mine.map((r) => number(r, "nodes")),
        low: mine.map((r) => number(r, "nodesLow")),
        high: mine.map((r) => number(r, "nodesHigh")),
      };
    }),
  });
}

/** Depth against the number of static maps, with what the thread saw. */
export function depthFigure(rows: readonly Row[]): Figure {
  const all = rows.filter((r) => r["source"] === "generated" && r["when"] === "boot");
  const x = [...new Set(all.map((r) => number(r, "staticMaps")))].sort((a, b) => a - b);
  const of = (tree: string, column: string) =>
    x.map((n) => number(all.find((r) => r["tree"] === tree && r["staticMaps"] === n) as Row, column));
  return lineFigure({
    title: "Depth of the tree at boot",
    caption:
      "Static maps of one page, handed out downwards. The tree grows at its low end only, so its deepest path is nearly twice its mean depth. The thread says 14 to 16 levels.",
    x: { title: "static maps", unit: "", log: true },
    y: { title: "levels", unit: "", range: [0, 32] },
    series: [
      { name: "unmerged, deepest node", x, y: of("unmerged", "maxDepth") },
      { name: "unmerged, mean node", x, y: of("unmerged", "meanDepth") },
      { name: "merged, deepest node", x, y: of("merged", "maxDepth") },
      { name: "the thread: 14", x, y: x.map(() => 14), mode: "lines", dash: true },
      { name: "the thread: 16", x, y: x.map(() => 16), mode: "lines", dash: true },
    ],
  });
}

/** Cycles of one map and unmap in the tree, by footprint of other work. */
export function walkFigure(rows: readonly Row[]): Figure {
  const all = rows.filter((r) => r["part"] === "walk");
  const x = [...new Set(all.map((r) => number(r, "footprintLines")))].sort((a, b) => a - b);
  const most = Math.max(...all.map((r) => number(r, "staticMaps")));
  const mine = all.filter((r) => r["staticMaps"] === most);
  const categories = x.map((lines) => (lines === 0 ? "nothing" : `${Math.round((lines * 64) / 1024)} KiB`));
  return barFigure({
    title: "Cycles in the tree for one map and its unmap",
    caption: `One core, ${most.toLocaleString("en")} static maps. Between two operations the core touches this much other memory: nothing (warm), more than its L2 (256 KiB), more than the L3 (20 MiB). Lookup and free are the unmap.`,
    categories,
    x: { title: "other work between two operations", unit: "" },
    y: { title: "cycles", unit: "cycles" },
    series: ["unmerged", "merged"].flatMap((tree) =>
      ["allocate", "find", "free"].map((step) => ({
        name: `${tree}: ${step === "find" ? "lookup" : step}`,
        values: x.map((lines) => {
          const found = mine.filter((r) => r["tree"] === tree && r["step"] === step && r["footprintLines"] === lines);
          return found.reduce((sum, r) => sum + number(r, "cycles"), 0) / Math.max(found.length, 1);
        }),
      })),
    ),
  });
}

/** Throughput off, stock and merged, for each policy. */
export function throughputFigure(rows: readonly Row[]): Figure {
  const all = recoveries(rows).filter((r) => r.part === "recovery");
  const pick = (get: (r: Recovery) => Interval) => means(all.map(get), 1e-3);
  return barFigure({
    title: "Throughput without an IOMMU, with the tree of v4.3, and merged",
    caption:
      "16 cores, 200 threads of TCP_RR, 32,768 static maps, a driver that maps both ways. Interval: 95 % over the seeds.",
    categories: all.map((r) => policyTitles[r.policy] ?? r.policy),
    x: { title: "policy", unit: "" },
    y: { title: "throughput", unit: "thousand transactions/s" },
    series: [
      { name: "no IOMMU", ...pick((r) => r.off) },
      { name: "tree of v4.3", ...pick((r) => r.stock) },
      { name: "merged nodes", ...pick((r) => r.merged) },
    ],
  });
}

/** The three readings of "a third", for each policy. */
export function readingsFigure(rows: readonly Row[]): Figure {
  const all = recoveries(rows).filter((r) => r.part === "recovery");
  const pick = (get: (r: Recovery) => Interval) => means(all.map(get), 100);
  const lessOne = (i: Interval): Interval => ({ ...i, mean: i.mean - 1, low: i.low - 1, high: i.high - 1 });
  return barFigure({
    title: '"A third of the performance back", read in three ways',
    caption:
      "A third is 33 %. Plain: the share of the lost throughput that came back. Gain: how much more than before. Level: merged as a share of no IOMMU. Interval: 95 % over the seeds.",
    categories: all.map((r) => policyTitles[r.policy] ?? r.policy),
    x: { title: "policy", unit: "" },
    y: { title: "value of the reading", unit: "%" },
    series: [
      { name: "plain: of what was lost", ...pick((r) => r.gapShare) },
      { name: "gain over the stock tree", ...pick((r) => lessOne(r.ratio)) },
      { name: "level: of no IOMMU", ...pick((r) => r.mergedOfOff) },
    ],
  });
}

/** The plain reading when one assumption changes. */
export function sweepFigure(rows: readonly Row[]): Figure {
  const found = recoveries(rows);
  const base = baselineOf(found);
  const all = [...found.filter((r) => r.part === "recovery"), ...found.filter((r) => r.part === "sweep")];
  const title = (r: Recovery) =>
    r.part === "recovery"
      ? r === base
        ? "baseline"
        : (policyTitles[r.policy] ?? r.policy)
      : `${r.assumption}: ${r.level}`;
  return lineFigure({
    title: "What merging gives back, one assumption changed at a time",
    caption: `Share of the lost throughput that came back. Dashed: one third. Everything not named is as in the baseline (16 cores, ticket lock, deferred, both directions). Interval: 95 %, deviation pooled over the settings.`,
    x: { title: "of the lost throughput", unit: "%", range: [0, 100] },
    y: { title: "", unit: "" },
    series: [
      {
        name: "merged nodes",
        x: all.map((r) => percent(r.gapShare.mean)),
        y: all.map((_, i) => all.length - i),
        mode: "markers",
      },
      { name: "one third", x: [100 / 3, 100 / 3], y: [0.5, all.length + 0.5], mode: "lines", dash: true },
    ],
    layout: {
      height: 120 + 24 * all.length,
      yaxis: {
        tickvals: all.map((_, i) => all.length - i),
        ticktext: all.map(title),
        automargin: true,
      },
      shapes: all.map((r, i) => ({
        type: "line",
        x0: percent(r.gapShare.low),
        x1: percent(r.gapShare.high),
        y0: all.length - i,
        y1: all.length - i,
        line: { width: 2, color: "#0072b2" },
      })),
    },
  });
}

/** The region: cores against stack work. */
export function regionFigure(rows: readonly Row[]): Figure {
  const all = recoveries(rows).filter((r) => r.part === "region");
  const cores = [...new Set(all.map((r) => Number(r.assumption)))].sort((a, b) => a - b);
  const shares = [...new Set(all.map((r) => Number(r.level)))].sort((a, b) => a - b);
  const at = (n: number, share: number) => all.find((r) => Number(r.assumption) === n && Number(r.level) === share);
  const cell = <T>(make: (r: Recovery) => T, none: T) =>
    shares.map((share) =>
      cores.map((n) => {
        const r = at(n, share);
        return r ? make(r) : none;
      }),
    );
  return heatmapFigure({
    title: "Where merging gives about a third of the loss back",
    caption:
      "Each cell: share of the lost throughput that came back, below it what the stock tree keeps of no IOMMU. A third is 33 %. Deferred, both directions; one seed a cell at quick fidelity.",
    x: { title: "cores", unit: "" },
    y: { title: "stack work of a transaction", unit: "multiple of PE1" },
    z: { title: "of the lost throughput", unit: "%" },
    xValues: cores.map(String),
    yValues: shares.map(String),
    zValues: cell<number | null>((r) => percent(r.gapShare.mean), null),
    text: cell(
      (r) => `${percent(r.gapShare.mean).toFixed(0)} %<br>stock keeps ${percent(r.stockOfOff.mean).toFixed(0)} %`,
      "",
    ),
  });
}

/** What is left of the gain when a part of the mechanism is taken away. */
export function ablationFigure(rows: readonly Row[]): Figure {
  const found = recoveries(rows);
  const base = baselineOf(found);
  const all = [...(base ? [base] : []), ...found.filter((r) => r.part === "ablation")];
  return barFigure({
    title: "Which mechanism carries the gain",
    caption:
      "Throughput under the deferred policy, with one part of the mechanism taken away from both trees. The gain from merging is the distance between two bars of a pair. Interval: 95 %, deviation pooled over the settings.",
    categories: all.map((r) => (r === base ? "baseline" : r.level)),
    x: { title: "what is taken away", unit: "" },
    y: { title: "throughput", unit: "thousand transactions/s" },
    series: [
      {
        name: "tree of v4.3",
        ...means(
          all.map((r) => r.stock),
          1e-3,
        ),
      },
      {
        name: "merged nodes",
        ...means(
          all.map((r) => r.merged),
          1e-3,
        ),
      },
    ],
  });
}
