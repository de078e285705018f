import { z } from "zod";
import { variant, variants } from "../../dma/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import {
  changeOf,
  type HostRun,
  hostOfDefaults,
  hostRunDefaults,
  type KnobValue,
  type RecordedLoad,
} from "../../host/index.js";
import { machineConfig } from "../../machine/index.js";
import { traceNames } from "../../recordings/index.js";
import {
  allKnobs,
  coresOf,
  type KnobCells,
  listName,
  type Swept,
  type SweptInput,
  sweptFields,
} from "../frame/knob-fields.js";
import { agedSeedOf, mergedTree, type RunLength } from "../frame/run-length.js";

const replicationsAtMost = 16;

const whole = (low: number, high: number, unit?: string) => {
  const error = `accepts a whole number${unit === undefined ? "" : ` of ${unit}`} from ${low} to ${high}`;
  return z.int({ error }).min(low, { error }).max(high, { error });
};

/** What a run takes beside the knobs. */
interface Fixed {
  variants: string[];
  fidelity: "quick" | "full";
  replications?: number | undefined;
  seed: number;
  /** Recorded requests in place of TCP_RR: a recording of the laboratory by name, or stretches of one's own. */
  trace?: string | RecordedStretches | undefined;
  /** How many times as fast as recorded they come. */
  rates?: number[] | undefined;
}

/** Stretches of a recording of one's own, as `--set trace=FILE` makes them. */
export interface RecordedStretches {
  name: string;
  loads: RecordedLoad[];
}

/** The configuration: the lists are swept, every combination is a point. */
export type LockContentionConfig = Fixed & Swept;
/** A configuration as it is written: everything may be left out, and one value may stand for a list. */
export type LockContentionInput = {
  [K in keyof Fixed]?: Fixed[K] | (K extends "variants" ? string : K extends "rates" ? number : never) | undefined;
} & SweptInput;

const variantName = z.string().refine((name) => variants.some((v) => v.name === name), {
  error: `accepts ${variants.map((v) => v.name).join(", ")}`,
});

const rate = z
  .number({ error: "accepts a number from 0.001 to 1,000,000,000" })
  .min(0.001, "accepts a number from 0.001 to 1,000,000,000")
  .max(1e9, "accepts a number from 0.001 to 1,000,000,000");
const numbers = z.array(z.number());
/** Stretches that were made of a file: what they hold is checked by the host. */
const stretchesField = z.strictObject({
  name: z.string().max(200),
  loads: z
    .array(
      z.strictObject({
        cores: z.int().min(1),
        timeNs: numbers,
        core: numbers,
        pages: numbers,
        maps: numbers,
        frame: numbers,
        held: z.array(z.strictObject({ pages: z.number(), core: z.number(), frame: z.number() })),
        before: z.int().min(0),
        warmup: z.int().min(0),
      }),
    )
    .min(1),
});
const traceField = z.union(
  [
    z.string().refine((name) => traceNames().includes(name), { error: `accepts ${traceNames().join(", ")}` }),
    stretchesField,
  ],
  { error: `accepts ${traceNames().join(", ")}, or (from a terminal) the path of a recording` },
);

