import { barFigure, type Figure, lineFigure, lookOf } from "../../plot/index.js";
import type { FigureMaker, Interval } from "../frame/experiment.js";
import { barsOf, distinct, estimate, where } from "../frame/rows.js";
import { delays, type Settings } from "./config.js";
import { onMostCores, type SafetyRow } from "./rows.js";

/** The rows of each way of mapping, on the most cores that the run has. */
function byVariant(rows: readonly SafetyRow[]): { name: string; title: string; rows: SafetyRow[] }[] {
  const most = onMostCores(rows);
  return distinct(most, "variant").map((variant) => {
    const mine = where(most, { variant });
    return { name: variant, title: mine[0].title, rows: mine };
  });
}

/** Where a logarithmic axis shows what reaches nothing. */
const none = 0.01;
const PAGE_KIB = 4;

/** KiB that a way of mapping takes: its page tables, and the pages that it holds back from their next owner. */
const memoryOf = (rows: readonly SafetyRow[]): number =>
  estimate(rows, "tableKiB").mean + PAGE_KIB * estimate(rows, "pinnedMean").mean;

/** More ways than this share entries of the legend, by family. */
const mostNamed = 12;

/** What the legend calls a way of mapping where there are too many for one entry each. */
function familyOf(name: string): string {
  const release = /^v(\d+\.\d+)-/.exec(name)?.[1];
  if (release !== undefined) return `Linux ${release}`;
  if (["off", "pass-through", "static-identity"].includes(name)) return "no protection";
  if (name.startsWith("merged-")) return "merged nodes";
  if (name.startsWith("pools-")) return "pools";
  if (name.startsWith("one-to-one-")) return "dynamic 1:1";
  if (/^(magazines-|flush-|strict-ish|strict-domain)/.test(name)) return "magazines";
  return name.endsWith("deferred") ? "tree of 4.3, deferred" : "tree of 4.3, strict";
}

/** One entry of the legend a family: pointing at a mark still says which way it is. */
function byFamily(data: Record<string, unknown>[], names: readonly string[]): void {
  const seen = new Set<string>();
  for (const [i, trace] of data.entries()) {
    const family = familyOf(names[i]);
    Object.assign(trace, { name: family, legendgroup: family, showlegend: !seen.has(family) });
    seen.add(family);
  }
}

/** Throughput against exposure, and memory by size: each way of mapping is a point. */
function trade(rows: readonly SafetyRow[]): Figure {
  const ways = byVariant(rows);
  const at = ways.map(({ rows: mine }) => estimate(mine, "otherPages"));
  const top = Math.max(1, ...at.map(({ mean }) => mean));
  const ticks = [none, 0.1, 1, 10, 100, 1000, 10_000, 100_000].filter((value) => value <= top * 10);
  const drawn = lineFigure({
    title: `What safety costs: ${ways.length} ways of mapping on ${rows[0]?.cores ?? 0} cores`,
    caption:
      "Each mark is a way of mapping. Further right, a device that goes on touching what was unmapped reaches more pages of somebody else's; at the left edge it reaches none. Higher is faster. The larger a mark, the more memory page tables and pages held back take.",
    x: {
      title: "somebody else's pages in reach, mean at a time",
      unit: "pages",
      log: true,
      range: [none / 2, top * 2],
    },
    y: { title: "transactions", unit: "1/s" },
    size: { title: "page tables and pages held back", unit: "KiB" },
    series: ways.map(({ name, title, rows: mine }, i) => {
      const { mean, low, high } = estimate(mine, "throughput");
      return {
        name: title,
        x: [Math.max(none, at[i].mean)],
        y: [mean],
        low: [low],
        high: [high],
        size: [memoryOf(mine)],
        mode: "markers" as const,
        look: lookOf("way", name),
      };
    }),
  });
  if (ways.length > mostNamed)
    byFamily(
      drawn.data as Record<string, unknown>[],
      ways.map(({ name }) => name),
    );
  Object.assign(drawn.layout["xaxis"] as object, {
    tickvals: ticks,
    ticktext: ticks.map((value) => (value === none ? "none" : value.toLocaleString("en"))),
  });
  return drawn;
}

/** What a device reaches that touches each page once more after its unmap: its owner's, and somebody else's. */
function reach(rows: readonly SafetyRow[]): Figure {
  const ways = byVariant(rows);
  const series = (whose: "owner" | "other", text: string, hatched: boolean, place: number) => {
    const values = ways.map(({ rows: mine }): Interval => {
      const after = delays.map((delay) => estimate(mine, `${whose}: ${delay}`));
      return after.reduce((most, one) => (one.mean > most.mean ? one : most));
    });
    return {
      name: text,
      ...barsOf(values, 100),
      hatched,
      place,
    };
  };
  return barFigure({
    title: "What is still in reach after an unmap",
    caption: `Pages that a device reaches which touches each once more after its unmap, counted for every 100 unmaps; one unmap can take away several pages, so more than 100 can be in reach. Touched after 0, 1, 10, 100 or 1000 µs: shown is the delay at which it reaches most. Strict reaches neither kind; strict-ish only pages that their owner still reads.`,
    categories: ways.map(({ title }) => title),
    x: { title: "way of mapping", unit: "" },
    y: { title: "pages reached", unit: "for every 100 unmaps" },
    series: [
      series("owner", "its owner still reads it", false, 0),
      series("other", "it is somebody else's by now", false, 4),
    ],
    lying: true,
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<SafetyRow, Settings>>> = { trade, reach };
