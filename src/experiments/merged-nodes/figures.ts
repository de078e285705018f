import type { Basis } from "../../facts/index.js";
import { driverProfile, hostRunDefaults } from "../../host/index.js";
import {
  barFigure,
  type DotSpec,
  dotFigure,
  type Figure,
  heatmapFigure,
  type Look,
  lineFigure,
  lookOf,
  wrap,
} from "../../plot/index.js";
import type { FigureMaker, Interval } from "../frame/experiment.js";
import { barsOf, distinct, mean, type NumberColumn, valuesOf, where } from "../frame/rows.js";
import { aboutAThird } from "../ignorance/margins.js";
import { type Assume, assumed } from "./assume.js";
import type { MergedNodesConfig } from "./config.js";
import { baselineOf, isAThird, lostGain, type Recovery, recoveries } from "./estimates.js";
import type { MergedNodesRow } from "./rows.js";
import { type Ablation, ablations, type PolicyName, regionAxes } from "./settings.js";
import type { StructureRow } from "./structure.js";
import type { WalkRow } from "./walk.js";

/** The trees and the steps, in the order of the pictures. */
const trees = ["unmerged", "merged"] as const;
const steps = ["allocate", "find", "free"] as const;
const percent = (value: number): number => 100 * value;
/** The two trees, as the ways of mapping that they make under the default policy. */
const stockLook = (): Look => lookOf("way", "deferred");
const mergedLook = (): Look => lookOf("way", "merged-deferred");
const treeLook = (tree: StructureRow["tree"]): Look => (tree === "merged" ? mergedLook() : stockLook());
/** A policy's name at the beginning of a sentence. */
const sentence = (policy: PolicyName): string => {
  const title = policyTitles[policy];
  return title.charAt(0).toUpperCase() + title.slice(1);
};
/** "2 to 12", or one number where they are the same. */
const fromTo = (values: readonly number[]): string => {
  const ends = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
  return [...new Set(ends)].join(" to ");
};
const policyTitles: Readonly<Record<PolicyName, string>> = {
  deferred: "deferred (v4.3)",
  strict: "strict (v4.3)",
  "thread-deferred": "deferred, the thread's wording",
  "thread-strict": "strict, the thread's wording",
};

/** Nodes at boot and in steady state, unmerged and merged, for each source and layout. */
function nodesFigure(rows: readonly MergedNodesRow[]): Figure {
  const all = rows.filter((r) => r.part === "structure").filter((r) => r.source !== "generated");
  const label = (r: StructureRow) => `${r.source}, ${r.layout}, ${r.when}`;
  const categories = [...new Set(all.map(label))];
  const left = (when: StructureRow["when"]) => fromTo(valuesOf(where(all, { tree: "merged", when }), "nodes"));
  return barFigure({
    title: "How many nodes merging leaves",
    caption: `Merged, ${left("boot")} nodes are left at boot and ${left("steady")} under load. Recorded requests of two drivers, for the NIC with the most requests. "v4.3 addresses": the same requests, addresses chosen by the tree of v4.3. "As recorded": the addresses that Linux 6.1 chose. Steady: mean over the second half of the load, strokes from the lowest to the highest sample. Logarithmic axis.`,
    categories,
    lying: true,
    x: { title: "requests and moment", unit: "" },
    y: { title: "nodes", unit: "", log: true },
    series: trees.map((tree) => {
      const mine = categories.map((c) => all.find((r) => label(r) === c && r.tree === tree) as StructureRow);
      return {
        name: tree,
        look: treeLook(tree),
        values: valuesOf(mine, "nodes"),
        low: valuesOf(mine, "nodesLow"),
        high: valuesOf(mine, "nodesHigh"),
      };
    }),
  });
}

/** The generated requests: a column's values by the number of static maps. */
function generatedOf(rows: readonly MergedNodesRow[]) {
  const all = rows.filter((r) => r.part === "structure").filter((r) => r.source === "generated");
  const x = [...new Set(all.flatMap((r) => r.staticMaps ?? []))].sort((a, b) => a - b);
  const of = (
    tree: StructureRow["tree"],
    when: StructureRow["when"],
    column: NumberColumn<StructureRow> | "maxDepth" | "meanDepth",
  ) => x.map((staticMaps) => where(all, { tree, when, staticMaps })[0][column] ?? Number.NaN);
  return { x, of };
}