/** The configuration's schema: the ways of mapping, a list for every knob, and how many runs. */
export function lockContentionSchema(facts: Facts): z.ZodType<LockContentionConfig, LockContentionInput> {
  return z
    .strictObject({
      variants: z
        .preprocess(
          (v) => (Array.isArray(v) || v === undefined ? v : [v]),
          z
            .array(variantName)
            .min(1, "accepts at least one value")
            .refine((values) => new Set(values).size === values.length, "accepts each value once"),
        )
        .default(["off", "strict", "deferred"])
        .describe("ways of mapping"),
      ...sweptFields(facts, { cores: [1, 2, 4, 8, 16] }),
      fidelity: z
        .enum(["quick", "full"], { error: "accepts quick or full" })
        .default("quick")
        .describe("how many transactions"),
      replications: whole(1, 100, "replications")
        .optional()
        .describe(
          "independent runs of each point (default: 3 below 8 cores, 8 from there, 16 in strict mode on both sockets)",
        ),
      seed: whole(0, 2_147_483_647).default(1).describe("the random streams"),
      trace: traceField
        .optional()
        .describe(
          "recorded requests in place of TCP_RR: a recording's name, or (from a terminal) a file; its CPUs share the cores, a run is a stretch of it, a transaction is a map and an unmap",
        ),
      rates: z
        .preprocess((v) => (typeof v === "number" ? [v] : v), z.array(rate).min(1, "accepts at least one value"))
        .optional()
        .describe("with a trace: how many times as fast as recorded its requests come (default: 1)"),
    })
    .superRefine((parsed, context) => {
      const config = parsed as unknown as LockContentionConfig;
      const refuse = (path: (string | number)[], message: string) =>
        context.addIssue({ code: "custom", path, message });
      for (const host of config.host ?? [hostOfDefaults])
        for (const [i, cores] of (config.cores ?? []).entries())
          if (cores > coresOf(facts, host))
            refuse(
              ["cores", i],
              `accepts a whole number of cores from 1 to ${coresOf(facts, host)}, which ${host} has`,
            );
      if (config.rates !== undefined && config.trace === undefined)
        refuse(["rates"], "accepts nothing without a trace: TCP_RR asks when it has its answer");
      if (config.stack !== undefined && "stackMicroseconds" in config && (config.stackMicroseconds?.length ?? 0) > 1)
        refuse(["stack"], "accepts nothing where stackMicroseconds is swept: both are the stack's work");
      const lists = Object.values(config).filter(Array.isArray) as unknown[][];
      const count = lists.reduce((n, list) => n * list.length, config.replications ?? replicationsAtMost);
      if (count > 5000) refuse([], `accepts at most 5000 runs; these lists make ${count}`);
    }) as never;
}

/**
 * By fidelity. A quick run starts from rings that were turned over once outside simulated time; a full one from fresh rings, which it
 * turns over by itself (8,192 transactions a turn): the two must agree.
 *
 * In v4.3's deferred mode the table of 250 unmaps is flushed every 125 transactions of two unmaps, and everybody stands still meanwhile.
 * Warm-up and measurement are whole numbers of that, or the flush that falls just inside or outside would be most of the variance.
 */
const lengths: Record<"quick" | "full", RunLength> = {
  quick: { agedTurns: 1, warmup: 500, transactions: 1000 },
  full: { agedTurns: 0, warmup: 25_000, transactions: 40_000 },
};

const merged: Record<"quick" | "full", RunLength> = {
  quick: { ...lengths.quick, agedTurns: mergedTree.turns },
  full: { ...lengths.full, warmup: mergedTree.warmup },
};

/** A queue a CPU is flushed all at once when one is full: a run must see that a few times, and each CPU fills its own slowly. */
const perCpuFlush: Record<"quick" | "full", RunLength> = {
  quick: { agedTurns: 1, warmup: 3000, transactions: 5000 },
  full: { agedTurns: 0, warmup: 25_000, transactions: 60_000 },
};

/** Strict mode on the tree of v4.3 walks hundreds of nodes a map and takes longest to simulate: fewer transactions, more runs. */
const strictTree: RunLength = { agedTurns: 1, warmup: 250, transactions: 750 };
const isStrictTree = (name: string): boolean =>
  variant(name).policy === "strict" && variant(name).allocator === "rbtree";

/** How long a run of a variant is. */
export function lengthOf(name: string, fidelity: "quick" | "full"): RunLength {
  if (variant(name).policy === "deferred-per-cpu") return perCpuFlush[fidelity];
  if (variant(name).allocator === "rbtree-merged") return merged[fidelity];
  return fidelity === "quick" && isStrictTree(name) ? strictTree : lengths[fidelity];
}

/** So many cores saturate the locks: throughput then varies by 4 % from run to run, and by 1 % below. */
const saturated = 8;
/** Cores of a socket: strict mode on both varies by 9 % from run to run, on one by 3 %. */
const oneSocket = 8;

