import { z } from "zod";
import { variant, variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRun, hostRunDefaults } from "../../host/index.js";
import { barFigure, type Figure } from "../../plot/index.js";
import { defineExperiment, type Experiment, type Interval, type Row } from "../frame/experiment.js";
import { agedSeedOf } from "../frame/run-length.js";
import { claimsOf } from "./claims.js";
import { meanOf } from "./mean.js";
import { byVariant, trade } from "./trade.js";

// Question: what can a device that goes on touching what was unmapped still reach, and what does it cost to keep it from that?

/** Microseconds after an unmap's return at which the device touches the page once more. */
const delays = [0, 1, 10, 100, 1000] as const;

const Config = z.strictObject({
  variants: z
    .array(
      z.string().refine((name) => variants.some((one) => one.name === name), {
        error: `accepts ${variants.map(({ name }) => name).join(", ")}`,
      }),
    )
    .min(1)
    .default([
      "pass-through",
      "strict",
      "magazines-strict",
      "one-to-one-strict",
      "deferred",
      "magazines-deferred",
      "one-to-one-deferred",
      "strict-ish",
      "pools-4-lazy",
    ])
    .describe("ways of mapping"),
  cores: z.array(z.int().min(1).max(16)).min(1).default([8]).describe("cores that run the workload"),
  profile: z.enum(["both", "transmit", "receive"]).default("both").describe("which buffers the driver maps"),
  buffersAPage: z.int().min(1).max(16).default(1).describe("buffers that share a page, one after another"),
  sentAgain: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of buffers whose page is out already: the same page sent twice"),
  replications: z.int().min(1).max(100).default(4).describe("independent runs of each point, for the intervals"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});

/** One run. */
export interface SafetyPoint {
  run: HostRun;
  replication: number;
}

function points(config: z.output<typeof Config>, { facts }: Basis): SafetyPoint[] {
  const transactions = config.fidelity === "quick" ? 3000 : 30_000;
  return config.variants.flatMap((name) =>
    config.cores.flatMap((cores) =>
      Array.from({ length: config.replications }, (_, replication) => ({
        replication,
        run: {
          ...hostRunDefaults(facts),
          variant: name,
          cores,
          profile: config.profile,
          seed: config.seed * 1000 + replication,
          agedSeed: agedSeedOf(config.seed * 1000, replication),
          // Deferred queues and lists of free pages fill first.
          warmup: Math.round(transactions / 2),
          transactions,
          pages: "free lists" as const,
          ...(config.buffersAPage > 1 || config.sentAgain > 0
            ? { sharing: { buffersAPage: config.buffersAPage, repeatShare: config.sentAgain } }
            : {}),
          touchedAfterMicroseconds: [...delays],
        },
      })),
    ),
  );
}

function simulate({ run, replication }: SafetyPoint, basis: Basis): Row[] {
  const result = hostRun(run, basis);
  const { exposure, pinned, counts, cycles, gigahertz } = result;
  if (!exposure || !pinned) throw new Error("a run of this experiment measures exposure");
  const microseconds = (value: number): number => value / gigahertz / 1000;
  const each = Math.max(1, exposure.pages);
  return [
    {
      variant: run.variant,
      title: variant(run.variant).title,
      cores: run.cores,
      replication,
      throughput: result.throughput,
      unmaps: counts.unmaps,
      stalePages: exposure.pages,
      ownerPages: exposure.owner / cycles,
      otherPages: exposure.other / cycles,
      reachedOther: exposure.reachedOther / each,
      longestOther: microseconds(exposure.longestOther),
      ...Object.fromEntries(
        exposure.touches.flatMap(({ owner, other }, i) => [
          [`owner${delays[i]}`, owner / Math.max(1, counts.unmaps)],
          [`other${delays[i]}`, other / Math.max(1, counts.unmaps)],
        ]),
      ),
      pinnedMean: pinned.mean,
      pinnedMost: pinned.most,
      tableKiB: result.tableCount * 4,
      emptyTables: result.emptyTables,
      freedTables: counts.freedTables,
      invalidations: counts.invalidations / Math.max(1, counts.unmaps),
      sharedUnmaps: counts.sharedUnmaps / Math.max(1, counts.unmaps),
      fallbacks: counts.fallbacks / Math.max(1, counts.maps),
    },
  ];
}

function reach(rows: readonly Row[]): Figure {
  const ways = byVariant(rows);
  const columns = delays.flatMap((delay) => [`owner${delay}`, `other${delay}`]);
  const series = (kind: "owner" | "other", text: string, hatched: boolean, place: number) => {
    const values = ways.map(({ rows: mine }): Interval => {
      const worst = columns.filter((column) => column.startsWith(kind)).map((column) => meanOf(mine, column));
      return worst.reduce((most, one) => (one.mean > most.mean ? one : most));
    });
    return {
      name: text,
      values: values.map(({ mean }) => 100 * mean),
      low: values.map(({ low }) => 100 * low),
      high: values.map(({ high }) => 100 * high),
      hatched,
      place,
    };
  };
  return barFigure({
    title: "What is still in reach after an unmap",
    caption: `Of all unmapped pages, the share that a device reaches which touches each once more, after 0, 1, 10, 100 or 1000 µs: after the delay at which it reaches most. Strict reaches neither kind; strict-ish only pages that their owner still reads.`,
    categories: ways.map(({ title }) => title),
    x: { title: "way of mapping", unit: "" },
    y: { title: "unmaps whose page is reached", unit: "%" },
    series: [
      series("owner", "its owner still reads it", false, 0),
      series("other", "it is somebody else's by now", false, 4),
    ],
    lying: true,
  });
}

const touchColumns = Object.fromEntries(
  delays.flatMap((delay) => [
    [`owner${delay}`, { unit: "1", description: `reached ${delay} µs after the unmap, its owner's: per unmap` }],
    [`other${delay}`, { unit: "1", description: `reached ${delay} µs after the unmap, somebody else's: per unmap` }],
  ]),
);

/** Every way of mapping on one axis: what stays in reach after an unmap, and throughput. */
export const safety: Experiment<typeof Config, SafetyPoint> = defineExperiment({
  name: "safety",
  place: [7, 2],
  title: "What is still in reach after an unmap",
  question: "What can a device reach that goes on touching what was unmapped, and what does it cost to prevent it?",
  config: Config,
  points,
  label: ({ run, replication }) => `${run.variant}, ${run.cores} cores, run ${replication + 1}`,
  simulate,
  columns: {
    variant: { unit: "", description: "way of mapping" },
    title: { unit: "", description: "the same, as figures name it" },
    cores: { unit: "", description: "cores that run the workload" },
    replication: { unit: "", description: "number of the independent run" },
    throughput: { unit: "1/s", description: "transactions a second" },
    unmaps: { unit: "", description: "unmaps in the measurement" },
    stalePages: { unit: "pages", description: "pages whose translation was still cached when their unmap returned" },
    ownerPages: { unit: "pages", description: "in reach while their owner reads them, mean at a time" },
    otherPages: { unit: "pages", description: "in reach while they are somebody else's, mean at a time" },
    reachedOther: { unit: "1", description: "share of those translations that came to lead to somebody else's page" },
    longestOther: { unit: "µs", description: "the longest that one led there" },
    ...touchColumns,
    pinnedMean: { unit: "pages", description: "held after their owner gave them up, mean at a time" },
    pinnedMost: { unit: "pages", description: "the same, most" },
    tableKiB: { unit: "KiB", description: "memory of the page tables at the end" },
    emptyTables: { unit: "tables", description: "of them, tables that map nothing" },
    freedTables: { unit: "tables", description: "table pages freed in the measurement" },
    invalidations: { unit: "1", description: "invalidations per unmap" },
    sharedUnmaps: { unit: "1", description: "dynamic 1:1: share of unmaps of a page that somebody still maps" },
    fallbacks: { unit: "1", description: "dynamic 1:1: share of maps that took an address above memory" },
  },
  figures: { trade, reach },
  claims: (rows, _, facts) => claimsOf(rows, facts),
});
