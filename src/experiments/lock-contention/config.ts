import { z } from "zod";
import { dmaCosts, variant, variants } from "../../dma/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { driverProfiles, type HostRun, hostRunDefaults, publishedStackCycles } from "../../host/index.js";
import { lockKinds, machineConfig } from "../../machine/index.js";
import { mergedTree, type RunLength } from "../frame/run-length.js";

const replicationsAtMost = 16;

/** A list to sweep; one value may stand alone. */
const sweep = <T extends z.ZodType>(item: T, standard: z.output<T>[], text: string) =>
  z
    .preprocess(
      (v) => (Array.isArray(v) || v === undefined ? v : [v]),
      z
        .array(item)
        .min(1, "accepts at least one value")
        // A value twice would be the same runs twice, and intervals narrower than they are.
        .refine((values) => new Set(values).size === values.length, "accepts each value once"),
    )
    .default(standard)
    .describe(text);

const whole = (low: number, high: number, unit?: string) => {
  const error = `accepts a whole number${unit === undefined ? "" : ` of ${unit}`} from ${low} to ${high}`;
  return z.int({ error }).min(low, { error }).max(high, { error });
};

const number = (low: number, high: number, unit: string) =>
  z
    .number({ error: `accepts ${unit} from ${low} to ${high}` })
    .min(low, { error: `accepts ${unit} from ${low} to ${high}` })
    .max(high, { error: `accepts ${unit} from ${low} to ${high}` });

/** The configuration: the lists are swept, every combination is a point. */
export interface LockContentionConfig {
  variants: string[];
  cores: number[];
  threads: number[];
  locks: ("test-and-set" | "ticket" | "mcs" | "queued")[];
  profiles: ("both" | "transmit" | "receive")[];
  staticMaps: number[];
  holes: number[];
  mapsPerSide: number[];
  stackMicroseconds: number[];
  stackLines: number[];
  twoPageShare: number[];
  ats: boolean[];
  coherent: boolean[];
  storeOverlap: number[];
  invalidationCycles: number[];
  serialShare: number[];
  handoffPercent: number[];
  handoffCycles: ("modelled" | number)[];
  rxRing: number;
  shuffleCompletions: boolean;
  peerMicroseconds: number;
  fidelity: "quick" | "full";
  replications?: number | undefined;
  seed: number;
}

/** Stack work of a transaction that record PE1 fixes, in µs. */
export const publishedStackMicroseconds = (facts: Facts): number =>
  Math.round((publishedStackCycles(facts, 2.9) / 2900) * 1000) / 1000;

/** What record RI1 leaves for the invalidation itself, in cycles: the default, which stands for the record. */
const publishedInvalidationCycles = 2027;

const variantName = z.string().refine((name) => variants.some((v) => v.name === name), {
  error: `accepts ${variants.map((v) => v.name).join(", ")}`,
});

