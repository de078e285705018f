/**
 * Mechanisms that could be behind the rows which the model misses by more than a fifth, each tried as a variant of the runs. They were thought of
 * after the rows had been seen, so that a variant which mends a row is a candidate and no explanation, and none of them is in use.
 */
import type { ColumnTable } from "arquero";
import { z } from "zod";
import type { Basis, Facts } from "../../facts/index.js";
import { runDmaStream } from "../../streams/index.js";
import { tableOf } from "../frame/experiment.js";
import { pageSizesSchema } from "./config.js";
import { type PageHost, pageHost } from "./hosts.js";
import { type PagePoint, pagePoints } from "./points.js";
import { type RunSpec, streamOf } from "./stream.js";

/** A variant: the rows that it may touch, and what it changes of a run and of its host. */
interface Variant {
  among(point: PagePoint): boolean;
  run?(spec: RunSpec): Partial<RunSpec>;
  host?(host: PageHost): Partial<PageHost>;
}

const ordinary = ({ host }: PagePoint): boolean => host !== "snb";
/** One host is enough to refute. */
const onHaswell = ({ host }: PagePoint): boolean => host === "hsw";
const reads = ({ spec }: PagePoint): boolean => spec.direction === "read";
const small = ({ spec }: PagePoint): boolean => spec.page === "4K";
const lines = ({ dmaBytes }: RunSpec): number => dmaBytes / 64;
const superpage = 2 * 1024 * 1024;
const remoteOff = ({ host, spec }: PagePoint): boolean =>
  host === "ivb-remote" && spec.page === "off" && spec.direction === "read";
const fromMemory = ({ off }: PageHost, extraNs: number): Partial<PageHost> => ({
  off: { hitNs: off.hitNs + off.dramExtraNs + extraNs, dramExtraNs: 0 },
});

const variants: Readonly<Record<string, Variant>> = {
  "a walk is busy 3.2 ns longer for each further line of its read": {
    among: (point) => ordinary(point) && reads(point) && small(point),
    run: (spec) => ({ walkIntervalNs: (spec.walkIntervalNs ?? 0) + 3.2 * (lines(spec) - 1) }),
  },
  "the card cuts reads at 128 bytes": {
    among: (point) => onHaswell(point) && reads(point) && point.spec.dmaBytes > 128,
    run: (spec) => ({ tags: Math.ceil(spec.tags / (spec.dmaBytes / 128)) }),
  },
  "completions are cut at every read completion boundary": {
    among: (point) => onHaswell(point) && reads(point) && point.spec.dmaBytes >= 256,
    run: () => ({ completions: "rcb" }),
  },
  "hits pass a miss": {
    among: (point) => onHaswell(point) && reads(point) && small(point),
    run: () => ({ hitUnderMiss: true }),
  },
  "Broadwell has 5.4 walks under way": {
    among: (point) => point.host === "bdw" && small(point),
    run: ({ direction }) => ({ walkers: 6, walkIntervalNs: direction === "read" ? 54 : 50 }),
  },
  "every host has six walkers": {
    among: (point) => point.host === "ivb" && small(point),
    run: () => ({ walkers: 6 }),
  },
  "off, the other socket's lines come from memory": {
    among: remoteOff,
    host: (host) => fromMemory(host, 0),
  },
  "off, they come from memory, 60 ns further away": {
    among: remoteOff,
    host: (host) => fromMemory(host, 60),
  },
  "walks within one superpage follow one another": {
    among: ({ host, spec }) => host === "snb" && spec.page === "2M",
    run: ({ walkers, windowBytes }) => ({ walkers: Math.min(walkers, Math.ceil(windowBytes / superpage)) }),
  },
};