/** Runs of a point that keep its 95 % interval near 5 %. */
function replicationsOf(name: string, cores: number): number {
  if (cores < saturated) return 3;
  return isStrictTree(name) && cores > oneSocket ? replicationsAtMost : 8;
}

/** Whether page walks snoop the caches on the host of a run. */
const walksSnoop = (run: HostRun, facts: Facts): boolean =>
  (run.machineOverrides.coherentWalks ?? machineConfig(facts, run.machine).coherentWalks) === 1;

/** One run of the sweep. */
export interface LockContentionPoint {
  run: HostRun;
  /** The knobs that stand in its row; null: a hand-off as coherence makes it, or of a lock whose hand-off has no such cost. */
  settings: KnobCells;
  replication: number;
  /** Recorded requests in place of TCP_RR: which stretch of how many, and how much faster. */
  load?: { trace: string | RecordedStretches; stretch: number; stretches: number; rate: number };
}

/** Stretches of a recording that are run where nobody says how many. */
const stretchesAtFirst = 3;

/** Every run of a configuration. */
export function pointsOf(config: LockContentionConfig, basis: Basis): LockContentionPoint[] {
  const { trace } = config;
  if (trace === undefined) return tcpRrPoints(config, basis);
  const { rates = [1] } = config;
  const stretches = Math.min(
    config.replications ?? stretchesAtFirst,
    typeof trace === "string" ? replicationsAtMost : trace.loads.length,
  );
  return tcpRrPoints({ ...config, replications: stretches }, basis).flatMap((point) =>
    rates.map((each) => ({ ...point, load: { trace, stretch: point.replication, stretches, rate: each } })),
  );
}

function tcpRrPoints(config: LockContentionConfig, { facts }: Basis): LockContentionPoint[] {
  const defaults = hostRunDefaults(facts);
  const lists = config as unknown as Record<string, KnobValue[] | undefined>;
  const swept = allKnobs().filter(({ name }) => lists[listName(name)] !== undefined);
  const fallbacks = new Map(swept.map((knob) => [knob.name, knob.fallback(facts)]));
  const replications = config.replications ?? replicationsAtMost;
  type Choice = Record<string, KnobValue>;
  let choices: Choice[] = config.variants.map((variantOf) => ({ variant: variantOf }));
  const axes: [string, readonly KnobValue[]][] = [
    ...swept.map(({ name }): [string, readonly KnobValue[]] => [name, lists[listName(name)] ?? []]),
    ["replication", Array.from({ length: replications }, (_, i) => i)],
  ];
  for (const [name, values] of axes)
    choices = choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value })));
  return choices.flatMap((choice): LockContentionPoint[] => {
    const { variant: name, replication, ...settings } = choice;
    const most = config.replications ?? replicationsOf(String(name), Number(settings["cores"]));
    if (Number(replication) >= most) return [];
    // Only a ticket lock's waiters read one line: every other kind is run once, whatever the hand-offs of the ticket lock.
    const ticket = settings["lock"] === "ticket";
    if (!ticket && settings["handoffCycles"] !== lists["handoffCycles"]?.[0]) return [];
    const handoffCycles = ticket && settings["handoffCycles"] !== "modelled" ? settings["handoffCycles"] : null;
    // What is at its default, and not swept, is left to the host, whose costs may be others.
    const changed = Object.entries(settings).filter(
      ([knob, value]) => value !== fallbacks.get(knob) || (lists[listName(knob)]?.length ?? 0) > 1,
    );
    const change = changeOf({ ...Object.fromEntries(changed), handoffCycles: handoffCycles ?? undefined }, facts);
    const run = {
      ...defaults,
      variant: String(name),
      ...lengthOf(String(name), config.fidelity),
      agedSeed: agedSeedOf(config.seed * 1000, Number(replication)),
      ...change,
      seed: config.seed * 1000 + Number(replication),
    };
    return [
      {
        run,
        settings: {
          ...settings,
          staticMaps: run.staticMaps,
          coherent: walksSnoop(run, facts),
          handoffCycles,
        } as KnobCells,
        replication: Number(replication),
      },
    ];
  });
}