/** The configuration's schema: every field with its default, unit and bounds. */
export function lockContentionSchema(facts: Facts): z.ZodType<LockContentionConfig, Partial<LockContentionConfig>> {
  const d = hostRunDefaults(facts);
  return z
    .strictObject({
      variants: sweep(variantName, ["off", "strict", "deferred"], "ways of mapping"),
      cores: sweep(
        whole(1, 16, "cores"),
        [1, 2, 4, 8, 16],
        "cores that run the workload (the first eight share a socket)",
      ),
      threads: sweep(whole(1, 10_000, "threads"), [d.threads], "TCP_RR connections"),
      locks: sweep(z.enum(lockKinds, { error: `accepts ${lockKinds.join(", ")}` }), [d.lock], "kind of every spinlock"),
      profiles: sweep(
        z.enum(["both", "transmit", "receive"], { error: `accepts ${driverProfiles.map((p) => p.name).join(", ")}` }),
        [d.profile],
        "which buffers the driver maps for each packet",
      ),
      staticMaps: sweep(whole(0, 65_536, "maps"), [d.staticMaps], "maps made at boot that never go away"),
      holes: sweep(
        number(0, 0.5, "a share"),
        [0],
        "share of the static maps that is unmapped again before the traffic",
      ),
      mapsPerSide: sweep(number(0.25, 8, "maps"), [1], "maps a transaction on each side that the profile maps"),
      stackMicroseconds: sweep(
        number(0.5, 500, "µs"),
        [publishedStackMicroseconds(facts)],
        "work of a transaction outside DMA mapping (µs a core); the default is record PE1",
      ),
      stackLines: sweep(
        whole(0, 65_536, "lines"),
        [d.stackLines],
        "cache lines that a transaction's other work touches",
      ),
      twoPageShare: sweep(
        number(0, 1, "a share"),
        [0],
        "share of buffers that take two pages (record: 0.35 on vmxnet3)",
      ),
      ats: sweep(z.boolean({ error: "accepts true or false" }), [false], "the device caches translations (ATS)"),
      coherent: sweep(
        z.boolean({ error: "accepts true or false" }),
        [true],
        "page walks snoop the CPU caches; false adds clflush",
      ),
      storeOverlap: sweep(number(0, 1, "a share"), [0], "share of a store's latency that the core does not wait for"),
      invalidationCycles: sweep(
        whole(0, 20_000, "cycles"),
        [publishedInvalidationCycles],
        "from the queue's tail register to the status word (record RI1 less the tail write)",
      ),
      serialShare: sweep(number(0, 1, "a share"), [0.5], "share of that time in which the IOMMU takes up nothing else"),
      handoffPercent: sweep(
        whole(0, 100, "percent"),
        [100],
        "how long a lock line's home is busy with one waiter's read, in percent of its latency",
      ),
      handoffCycles: sweep(
        z.union([z.literal("modelled"), whole(0, 1000, "cycles")], {
          error: 'accepts "modelled" or a whole number of cycles from 0 to 1000',
        }),
        ["modelled"],
        "core cycles by which each other waiter makes the hand-off of a ticket lock longer; modelled: what coherence makes of their reads",
      ),
      rxRing: whole(16, 8192, "buffers")
        .default(d.rxRing)
        .describe("receive buffers a queue, where the profile replaces them"),
      shuffleCompletions: z.boolean().default(false).describe("sent buffers complete in arbitrary order"),
      peerMicroseconds: number(1, 10_000, "µs")
        .default(d.peerMicroseconds)
        .describe("the peer's and the wire's time (µs)"),
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
    })
    .superRefine((config, context) => {
      const lists = Object.values(config).filter(Array.isArray) as unknown[][];
      const count = lists.reduce((n, list) => n * list.length, config.replications ?? replicationsAtMost);
      if (count > 5000)
        context.addIssue({ code: "custom", path: [], message: `accepts at most 5000 runs; these lists make ${count}` });
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

/** One run of the sweep. */
export interface LockContentionPoint {
  run: HostRun;
  handoffPercent: number;
  /** null: as coherence makes it, or a lock whose hand-off has no such cost. */
  handoffCycles: number | null;
  stackMicroseconds: number;
  mapsPerSide: number;
  replication: number;
}

/** Every run of a configuration. */
export function pointsOf(config: LockContentionConfig, { facts }: Basis): LockContentionPoint[] {
  const d = hostRunDefaults(facts);
  const stackOfPe1 = publishedStackMicroseconds(facts);
  type Choice = Record<string, unknown>;
  const axes: [string, readonly unknown[]][] = [
    ["variant", config.variants],
    ["lock", config.locks],
    ["profile", config.profiles],
    ["staticMaps", config.staticMaps],
    ["holes", config.holes],
    ["mapsPerSide", config.mapsPerSide],
    ["stackMicroseconds", config.stackMicroseconds],
    ["stackLines", config.stackLines],
    ["twoPageShare", config.twoPageShare],
    ["ats", config.ats],
    ["coherent", config.coherent],
    ["storeOverlap", config.storeOverlap],
    ["invalidationCycles", config.invalidationCycles],
    ["serialShare", config.serialShare],
    ["handoffPercent", config.handoffPercent],
    ["handoffCycles", config.handoffCycles],
    ["threads", config.threads],
    ["cores", config.cores],
    ["replication", Array.from({ length: config.replications ?? replicationsAtMost }, (_, i) => i)],
  ];
  let choices: Choice[] = [{}];
  for (const [name, values] of axes)
    choices = choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value })));
  // Only a ticket lock's waiters read one line: every other kind is run once, whatever the hand-offs of the ticket lock.
  const distinctChoices = choices.filter(
    ({ variant: name, cores, replication, lock, handoffCycles }) =>
      Number(replication) < (config.replications ?? replicationsOf(String(name), Number(cores))) &&
      (lock === "ticket" || handoffCycles === config.handoffCycles[0]),
  );
  return distinctChoices.map((choice) => {
    const c = choice as {
      variant: string;
      lock: string;
      handoffPercent: number;
      handoffCycles: "modelled" | number;
      stackMicroseconds: number;
      mapsPerSide: number;
      replication: number;
      storeOverlap: number;
      invalidationCycles: number;
      serialShare: number;
    };
    const {
      handoffPercent,
      handoffCycles: asked,
      stackMicroseconds,
      mapsPerSide,
      replication,
      storeOverlap,
      invalidationCycles,
      serialShare,
      ...rest
    } = c;
    variant(c.variant);
    const handoffCycles = asked === "modelled" || c.lock !== "ticket" ? null : asked;
    return {
      handoffPercent,
      handoffCycles,
      stackMicroseconds,
      mapsPerSide,
      replication,
      run: {
        ...d,
        ...(rest as Partial<HostRun>),
        rxMaps: mapsPerSide,
        txMaps: mapsPerSide,
        stackCycles: stackMicroseconds === stackOfPe1 ? "PE1" : Math.round(stackMicroseconds * 2900),
        rxRing: config.rxRing,
        shuffleCompletions: config.shuffleCompletions,
        peerMicroseconds: config.peerMicroseconds,
        costs: {
          storeOverlap,
          invalidationCycles:
            invalidationCycles === publishedInvalidationCycles
              ? dmaCosts(facts, machineConfig(facts, d.machine)).invalidationCycles
              : invalidationCycles,
          serialShare,
        },
        ...(handoffCycles === null ? {} : { handoffCycles }),
        machineOverrides: handoffPercent === 100 ? {} : { homeOccupancyPercent: handoffPercent },
        seed: config.seed * 1000 + replication,
        ...lengthOf(c.variant, config.fidelity),
      },
    };
  });
}
