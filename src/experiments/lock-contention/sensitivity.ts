import { z } from "zod";
import { variant, variants } from "../../dma/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { assumptions, type HostRun, hostRun, hostRunDefaults, smallAssumptions } from "../../host/index.js";
import { type Figure, figure, lineFigure, palette } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { distinct, estimate, ratio, where } from "../frame/rows.js";
import { agedSeedOf, mergedTree } from "../frame/run-length.js";
import { like } from "./alike.js";
import { lengthOf } from "./config.js";
import type { LockContentionRow } from "./rows.js";
import { intervals } from "./wording.js";

// Question: which assumption moves the result, and which has no influence?

/** The configuration. */
export interface SensitivityConfig {
  variant: string;
  cores: number;
  fidelity: "quick" | "full";
  each: boolean;
  replications: number;
  seed: number;
}
type SensitivityInput = { [K in keyof SensitivityConfig]?: SensitivityConfig[K] | undefined };

const Config: z.ZodType<SensitivityConfig, SensitivityInput> = z.strictObject({
  variant: z
    .string()
    .refine((name) => variants.some((v) => v.name === name), {
      error: `accepts ${variants.map((v) => v.name).join(", ")}`,
    })
    .default("deferred")
    .describe("way of mapping"),
  cores: z.int().min(1).max(16).default(16).describe("cores that run the workload"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  each: z
    .boolean()
    .default(false)
    .describe("move the small assumptions of a kind one by one as well, not only together"),
  replications: z.int().min(1).max(100).default(2).describe("independent runs of each point"),
  seed: z.int().min(0).max(2_147_483).default(1).describe("the random streams"),
});

/** A run of this experiment. */
interface Point {
  assumption: string;
  setting: string;
  end: "base" | "low" | "high";
  replication: number;
  run: HostRun;
}

function pointsOf(config: SensitivityConfig, { facts }: Basis): Point[] {
  const base: HostRun = {
    ...hostRunDefaults(facts),
    variant: config.variant,
    cores: config.cores,
    ...lengthOf(config.variant, config.fidelity),
  };
  const points: Point[] = [];
  for (let replication = 0; replication < config.replications; replication++) {
    const first = config.seed * 1000;
    const chance = { seed: first + replication, agedSeed: agedSeedOf(first, replication) };
    points.push({ assumption: "base", setting: "base", end: "base", replication, run: { ...base, ...chance } });
    for (const { name, low, high } of config.each
      ? [...assumptions(facts), ...smallAssumptions(facts)]
      : assumptions(facts))
      for (const [end, [setting, change]] of [
        ["low", low],
        ["high", high],
      ] as const) {
        if (Object.keys(change).length === 0) continue;
        points.push({ assumption: name, setting, end, replication, run: { ...base, ...change, ...chance } });
      }
  }
  return points;
}

/** Throughput without an IOMMU, which many runs share: only the stack, the peer and the calls matter to it. */
function offThroughput(run: HostRun, basis: Basis): number {
  const { cores, threads, seed, profile, rxMaps, txMaps, stackCycles, peerMicroseconds, interruptGapMicroseconds } =
    run;
  const { receiveShare, workSpread, pollBudget, flows, transmitMicroseconds, offIdle, costs } = run;
  const matters = {
    cores,
    threads,
    seed,
    profile,
    rxMaps,
    txMaps,
    stackCycles,
    peerMicroseconds,
    interruptGapMicroseconds,
    receiveShare,
    workSpread,
    pollBudget,
    flows,
    transmitMicroseconds,
    offIdle,
    costs: costs.apiCycles === undefined ? {} : { apiCycles: costs.apiCycles },
  };
  const off = {
    ...hostRunDefaults(basis.facts),
    ...matters,
    variant: "off",
    staticMaps: 0,
    stackLines: 0,
    ...lengthOf("off", "quick"),
  };
  return hostRun(off, basis).throughput;
}

/** A run beside what the same host does without an IOMMU. */
function simulate({ assumption, setting, end, replication, run }: Point, basis: Basis) {
  const on = hostRun(run, basis).throughput;
  const off = offThroughput(run, basis);
  return [
    {
      assumption,
      setting,
      end,
      replication,
      variant: run.variant,
      throughput: on,
      off,
      percentOfOff: (100 * on) / off,
    },
  ];
}

/** A row of the sensitivity. */
export type LockSensitivityRow = ReturnType<typeof simulate>[number];

/** One assumption at a time: what the throughput, as a share of IOMMU off, becomes at either end of its range. */
export const lockSensitivity: Experiment<typeof Config, Point, LockSensitivityRow> = defineExperiment({
  name: "lock-sensitivity",
  place: [2, 4],
  title: "Which assumption moves the result",
  question: "Which of the assumptions behind the lock-contention result moves it, and which has no influence?",
  config: Config,
  points: pointsOf,
  label: ({ assumption, setting }) => `${assumption}: ${setting}`,
  simulate,
  columns: {
    assumption: { unit: "", description: "what is varied" },
    setting: { unit: "", description: "to what" },
    end: { unit: "", description: "low or high end of its range" },
    replication: { unit: "", description: "number of the independent run" },
    variant: { unit: "", description: "way of mapping" },
    throughput: { unit: "transactions/s", description: "with the IOMMU" },
    off: { unit: "transactions/s", description: "without" },
    percentOfOff: { unit: "%", description: "one as a share of the other" },
  },
  figures: { sensitivity: (rows, _, { facts }) => sensitivity(rows, facts) },
  claims: () => [],
});

function sensitivity(rows: readonly LockSensitivityRow[], facts: Facts): Figure {
  const base = estimate(where(rows, { end: "base" }), "percentOfOff").mean;
  const names = distinct(rows, "assumption").filter((name) => name !== "base");
  const end = (name: string, which: "low" | "high") => {
    const at = where(rows, { assumption: name, end: which });
    return at.length > 0 ? estimate(at, "percentOfOff") : { mean: base, low: base, high: base };
  };
  const span = (name: string): number =>
    Math.max(Math.abs(end(name, "low").mean - base), Math.abs(end(name, "high").mean - base));
  const order = [...names].sort((a, b) => span(b) - span(a));
  // An end that is the baseline was not run once more; its name stands in the list of assumptions.
  const setting = (name: string, which: "low" | "high") =>
    where(rows, { assumption: name, end: which })[0]?.setting ??
    [...assumptions(facts), ...smallAssumptions(facts)].find((assumption) => assumption.name === name)?.[which][0] ??
    "nothing changed";
  const labels = order.map((name) => `${name} (${setting(name, "low")} … ${setting(name, "high")})`);
  const ends = (which: "low" | "high") => {
    const at = order.map((name) => end(name, which));
    return {
      type: "scatter",
      mode: "markers",
      name: `${which} end`,
      x: at.map((e) => e.mean),
      y: labels,
      marker: { size: 10, color: palette[which === "low" ? 0 : 1], symbol: which === "low" ? "circle" : "square" },
      error_x: {
        type: "data",
        symmetric: false,
        array: at.map((e) => e.high - e.mean),
        arrayminus: at.map((e) => e.mean - e.low),
        thickness: 1,
      },
      hovertemplate: "%{y}<br>%{x:.1f} % of off<extra></extra>",
    };
  };
  const spans = {
    type: "scatter",
    mode: "lines",
    showlegend: false,
    hoverinfo: "skip",
    x: order.flatMap((name) => [end(name, "low").mean, end(name, "high").mean, null]),
    y: labels.flatMap((text) => [text, text, null]),
    line: { color: "#888888", width: 3 },
  };
  const measured = (100 * facts.number("PE2")) / facts.number("PE1");
  const rule = (x: number, dash: string) => ({
    type: "line",
    x0: x,
    x1: x,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: "#888888", width: 1, dash },
  });
  return figure({
    title: "What each assumption moves, one at a time",
    caption: `Throughput as a share of IOMMU off at either end of each assumption's range, the longest way from the baseline first. Dotted: nothing changed, ${base.toFixed(1)} %; dashed: measured, ${measured.toFixed(1)} % (record PE2). ${intervals(rows)}`,
    data: [spans, ends("low"), ends("high")],
    layout: {
      height: 110 + 24 * names.length,
      xaxis: { title: { text: "throughput (% of off)" }, rangemode: "tozero" },
      yaxis: { autorange: "reversed", automargin: true },
      shapes: [rule(base, "dot"), rule(measured, "dash")],
    },
  });
}