/** Depth against the number of static maps, with what the thread saw. */
function depthFigure(rows: readonly MergedNodesRow[]): Figure {
  const { x, of } = generatedOf(rows);
  const drawn = lineFigure({
    title: "Depth of the tree, at boot and under load",
    caption: `Static maps of one page, handed out downwards; then short-lived ones that end in random order. The tree grows at its low end only, so its deepest path is nearly twice its mean depth. The thread says 14 to 16 levels (dashed): the mean of a large tree, not its deepest path. Merged, at boot: ${fromTo(of("merged", "boot", "maxDepth"))} levels.`,
    x: { title: "static maps", unit: "", log: true },
    y: { title: "levels", unit: "", range: [0, 32] },
    series: [
      {
        name: "unmerged, deepest node",
        look: { ...stockLook(), symbol: "triangle-down" },
        x,
        y: of("unmerged", "boot", "maxDepth"),
      },
      { name: "unmerged, mean node", look: stockLook(), x, y: of("unmerged", "boot", "meanDepth") },
      {
        name: "unmerged, mean node, under load",
        look: { ...stockLook(), symbol: "circle-open", dash: "dot" },
        x,
        y: of("unmerged", "steady", "meanDepth"),
      },
      {
        name: "merged, deepest node",
        look: { ...mergedLook(), symbol: "triangle-down" },
        x,
        y: of("merged", "boot", "maxDepth"),
      },
      {
        name: "merged, mean node, under load",
        look: { ...mergedLook(), symbol: "diamond-open", dash: "dot" },
        x,
        y: of("merged", "steady", "meanDepth"),
      },
      { name: "the thread: 14 to 16", place: 7, x, y: x.map(() => 14), mode: "lines", dash: true },
      { name: "the thread: 16", x, y: x.map(() => 16), mode: "lines", dash: true, place: 7 },
    ],
  });
  // Both ends of the thread's range are one thing, with one name.
  const upper = drawn.data.at(-1);
  if (upper) upper["showlegend"] = false;
  Object.assign(drawn.layout["xaxis"] as object, { tickvals: x, ticktext: x.map((n) => n.toLocaleString("en")) });
  return drawn;
}

/** Nodes against the number of static maps, at boot and under load. */
function growthFigure(rows: readonly MergedNodesRow[]): Figure {
  const { x, of } = generatedOf(rows);
  const load = (tree: StructureRow["tree"]) => ({
    name: `${tree}, under load`,
    look: { ...treeLook(tree), symbol: tree === "merged" ? "diamond-open" : "circle-open", dash: "dot" as const },
    x,
    y: of(tree, "steady", "nodes"),
    low: of(tree, "steady", "nodesLow"),
    high: of(tree, "steady", "nodesHigh"),
  });
  return lineFigure({
    title: "Nodes of the tree, by static maps",
    caption:
      "Static maps of one page, then short-lived ones that end in random order and are given back by v4.3's flush, 250 at a time. Under load: mean of the samples; bars from the lowest to the highest.",
    x: { title: "static maps", unit: "", log: true },
    y: { title: "nodes", unit: "", log: true },
    series: [
      { name: "unmerged, at boot", look: stockLook(), x, y: of("unmerged", "boot", "nodes") },
      load("unmerged"),
      { name: "merged, at boot", look: mergedLook(), x, y: of("merged", "boot", "nodes") },
      load("merged"),
    ],
  });
}

