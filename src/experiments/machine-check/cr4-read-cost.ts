import { z } from "zod";
import { confidenceInterval } from "../../engine/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { Machine, machineConfig, presetNames } from "../../machine/index.js";
import { lineFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { valuesOf } from "../frame/rows.js";
import { mceClaims } from "./claims.js";

// Question: is a per-CPU copy of CR4 cheaper to read than CR4 itself, once the caches are those of a CPU that runs guests?

const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host whose caches are modelled"),
  linesBetweenExits: z
    .array(
      z
        .int()
        .min(0)
        .max(1 << 20),
    )
    .min(1)
    .default([0, 64, 256, 512, 1024, 2048, 4096, 8192, 32768, 131072, 524288])
    .describe("cache lines (64 bytes) that guest and host touch between two VM entries; an assumption, swept"),
  exits: z
    .int()
    .min(50)
    .max(100_000)
    .default(200)
    .describe("VM entries measured a point, fewer at the largest footprints; five batches make the interval"),
  exitsPerSecond: z
    .array(z.number().positive().max(1e7))
    .min(1)
    .default([1e3, 1e4, 1e5, 1e6])
    .describe("VM exits a second and CPU, for the share of the CPU's time"),
});

/** Lines touched a point, beyond which fewer VM entries are measured. */
const maxLines = 2_000_000;

/** One footprint on one host. */
export interface ReadCostPoint {
  host: string;
  lines: number;
  exits: number;
  exitsPerSecond: number[];
}

function simulate({ host, lines, exits, exitsPerSecond }: ReadCostPoint, { facts }: Basis) {
  const config = machineConfig(facts, host, lines > 0 ? { footprintLines: Math.max(64, lines) } : {});
  const machine = new Machine(config);
  const shadow = machine.region({ name: "per-CPU copy of CR4", bytes: 64, home: 0 }).base;
  // Between two entries the copy is not read: the CPU runs the guest and handles its exit, which touches other lines.
  const once = (): number => {
    if (lines > 0) machine.touchFootprint(0, lines);
    return machine.read(0, shadow);
  };
  once();
  once();
  // A footprint of many lines is the same at every entry once the caches are in their steady state: two entries a batch say it all.
  const batch = Math.max(2, Math.min(Math.floor(exits / 5), Math.floor(maxLines / (5 * Math.max(1, lines)))));
  const means = Array.from({ length: 5 }, () => {
    let sum = 0;
    for (let i = 0; i < batch; i++) sum += once();
    return sum / batch;
  });
  const { mean, low, high } = confidenceInterval(means);
  const haswell = facts.number("S10");
  const sandyBridge = facts.number("S11");
  return exitsPerSecond.map((rate) => ({
    host,
    linesBetweenExits: lines,
    exitsPerSecond: rate,
    shadowCycles: mean,
    shadowCyclesLow: low,
    shadowCyclesHigh: high,
    cr4CyclesHaswell: haswell,
    cr4CyclesSandyBridge: sandyBridge,
    // A positive share is what the copy saves of one CPU's time; a negative one is what it costs.
    savedShare: ((sandyBridge - mean) * rate) / (config.gigahertz * 1e9),
  }));
}

/** A row of the table. */
export type ReadCostRow = ReturnType<typeof simulate>[number];

const oneRate = (rows: readonly ReadCostRow[]): ReadCostRow[] =>
  rows.filter((row) => row.exitsPerSecond === rows[0]?.exitsPerSecond);

const claimsOn = (facts: Facts): AskedClaim<ReadCostRow>[] => {
  const sandyBridge = facts.number("S11");
  const haswell = facts.number("S10");
  const needs = "a row";
  return [
    claimOn<ReadCostRow>()({
      ...mceClaims["cr4-read-cost"],
      needs,
      judge(rows) {
        if (rows.length === 0) return undefined;
        const { l2Cycles, l3Cycles } = machineConfig(facts, rows[0].host);
        return {
          verdict: haswell > l2Cycles && sandyBridge <= 1.5 * l3Cycles ? "holds" : "does not hold",
          numbers: { l3Cycles },
        };
      },
      say: ({ l3Cycles }) => ({
        explanation: `A read that misses L2 and hits L3 costs ${l3Cycles} cycles on this host, a CR4 read ${haswell} to ${sandyBridge}: the same size. One that misses L3 too costs several times as much.`,
      }),
    }),
    claimOn<ReadCostRow>()({
      ...mceClaims["cr4-shadow-worth"],
      needs,
      judge(rows) {
        const points = oneRate(rows);
        if (points.length === 0) return undefined;
        const costs = valuesOf(points, "shadowCycles");
        const cheaper = costs.some((cycles) => cycles < haswell);
        const dearer = costs.some((cycles) => cycles > sandyBridge);
        return {
          verdict: cheaper && dearer ? "depends" : cheaper ? "holds" : "does not hold",
          numbers: {
            least: Math.min(...costs),
            most: Math.max(...costs),
            worst: Math.max(...valuesOf(rows, "savedShare").map((share) => (share < 0 ? -share : share))),
          },
        };
      },
      say: ({ least, most, worst }) => ({
        explanation: `On what the CPU touches between two entries: the copy costs ${least.toFixed(0)} to ${most.toFixed(0)} cycles. Over all rates and footprints run here the difference is at most ${(100 * worst).toFixed(1)} % of one CPU.`,
      }),
    }),
  ];
};