/** The configuration of the warm-up curve. */
export interface WarmupConfig {
  variants: string[];
  cores: number;
  agedTurns: number[];
  transactions: number;
  slices: number;
  seed: number;
}
type WarmupInput = { [K in keyof WarmupConfig]?: WarmupConfig[K] | undefined };

const WarmupSchema: z.ZodType<WarmupConfig, WarmupInput> = z.strictObject({
  variants: z
    .array(
      z.string().refine((name) => variants.some((v) => v.name === name), {
        error: `accepts ${variants.map((v) => v.name).join(", ")}`,
      }),
    )
    .min(1)
    .default(["deferred", "merged-deferred"])
    .describe("ways of mapping"),
  cores: z.int().min(1).max(16).default(16).describe("cores that run the workload"),
  agedTurns: z
    .array(z.int().min(0).max(20))
    .min(1)
    .default([0, 1, mergedTree.turns])
    .describe("how often every receive buffer was replaced before the start, outside simulated time"),
  transactions: z.int().min(100).max(1_000_000).default(20_000).describe("transactions from the very first one"),
  slices: z.int().min(2).max(200).default(20).describe("points of the curve"),
  seed: z.int().min(0).max(2_147_483).default(1).describe("the random streams"),
});

const startOf = (turns: number): string => (turns === 0 ? "fresh rings" : turns === 1 ? "aged" : `aged ${turns} times`);

