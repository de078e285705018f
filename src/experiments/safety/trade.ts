import { type Figure, lineFigure, lookOf } from "../../plot/index.js";
import type { Row } from "../frame/experiment.js";
import { meanOf } from "./mean.js";

/** The rows of each way of mapping on the largest number of cores. */
export function byVariant(rows: readonly Row[]): { name: string; title: string; rows: Row[] }[] {
  const cores = Math.max(...rows.map((row) => Number(row["cores"])));
  return [...new Set(rows.map((row) => String(row["variant"])))].map((name) => {
    const mine = rows.filter((row) => row["variant"] === name && row["cores"] === cores);
    return { name, title: String(mine[0]["title"]), rows: mine };
  });
}

/** Where a logarithmic axis shows what reaches nothing. */
const none = 0.01;
const PAGE_KIB = 4;

/** KiB that a way of mapping takes: its page tables, and the pages that it holds back from their next owner. */
const memoryOf = (rows: readonly Row[]): number =>
  meanOf(rows, "tableKiB").mean + PAGE_KIB * meanOf(rows, "pinnedMean").mean;

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
export function trade(rows: readonly Row[]): Figure {
  const ways = byVariant(rows);
  const at = ways.map(({ rows: mine }) => meanOf(mine, "otherPages"));
  const top = Math.max(1, ...at.map(({ mean }) => mean));
  const ticks = [none, 0.1, 1, 10, 100, 1000, 10_000, 100_000].filter((value) => value <= top * 10);
  const drawn = lineFigure({
    title: "What safety costs",
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
      const { mean, low, high } = meanOf(mine, "throughput");
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
    ticktext: ticks.map((value) => (value === none ? "none" : `${value}`)),
  });
  return drawn;
}