/** Cycles of one map and unmap in the tree, by footprint of other work. */
function walkFigure(rows: readonly MergedNodesRow[]): Figure {
  const all = rows.filter((r) => r.part === "walk");
  const x = distinct(all, "footprintLines").sort((a, b) => a - b);
  const most = Math.max(...valuesOf(all, "staticMaps"));
  const mine = where(all, { staticMaps: most });
  const size = (kib: number) => (kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`);
  const categories = x.map((lines) => (lines === 0 ? "nothing" : size(Math.round((lines * 64) / 1024))));
  const at = (tree: WalkRow["tree"], step: WalkRow["step"], footprintLines: number) =>
    valuesOf(where(mine, { tree, step, footprintLines }), "cycles");
  return barFigure({
    title: "Cycles in the tree for one map and its unmap",
    caption: `One core, ${most.toLocaleString("en")} static maps. Between two operations the core touches this much other memory: nothing (warm), more than its L2 (256 KiB), more than the L3 (20 MiB). Lookup and free are the unmap. Full: the tree of v4.3; empty: merged. Logarithmic axis; strokes from the lowest to the highest seed.`,
    categories,
    x: { title: "other work between two operations", unit: "" },
    y: { title: "cost", unit: "cycles", log: true },
    series: trees.flatMap((tree) =>
      steps.map((step, place) => {
        const cycles = x.map((lines) => at(tree, step, lines));
        return {
          name: `${tree}: ${step === "find" ? "lookup" : step}`,
          place,
          look: treeLook(tree),
          hatched: tree === "merged",
          values: cycles.map(mean),
          low: cycles.map((seeds) => Math.min(...seeds)),
          high: cycles.map((seeds) => Math.max(...seeds)),
        };
      }),
    ),
  });
}

/** Throughput off, stock and merged, for each policy. */
function throughputFigure(rows: readonly MergedNodesRow[], { assume }: { assume: Assume }, { facts }: Basis): Figure {
  const all = recoveries(rows).filter((r) => r.part === "recovery");
  const { cores, threads, staticMaps, profile } = { ...hostRunDefaults(facts), ...assumed(assume, facts) };
  const pick = (get: (r: Recovery) => Interval) => barsOf(all.map(get), 1e-3);
  const thousands = (i: Interval) => (i.mean / 1000).toFixed(0);
  const came = all
    .slice(0, 1)
    .map((r) => `${sentence(r.policy)}: from ${thousands(r.stock)} to ${thousands(r.merged)} of ${thousands(r.off)}.`)
    .join("");
  return barFigure({
    title: "Throughput: no IOMMU, tree of v4.3, merged nodes",
    caption: `${came} ${cores} core${cores === 1 ? "" : "s"}, ${threads} threads of TCP_RR, ${staticMaps.toLocaleString("en")} static maps, a driver that ${driverProfile(profile).title}. Interval: 95 % over the seeds.`,
    categories: all.map((r) => policyTitles[r.policy]),
    x: { title: "policy", unit: "" },
    y: { title: "throughput", unit: "1,000 transactions/s" },
    series: [
      { name: "no IOMMU", look: lookOf("way", "off"), ...pick((r) => r.off) },
      { name: "tree of v4.3", look: stockLook(), ...pick((r) => r.stock) },
      { name: "merged nodes", look: mergedLook(), ...pick((r) => r.merged) },
    ],
  });
}

/** The three readings of "a third", for each policy. */
function readingsFigure(rows: readonly MergedNodesRow[]): Figure {
  const all = recoveries(rows).filter((r) => r.part === "recovery");
  const readings: [string, (r: Recovery) => Interval][] = [
    ["plain: share of the loss", (r) => r.gapShare],
    ["gain: over the stock tree", (r) => lessOne(r.ratio)],
    ["level: share of no IOMMU", (r) => r.mergedOfOff],
  ];
  const read = all
    .slice(0, 1)
    .map((r) => {
      const values = readings.map(([name, get]) => `${name.split(":")[0]} ${percent(get(r).mean).toFixed(0)} %`);
      return `${sentence(r.policy)}: ${values.join(", ")}.`;
    })
    .join("");
  return thirdFigure({
    title: '"A third of the performance back", read in three ways',
    caption: `${read} A third is 33 % (dashed). Plain: the share of the lost throughput that came back. Gain: how much more than before. Level: merged as a share of no IOMMU. Interval: 95 % over the seeds. Logarithmic scale.`,
    x: { title: "value of the reading", unit: "%", log: true },
    ticks: [5, 10, 20, 33, 50, 100, 200, 500, 1000],
    labels: all.map((r) => policyTitles[r.policy]),
    series: readings.map(([name, get]) => ({ name, values: all.map(get) })),
  });
}

const lessOne = (i: Interval): Interval => ({ ...i, mean: i.mean - 1, low: i.low - 1, high: i.high - 1 });

/** Estimates as dots with their intervals, in %, and a dashed mark at one third. */
function thirdFigure(
  spec: Pick<DotSpec, "title" | "caption" | "x" | "ticks" | "labels"> & {
    series: { name: string; look?: Look; values: Interval[] }[];
  },
): Figure {
  return dotFigure({
    ...spec,
    series: spec.series.map(({ values, ...series }) => ({
      ...series,
      values: values.map(({ mean }) => percent(mean)),
      low: values.map(({ low }) => percent(low)),
      high: values.map(({ high }) => percent(high)),
    })),
    mark: { name: "one third", value: 100 / 3 },
  });
}

/** The plain reading when one assumption changes. */
function sweepFigure(rows: readonly MergedNodesRow[]): Figure {
  const found = recoveries(rows);
  const base = baselineOf(found);
  const all = [...found.filter((r) => r.part === "recovery"), ...found.filter((r) => r.part === "sweep")];
  const title = (r: Recovery) =>
    r.part === "recovery" ? (r === base ? "baseline" : policyTitles[r.policy]) : `${r.assumption}: ${r.level}`;
  return thirdFigure({
    title: "What merging gives back, by assumption",
    caption:
      "Share of the lost throughput that came back, with one assumption changed at a time. Dashed: one third. Everything not named is as in the baseline (16 cores, queued lock, deferred, both directions, unless this run assumes otherwise). Interval: 95 %, deviation pooled over settings that saturate the lock alike.",
    x: { title: "lost throughput that came back", unit: "%", range: [-5, 100] },
    labels: all.map(title),
    series: [{ name: "merged nodes", look: mergedLook(), values: all.map((r) => r.gapShare) }],
  });
}

/** A map of the region: stack work against another assumption. */
function regionMap(
  rows: readonly MergedNodesRow[],
  { facts }: Basis,
  assumption: string,
  title: string,
  note = "",
): Figure {
  const third = aboutAThird(facts);
  const cells = recoveries(rows)
    .filter((r) => r.part === "region" && r.assumption === assumption)
    .map((r) => ({ r, x: r.level, y: r.stackMultiple ?? Number.NaN }));
  const xs = [...new Set(cells.map((c) => c.x))];
  const ys = [...new Set(cells.map((c) => c.y))].sort((a, b) => a - b);
  // Numbers in their order; names (hosts) in the order in which they were run.
  if (xs.every((x) => typeof x === "number")) xs.sort((a, b) => a - b);
  const verdicts = cells.map((c) => isAThird(c.r.gapShare, third));
  const counted = (verdict: string) => verdicts.filter((v) => v === verdict).length;
  const table = <T>(make: (r: Recovery) => T, none: T) =>
    ys.map((y) =>
      xs.map((x) => {
        const cell = cells.find((c) => c.x === x && c.y === y);
        return cell ? make(cell.r) : none;
      }),
    );
  return heatmapFigure({
    title,
    caption: `Each cell: share of the lost throughput that came back, with its 95 % interval, and what the stock tree keeps of no IOMMU. “A third”: the whole interval lies within ${third.low} to ${third.high} %; “perhaps”: a part of it does. Of ${cells.length} cells ${counted("yes")} are a third, ${counted("undecided")} perhaps. Deferred policy, where no other is named.${note}`,
    x: { title: assumption, unit: "" },
    y: { title: "stack work of a transaction", unit: "multiple of PE1" },
    z: { title: "loss that came back", unit: "%", range: [0, 100] },
    marks: [{ value: 100 / 3, text: "a third" }],
    xValues: xs.map(String),
    yValues: ys.map(String),
    zValues: table<number | null>((r) => percent(r.gapShare.mean), null),
    text: table((r) => {
      const { mean, low, high } = r.gapShare;
      const [m, l, h] = [mean, low, high].map((value) => percent(value).toFixed(0));
      const verdict = { yes: "<br><b>a third</b>", undecided: "<br>perhaps a third", no: "" }[
        isAThird(r.gapShare, third)
      ];
      return `${m} % (${l} to ${h})${verdict}<br>stock keeps ${percent(r.stockOfOff.mean).toFixed(0)} %`;
    }, ""),
    narrowText: table((r) => {
      const verdict = { yes: "<br><b>a third</b>", undecided: "<br>perhaps", no: "" }[isAThird(r.gapShare, third)];
      return `${percent(r.gapShare.mean).toFixed(0)} %${verdict}`;
    }, ""),
    layout: {
      height: 400,
      // Policies by their words; the rows keep the names that a configuration takes.
      ...(assumption === regionAxes.policies
        ? { xaxis: { ticktext: xs.map((x) => wrap(policyTitles[x as PolicyName] ?? String(x), 22)) } }
        : {}),
    },
  });
}

/** The region: cores against stack work. */
function regionCoresFigure(rows: readonly MergedNodesRow[], _: unknown, basis: Basis): Figure {
  return regionMap(rows, basis, regionAxes.cores, "A third back? Cores and stack work");
}

/** The region: pairs a transaction against stack work. */
function regionPairsFigure(rows: readonly MergedNodesRow[], { assume }: { assume: Assume }, basis: Basis): Figure {
  const cores = assume.cores ?? hostRunDefaults(basis.facts).cores;
  const note = " One pair: a driver that maps only what it sends. Four: two buffers for each packet.";
  const title = `A third back? Maps and stack work, ${cores} core${cores === 1 ? "" : "s"}`;
  return regionMap(rows, basis, regionAxes.pairs, title, note);
}

/** The region: hosts against stack work. */
function regionHostsFigure(rows: readonly MergedNodesRow[], _: unknown, basis: Basis): Figure {
  return regionMap(rows, basis, regionAxes.hosts, "A third back? Hosts and stack work");
}

/** The region: how unmaps are flushed, and in whose wording, against stack work. */
function regionPoliciesFigure(rows: readonly MergedNodesRow[], _: unknown, basis: Basis): Figure {
  return regionMap(rows, basis, regionAxes.policies, "A third back? Ways to flush and stack work");
}

/** What is left of the gain when a part of the mechanism is taken away. */
function ablationFigure(rows: readonly MergedNodesRow[]): Figure {
  const found = recoveries(rows);
  const base = baselineOf(found);
  const all = [...(base ? [base] : []), ...found.filter((r) => r.part === "ablation")];
  // One part alone: neither the control, which takes everything away, nor a part beside another change.
  const alone = (ablations as readonly Ablation[]).filter(({ beside, control }) => !beside && !control);
  const [part] = lostGain(found).filter(({ name }) => alone.some((one) => one.name === name));
  const most = part ? ` What takes most of it away: ${part.level} (${percent(part.share).toFixed(0)} %).` : "";
  return barFigure({
    title: "Which mechanism carries the gain",
    caption: `Throughput under the deferred policy, with one part of the mechanism taken away from both trees. The gain from merging is the ratio of the two bars of a pair.${most} Interval: 95 %, deviation pooled over the settings.`,
    categories: all.map((r) => (r === base ? "baseline" : String(r.level))),
    lying: true,
    x: { title: "what is taken away", unit: "" },
    y: { title: "throughput", unit: "1,000 transactions/s" },
    series: [
      {
        name: "tree of v4.3",
        look: stockLook(),
        ...barsOf(
          all.map((r) => r.stock),
          1e-3,
        ),
      },
      {
        name: "merged nodes",
        look: mergedLook(),
        ...barsOf(
          all.map((r) => r.merged),
          1e-3,
        ),
      },
    ],
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<MergedNodesRow, MergedNodesConfig>>> = {
  nodes: nodesFigure,
  depth: depthFigure,
  growth: growthFigure,
  walk: walkFigure,
  throughput: throughputFigure,
  readings: readingsFigure,
  sweep: sweepFigure,
  "region-cores": regionCoresFigure,
  "region-pairs": regionPairsFigure,
  "region-hosts": regionHostsFigure,
  "region-policies": regionPoliciesFigure,
  ablation: ablationFigure,
};
