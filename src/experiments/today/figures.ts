import type { Basis } from "../../facts/index.js";
import { barFigure, type Figure, lineFigure, lookOf, palette } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { hostTitle } from "../frame/host-title.js";
import { distinct, estimate, ratio, where } from "../frame/rows.js";
import type { Settings } from "./config.js";
import { steps, strictSteps, titleOf } from "./policies.js";
import type { TodayRow } from "./rows.js";

/** The host that a figure shows: the last of the rows', which is the largest by default. */
const hostOf = (rows: readonly TodayRow[]): string => distinct(rows, "host").at(-1) as string;

/** Transactions over the number of cores, a line for each way of mapping. */
function throughput(rows: readonly TodayRow[], _: Settings, { facts }: Basis): Figure {
  const host = hostOf(rows);
  const mine = where(rows, { host });
  return lineFigure({
    title: "The same requests, from 2015 to today",
    caption: `Transactions of each core on ${hostTitle(facts, host)}. Level is good: a core more brings as much as the first. Intervals: 95 % over seeds.`,
    x: { title: "cores", unit: "", log: true },
    y: { title: "transactions a core", unit: "1/s" },
    series: distinct(mine, "policy").map((policy) => {
      const own = where(mine, { policy });
      const cores = distinct(own, "cores");
      const at = cores.map((n) => estimate(where(own, { cores: n }), "perCore"));
      return {
        name: titleOf(policy),
        x: cores,
        y: at.map(({ mean }) => mean),
        low: at.map(({ low }) => low),
        high: at.map(({ high }) => high),
        look: lookOf("way", policy),
      };
    }),
  });
}

/** What each release was worth: throughput as a share of pass-through's, step by step, for each number of cores. */
function ladder(
  rows: readonly TodayRow[],
  { facts }: Basis,
  among: readonly { name: string; since: string }[],
  title: string,
): Figure {
  const host = hostOf(rows);
  const mine = where(rows, { host });
  const base = "pass-through";
  const cores = distinct(where(mine, { policy: base }), "cores");
  const present = among.filter(({ name }) => mine.some((row) => row.policy === name));
  if (cores.length === 0) throw new Error('This figure needs the policy "pass-through" among the policies.');
  return barFigure({
    title,
    caption: `Throughput of ${hostTitle(facts, host)} as a share of what it does without translation. Each row is the same load; only the kernel differs. Intervals: 95 % over seeds.`,
    categories: present.map(({ since }) => since),
    x: { title: "kernel", unit: "" },
    y: { title: "of pass-through", unit: "%" },
    lying: true,
    series: cores.map((n, i) => {
      const shares = present.map(({ name }) =>
        ratio(where(mine, { policy: name, cores: n }), where(mine, { policy: base, cores: n }), "throughput"),
      );
      return {
        name: `${n} cores`,
        values: shares.map(({ mean }) => 100 * mean),
        low: shares.map(({ low }) => 100 * low),
        high: shares.map(({ high }) => 100 * high),
        look: { colour: palette[i % palette.length] },
      };
    }),
  });
}

const waterfall = (rows: readonly TodayRow[], _: Settings, basis: Basis): Figure =>
  ladder(rows, basis, steps, "What each change was worth: deferred and lazy");

const strictLadder = (rows: readonly TodayRow[], _: Settings, basis: Basis): Figure =>
  ladder(rows, basis, [...strictSteps, { name: "pass-through", since: "pass-through" }], "Strict, from 2015 to today");

/** Where the lines of exposure and throughput cross: each way of mapping a point. */
function exposure(rows: readonly TodayRow[], _: Settings, { facts }: Basis): Figure {
  const host = hostOf(rows);
  const cores = Math.max(...where(rows, { host }).map((row) => row.cores));
  const mine = where(rows, { host, cores });
  const none = 0.1;
  return lineFigure({
    title: "Pages in reach after their unmap, and throughput",
    caption: `${hostTitle(facts, host)}, ${cores} cores. At the left edge an unmap leaves nothing in the device's reach. Pass-through leaves all memory in reach all the time, and is not shown.`,
    x: { title: "pages in reach after their unmap, mean at a time", unit: "", log: true },
    y: { title: "transactions", unit: "1/s" },
    series: distinct(mine, "policy")
      .filter((policy) => policy !== "pass-through" && policy !== "off")
      .map((policy) => {
        const own = where(mine, { policy });
        const { mean, low, high } = estimate(own, "throughput");
        return {
          name: titleOf(policy),
          x: [Math.max(none, estimate(own, "stalePages").mean)],
          y: [mean],
          low: [low],
          high: [high],
          mode: "markers" as const,
          look: lookOf("way", policy),
        };
      }),
  });
}

/** Where the cores' time goes, on the largest number of cores. */
function time(rows: readonly TodayRow[], _: Settings, { facts }: Basis): Figure {
  const host = hostOf(rows);
  const cores = Math.max(...where(rows, { host }).map((row) => row.cores));
  const mine = where(rows, { host, cores });
  const policies = distinct(mine, "policy");
  const kinds = [
    ["stack", "stack"],
    ["spinning", "spinning"],
    ["tree", "tree"],
    ["pageTable", "page table"],
    ["invalidation", "invalidation"],
    ["api", "api"],
    ["waiting", "waiting"],
  ] as const;
  return barFigure({
    title: "Where the cores' time goes",
    caption: `${hostTitle(facts, host)}, ${cores} cores. What is not the stack is lost to mapping: waiting for locks first of all.`,
    categories: policies.map(titleOf),
    x: { title: "way of mapping", unit: "" },
    y: { title: "share of the time", unit: "%" },
    stacked: true,
    lying: true,
    series: kinds.map(([column, part]) => ({
      name: part,
      values: policies.map((policy) => 100 * estimate(where(mine, { policy }), column).mean),
      look: lookOf("part", part),
    })),
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<TodayRow, Settings>>> = {
  throughput,
  waterfall,
  strict: strictLadder,
  exposure,
  time,
};