/** What reading the per-CPU copy of CR4 costs, beside reading CR4. */
export const cr4ReadCost: Experiment<typeof Config, ReadCostPoint, ReadCostRow> = defineExperiment({
  name: "cr4-read-cost",
  title: "CR4, or a copy of it in memory",
  question: "Is the shadowing worth the complexity?",
  config: Config,
  points: ({ host, linesBetweenExits, exits, exitsPerSecond }) =>
    linesBetweenExits.map((lines) => ({ host, lines, exits, exitsPerSecond })),
  label: ({ host, lines }) => `${host}, ${lines} lines between entries`,
  simulate,
  columns: {
    host: { unit: "", description: "host whose caches are modelled" },
    linesBetweenExits: { unit: "lines", description: "lines of 64 bytes touched between two VM entries" },
    exitsPerSecond: { unit: "1/s", description: "VM exits a second and CPU" },
    shadowCycles: { unit: "cycles", description: "a read of the per-CPU copy, mean" },
    shadowCyclesLow: { unit: "cycles", description: "lower end of its 95 % interval" },
    shadowCyclesHigh: { unit: "cycles", description: "upper end of its 95 % interval" },
    cr4CyclesHaswell: { unit: "cycles", description: "a read of CR4, published (record S10)" },
    cr4CyclesSandyBridge: { unit: "cycles", description: "a read of CR4, published (record S11)" },
    savedShare: {
      unit: "share of a CPU",
      description: "time the copy saves over reading CR4 at 36 cycles; negative: costs",
    },
  },
  figures: {
    cost: (rows) => {
      const points = oneRate(rows).filter((row) => row.linesBetweenExits > 0);
      const x = valuesOf(points, "linesBetweenExits").map((lines) => lines / 16);
      return lineFigure({
        title: "Reading CR4, or its copy in memory",
        caption:
          "The copy is cheap while it stays in L1 or L2. When guest and host touch more than fits there between two entries, it costs what a CR4 read costs, or more. Interval: 95 % over five batches; the model has no noise, so it is a point where every read is alike.",
        x: { title: "memory touched between two VM entries", unit: "KiB", log: true },
        y: { title: "cost of the read", unit: "cycles" },
        series: [
          {
            name: "copy in memory (simulated)",
            x,
            y: valuesOf(points, "shadowCycles"),
            low: valuesOf(points, "shadowCyclesLow"),
            high: valuesOf(points, "shadowCyclesHigh"),
          },
          {
            name: "CR4, Sandy Bridge (published)",
            x,
            y: valuesOf(points, "cr4CyclesSandyBridge"),
            mode: "lines",
            dash: true,
          },
          { name: "CR4, Haswell (published)", x, y: valuesOf(points, "cr4CyclesHaswell"), mode: "lines", dash: true },
        ],
      });
    },
    saving: (rows) => {
      const rates = [...new Set(valuesOf(rows, "exitsPerSecond"))];
      return lineFigure({
        title: "What the copy saves, as a share of one CPU",
        caption: "Above zero the copy saves time over a CR4 read of 36 cycles, below it costs time.",
        x: { title: "memory touched between two VM entries", unit: "KiB", log: true },
        y: { title: "time saved", unit: "% of one CPU" },
        series: rates.map((rate) => {
          const points = rows.filter((row) => row.exitsPerSecond === rate && row.linesBetweenExits > 0);
          return {
            name: `${rate.toLocaleString("en")} exits/s`,
            x: valuesOf(points, "linesBetweenExits").map((lines) => lines / 16),
            y: valuesOf(points, "savedShare").map((share) => 100 * share),
          };
        }),
      });
    },
  },
  claims: (rows, _, facts) => askAll(claimsOn(facts), rows, { facts, experiment: "cr4-read-cost" }),
});
