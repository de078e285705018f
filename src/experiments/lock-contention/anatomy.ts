import { z } from "zod";
import { contexts, variant, variants } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRun, hostRunDefaults } from "../../host/index.js";
import { lockKinds } from "../../machine/index.js";
import { barFigure, lineFigure, lookOf, looks } from "../../plot/index.js";
import { defineExperiment, type Experiment, type Interval } from "../frame/experiment.js";
import { distinct, estimate, where } from "../frame/rows.js";
import { agedSeedOf } from "../frame/run-length.js";
import { lengthOf } from "./config.js";
import { lockGroup } from "./rows.js";

// Question: line by line, where do the cycles of one map and one unmap go; and what does lock_stat say about the locks?

/** What the two tables are made for. */
export interface AnatomyConfig {
  variants: string[];
  cores: number[];
  lock: HostRun["lock"];
  profile: HostRun["profile"];
  ats: boolean;
  coherent: boolean;
  fidelity: "quick" | "full";
  seed: number;
}

/** What may be given: everything has a default. */
type Input<C> = { [K in keyof C]?: C[K] | undefined };

const fields = {
  variants: z
    .array(
      z.string().refine((name) => variants.some((v) => v.name === name), {
        error: `accepts ${variants.map((v) => v.name).join(", ")}`,
      }),
    )
    .min(1)
    .default(["deferred"])
    .describe("ways of mapping"),
  cores: z.array(z.int().min(1).max(16)).min(1).default([1, 16]).describe("cores that run the workload"),
  lock: z.enum(lockKinds).default("queued").describe("kind of every spinlock"),
  profile: z.enum(["both", "transmit", "receive"]).default("both").describe("which buffers the driver maps"),
  ats: z.boolean().default(false).describe("the device caches translations (ATS)"),
  coherent: z.boolean().default(false).describe("page walks snoop the CPU caches; false adds clflush"),
  fidelity: z.enum(["quick", "full"]).default("quick").describe("how many transactions"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
};

/** The configuration of the lock table: a run for each variant and number of cores. */
const TableConfigSchema: z.ZodType<AnatomyConfig, Input<AnatomyConfig>> = z.strictObject(fields);

/** The configuration of the anatomy. */
export interface MapAnatomyConfig extends AnatomyConfig {
  replications: number;
}

const AnatomyConfigSchema: z.ZodType<MapAnatomyConfig, Input<MapAnatomyConfig>> = z.strictObject({
  ...fields,
  replications: z.int().min(1).max(100).default(4).describe("independent runs of each point, for the intervals"),
});

const pointsOf = (config: AnatomyConfig, { facts }: Basis): HostRun[] =>
  config.variants.flatMap((name) =>
    config.cores.map((cores) => ({
      ...hostRunDefaults(facts),
      variant: name,
      cores,
      lock: config.lock,
      profile: config.profile,
      ats: config.ats,
      machineOverrides: { coherentWalks: config.coherent ? 1 : 0 },
      seed: config.seed * 1000,
      agedSeed: config.seed * 1000,
      ...lengthOf(name, config.fidelity),
    })),
  );

/** One run of the anatomy. */
interface AnatomyPoint {
  run: HostRun;
  replication: number;
}

const anatomyPoints = (config: MapAnatomyConfig, basis: Basis): AnatomyPoint[] =>
  pointsOf(config, basis).flatMap((run) =>
    Array.from({ length: config.replications }, (_, replication) => ({
      run: { ...run, seed: run.seed + replication, agedSeed: agedSeedOf(run.seed, replication) },
      replication,
    })),
  );

const label = (run: HostRun): string => `${run.variant}, ${run.cores} cores`;

/** The cycles of every line of map, unmap and flush, per call: an unmap's share of the flushes included. */
function anatomyRows({ run, replication }: AnatomyPoint, basis: Basis) {
  const result = hostRun(run, basis);
  const { maps, unmaps } = result.counts;
  return result.steps
    .filter((s) => s.context !== "none")
    .map((s) => ({
      variant: run.variant,
      title: variant(run.variant).title,
      cores: run.cores,
      replication,
      call: s.context === "map" ? ("dma_map" as const) : ("dma_unmap" as const),
      within: s.context,
      function: s.step,
      part: s.part,
      cycles: s.cycles / Math.max(1, s.context === "map" ? maps : unmaps),
      what: s.what,
    }));
}

/** A row of the anatomy. */
export type MapAnatomyRow = ReturnType<typeof anatomyRows>[number];

/** Where the cycles of one map and one unmap go, line by line, each with its function of Linux v4.3. */
export const mapAnatomy: Experiment<typeof AnatomyConfigSchema, AnatomyPoint, MapAnatomyRow> = defineExperiment({
  name: "map-anatomy",
  place: [2, 2],
  title: "Where the cycles of one dma_map and one dma_unmap go",
  question: "Line by line, what do one dma_map and one dma_unmap cost?",
  config: AnatomyConfigSchema,
  points: anatomyPoints,
  label: ({ run, replication }) => `${label(run)}, run ${replication + 1}`,
  simulate: anatomyRows,
  columns: {
    variant: { unit: "", description: "way of mapping" },
    title: { unit: "", description: "the same, as figures name it" },
    cores: { unit: "", description: "cores that run the workload" },
    replication: { unit: "", description: "number of the independent run" },
    call: { unit: "", description: "the driver's call" },
    within: {
      unit: "",
      description: `${contexts.slice(1).join(", ")}: a flush runs inside the unmap that fills the table`,
    },
    function: { unit: "", description: "function of Linux v4.3, or the lock that is waited for" },
    part: { unit: "", description: "part of the breakdown" },
    cycles: { unit: "cycles a call", description: "mean over all calls of the run" },
    what: { unit: "", description: "what happens there" },
  },
  figures: {
    unmap: (rows) => callFigure(rows, "dma_unmap"),
    map: (rows) => callFigure(rows, "dma_map"),
  },
  claims: () => [],
});

/** Cycles of a line in each run, with its interval; a line that a run never reached counts as none there. */
function lineEstimate(rows: readonly MapAnatomyRow[], name: string): Interval {
  const runs = distinct(rows, "replication").map((replication) => ({
    cycles: where(rows, { replication, function: name }).reduce((sum, row) => sum + row.cycles, 0),
  }));
  const { low, ...rest } = estimate(runs, "cycles");
  return { ...rest, low: Math.max(0, low) };
}

function callFigure(rows: readonly MapAnatomyRow[], call: MapAnatomyRow["call"]) {
  const mine = where(rows, { call });
  const lines = distinct(mine, "function");
  const groups = distinct(mine, "title").flatMap((title) => distinct(mine, "cores").map((cores) => ({ title, cores })));
  const fewest = Math.min(...groups.map(({ cores }) => cores));
  const many = distinct(mine, "title").length > 1;
  const runs = distinct(mine, "replication").length;
  const named = ({ title, cores }: (typeof groups)[number]) =>
    `${many ? `${title}, ` : ""}${cores} core${cores === 1 ? "" : "s"}`;
  const together = groups.map((group) => {
    const sum = (of: readonly MapAnatomyRow[]) =>
      Math.round(of.reduce((total, row) => total + row.cycles, 0) / runs).toLocaleString("en");
    const all = where(mine, group);
    const spinning = where(all, { part: "spinning" });
    const rest = all.filter((row) => row.part !== "spinning");
    return `${named(group)} ${sum(rest)}${spinning.some((row) => row.cycles > 0) ? ` and ${sum(spinning)} of spinning` : ""}`;
  });
  return barFigure({
    title: `One ${call}, line by line`,
    caption: `Mean cycles a call on a logarithmic axis; no dot where none were spent. Lines that begin with “spin” are waiting for another core. Together: ${together.join("; ")}.${runs > 1 ? " Intervals: 95 %, over independent runs." : ""}`,
    categories: lines,
    lying: true,
    x: { title: "function of Linux v4.3", unit: "" },
    y: { title: "time", unit: "cycles a call", log: true },
    series: groups.map((group) => {
      const estimates = lines.map((name) => lineEstimate(where(mine, group), name));
      return {
        name: named(group),
        look: lookOf("way", where(mine, group)[0].variant),
        hatched: groups.length > 1 && group.cores === fewest,
        values: estimates.map(({ mean }) => mean),
        ...(runs > 1 ? { low: estimates.map(({ low }) => low), high: estimates.map(({ high }) => high) } : {}),
      };
    }),
  });
}

/** A row of lock_stat for each lock, and the distribution of its waits and holds by power of two. */
function lockRows(run: HostRun, basis: Basis) {
  const result = hostRun(run, basis);
  const us = (cycles: number): number => cycles / (result.gigahertz * 1000);
  const seconds = result.cycles / (result.gigahertz * 1e9);
  return result.locks.map((l) => {
    const times = result.lockTimes.find((t) => t.lock === l.name);
    return {
      variant: run.variant,
      cores: run.cores,
      lock: l.name,
      group: lockGroup(l.name),
      "con-bounces": l.conBounces,
      contentions: l.contentions,
      "waittime-min": us(l.waittimeMin),
      "waittime-max": us(l.waittimeMax),
      "waittime-total": us(l.waittimeTotal),
      "waittime-avg": us(l.waittimeAvg),
      "acq-bounces": l.acqBounces,
      acquisitions: l.acquisitions,
      "holdtime-min": us(l.holdtimeMin),
      "holdtime-max": us(l.holdtimeMax),
      "holdtime-total": us(l.holdtimeTotal),
      "holdtime-avg": us(l.holdtimeAvg),
      utilisation: us(l.holdtimeTotal) / (seconds * 1e6),
      waits: (times?.waits ?? []).join(" "),
      holds: (times?.holds ?? []).join(" "),
      gigahertz: result.gigahertz,
    };
  });
}

/** A row of the lock table. */
export type LockTableRow = ReturnType<typeof lockRows>[number];

const inMicroseconds = (description: string) => ({ unit: "µs", description });

/** The lock table in the columns of Linux's lock_stat, with the distributions of waits and holds. */
export const lockTable: Experiment<typeof TableConfigSchema, HostRun, LockTableRow> = defineExperiment({
  name: "lock-table",
  place: [2, 3],
  title: "The locks of dma_map and dma_unmap, as lock_stat shows them",
  question: "How often is each lock taken, how long is it held, and how long is it waited for?",
  config: TableConfigSchema,
  points: pointsOf,
  label,
  simulate: lockRows,
  columns: {
    variant: { unit: "", description: "way of mapping" },
    cores: { unit: "", description: "cores" },
    lock: { unit: "", description: "name in Linux" },
    group: { unit: "", description: "what it protects" },
    "con-bounces": { unit: "", description: "contentions in which another CPU held it last" },
    contentions: { unit: "", description: "acquisitions that had to wait" },
    "waittime-min": inMicroseconds("shortest wait of a contended acquisition"),
    "waittime-max": inMicroseconds("longest"),
    "waittime-total": inMicroseconds("sum"),
    "waittime-avg": inMicroseconds("mean"),
    "acq-bounces": { unit: "", description: "acquisitions by another CPU than the last" },
    acquisitions: { unit: "", description: "all" },
    "holdtime-min": inMicroseconds("shortest hold"),
    "holdtime-max": inMicroseconds("longest"),
    "holdtime-total": inMicroseconds("sum"),
    "holdtime-avg": inMicroseconds("mean"),
    utilisation: { unit: "share", description: "time in which it is held" },
    waits: { unit: "counts", description: "acquisitions by wait: none, then 1 cycle, 2–3, 4–7 …" },
    holds: { unit: "counts", description: "the same by hold" },
    gigahertz: { unit: "GHz", description: "clock, to turn the buckets into time" },
  },
  figures: {
    waits: (rows) => distribution(rows, "waits", "How long an acquisition waits"),
    holds: (rows) => distribution(rows, "holds", "How long a lock is held"),
  },
  claims: () => [],
});

/** Cumulative distributions: the share of acquisitions that waited (or held) at least so long. */
function distribution(rows: readonly LockTableRow[], column: "waits" | "holds", title: string) {
  const shown = rows.filter((row) => row.acquisitions >= 100).slice(0, 8);
  const several = distinct(shown, "cores").length > 1 || distinct(shown, "variant").length > 1;
  const nameOf = (row: LockTableRow): string =>
    several ? `${row.lock} · ${row.variant} · ${row.cores} cores` : row.lock;
  const longest = shown.map((row) => {
    const microseconds = row[column === "waits" ? "waittime-max" : "holdtime-max"];
    return `${nameOf(row)} ${microseconds.toPrecision(3)} µs`;
  });
  return lineFigure({
    title,
    caption: `Share of acquisitions that ${column === "waits" ? "wait" : "hold"} at least so long, in steps of two; both axes are logarithmic, so that rare long ones show. Longest: ${longest.join(", ")}.`,
    x: { title: "time", unit: "µs", log: true },
    y: { title: "acquisitions at least so long", unit: "%", log: true },
    series: shown.map((row) => {
      const counts = row[column].split(" ").map(Number);
      const total = counts.reduce((a, b) => a + b, 0);
      let left = total;
      const x: number[] = [];
      const y: number[] = [];
      let edge = 1;
      counts.forEach((count, b) => {
        if (b > 0) {
          // Below 32 cycles there is nothing to tell apart.
          if (b >= 6) {
            x.push(edge / (row.gigahertz * 1000));
            y.push((100 * left) / total);
          }
          edge *= 2;
        }
        left -= count;
      });
      const last = y.findLastIndex((share) => share > 0) + 1;
      return {
        name: nameOf(row),
        ...(!several && Object.hasOwn(looks.lock, nameOf(row)) ? { look: lookOf("lock", nameOf(row)) } : {}),
        x: x.slice(0, last),
        y: y.slice(0, last),
      };
    }),
  });
}