/** From before to after, as a pair. */
const Pair = z.tuple([z.number(), z.number()]);
const Tried = z.strictObject({
  /** What may be behind the rows. */
  mechanism: z.string(),
  /** Where its number comes from, and in which range it could lie. */
  from: z.string().min(16),
  /** candidate: it mends the rows and spoils few others. refuted: it mends nothing, or spoils rows that fitted. */
  standing: z.enum(["candidate", "refuted"]),
  why: z.string().min(8),
  /** Rows that it touches; of their errors the median and the largest, in percent; rows that are off by more than a fifth; by more than a point. */
  rows: z.int(),
  median: Pair,
  worst: Pair,
  above20: Pair,
  better: z.int(),
  worse: z.int(),
});
/** A mechanism that was tried, and what it did to the rows that it touches. */
export type TriedMechanism = z.output<typeof Tried>;
const File = z.strictObject({
  about: z.string(),
  tried: z.iso.date(),
  misses: z.array(
    z.strictObject({ rows: z.string().min(8), records: z.array(z.string()).min(1), tried: z.array(Tried).min(1) }),
  ),
});
/** Rows that are off by more than a fifth, and what was tried for them. */
export type TriedFor = z.output<typeof File>["misses"][number];

/** What was tried, as data/judging/tried.json keeps it. @throws Error naming the file and the field at fault */
export function triedMechanisms(facts: Facts): TriedFor[] {
  const parsed = File.safeParse(facts.judging("tried"));
  if (parsed.success) return parsed.data.misses;
  const issue = parsed.error.issues[0];
  throw new Error(`data/judging/tried.json: ${issue.path.join(".")}: ${issue.message}`);
}

type Effect = Pick<TriedMechanism, "rows" | "median" | "worst" | "above20" | "better" | "worse">;

/**
 * Runs a variant on the rows that it touches.
 * @throws RangeError naming the mechanisms, where it is none of them
 */
export function tryMechanism(mechanism: string, basis: Basis): Effect {
  const variant = Object.hasOwn(variants, mechanism) ? variants[mechanism] : undefined;
  if (variant === undefined)
    throw new RangeError(`There is no mechanism "${mechanism}"; there are ${Object.keys(variants).join(" · ")}.`);
  const config = pageSizesSchema(basis.facts).parse({ parts: ["published"] });
  const points = pagePoints(config, basis).filter(
    (point) => point.kind === "bandwidth" && point.published?.use === "prediction" && variant.among(point),
  );
  const errors = points.map((point): [number, number] => {
    const host = pageHost(point.host, basis);
    const off = (spec: RunSpec, on: PageHost): number => {
      const error = 100 * (runDmaStream(streamOf(on, spec)).gbps / (point.published?.measured ?? Number.NaN) - 1);
      return error < 0 ? -error : error;
    };
    const changed = { ...point.spec, ...variant.run?.(point.spec) };
    return [off(point.spec, host), off(changed, { ...host, ...variant.host?.(host) })];
  });
  const both = (of: (values: readonly number[]) => number): [number, number] => [
    of(errors.map(([before]) => before)),
    of(errors.map(([, after]) => after)),
  ];
  const tenth = (value: number): number => Math.round(10 * value) / 10;
  return {
    rows: errors.length,
    median: both((values) => tenth([...values].sort((a, b) => a - b)[values.length >> 1])),
    worst: both((values) => Math.round(Math.max(...values))),
    above20: both((values) => values.filter((value) => value > 20).length),
    better: errors.filter(([before, after]) => after < before - 1).length,
    worse: errors.filter(([before, after]) => after > before + 1).length,
  };
}

/** What was tried for the rows that are off by more than a fifth: a line a mechanism. */
export function triedTable(facts: Facts): ColumnTable {
  const pair = ([before, after]: readonly [number, number]): string => `${before} → ${after}`;
  const column = (description: string, unit = "") => ({ unit, description });
  return tableOf(
    triedMechanisms(facts).flatMap(({ rows: missed, tried }) =>
      tried.map(({ mechanism, standing, why, rows, median, worst, above20 }) => ({
        missed,
        mechanism,
        standing,
        rows,
        above20: pair(above20),
        median: pair(median),
        worst: pair(worst),
        why,
      })),
    ),
    {
      missed: column("rows that are off by more than a fifth"),
      mechanism: column("what could be behind them"),
      standing: column("a candidate, found after the fact, or refuted"),
      rows: column("predicted rows that it touches"),
      above20: column("of them, off by more than a fifth: as the model is → with the mechanism"),
      median: column("median error", "%"),
      worst: column("largest error", "%"),
      why: column("what it does"),
    },
  );
}