function simulateWarmup({ run }: { run: HostRun }, basis: Basis) {
  return hostRun(run, basis).slices.map((throughput, i) => ({
    variant: run.variant,
    title: `${variant(run.variant).title}, ${startOf(run.agedTurns)}`,
    agedTurns: run.agedTurns,
    transaction: Math.round((run.transactions * (i + 1)) / run.slices),
    throughput,
  }));
}

/** A row of the warm-up curve. */
export type WarmupRow = ReturnType<typeof simulateWarmup>[number];

/** From the first transaction on: when is the host in its steady state? */
export const warmup: Experiment<typeof WarmupSchema, { run: HostRun }, WarmupRow> = defineExperiment({
  name: "warm-up",
  place: [2, 5],
  title: "From the first transaction to the steady state",
  question: "After how many transactions is the simulated host in its steady state?",
  config: WarmupSchema,
  points: (config, { facts }) =>
    config.variants.flatMap((name) =>
      config.agedTurns.map((agedTurns) => ({
        run: {
          ...hostRunDefaults(facts),
          variant: name,
          cores: config.cores,
          agedTurns,
          warmup: 0,
          transactions: config.transactions,
          slices: config.slices,
          seed: config.seed * 1000,
          agedSeed: config.seed * 1000,
        },
      })),
    ),
  label: ({ run }) => `${run.variant}, ${startOf(run.agedTurns)}`,
  simulate: simulateWarmup,
  columns: {
    variant: { unit: "", description: "way of mapping" },
    title: { unit: "", description: "the same with the start, as figures name it" },
    agedTurns: { unit: "turns", description: "replacements of every receive buffer before the start" },
    transaction: { unit: "transactions", description: "end of the slice" },
    throughput: { unit: "transactions/s", description: "throughput of the slice" },
  },
  figures: {
    curve: (rows) =>
      lineFigure({
        title: "From the first transaction on",
        caption:
          "Throughput of successive slices of one run. Fresh rings: as the driver filled them at boot. Aged: every receive buffer was replaced before the start, outside simulated time. Quick runs start aged (the merged tree three times) and measure from transaction 500 on; full ones start fresh and measure from 25,000 on (the merged tree: 60,000).",
        x: { title: "transactions since the start", unit: "" },
        y: { title: "throughput", unit: "thousand transactions/s" },
        series: distinct(rows, "title").map((title) => {
          const mine = where(rows, { title });
          return {
            name: title,
            x: mine.map((r) => r.transaction),
            y: mine.map((r) => r.throughput / 1000),
          };
        }),
      }),
  },
  claims: () => [],
});

/** Throughput of `over` as a share of `under`, over a grid of maps a transaction and stack work, at the most cores. */
export function gridRatio(rows: readonly LockContentionRow[], over: string, under: string) {
  const pairs = distinct(rows, "mapsPerSide");
  const stack = distinct(rows, "stackMicroseconds");
  const most = Math.max(...distinct(rows, "cores"));
  const [first] = where(rows, { variant: over, cores: most });
  const at = (name: string, mapsPerSide: number, stackMicroseconds: number) =>
    like(rows, first, { variant: name, mapsPerSide, stackMicroseconds });
  return {
    pairs,
    stack,
    values: stack.map((us) => pairs.map((maps) => ratio(at(over, maps, us), at(under, maps, us), "throughput").mean)),
  };
}
