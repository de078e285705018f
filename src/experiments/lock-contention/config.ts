import { z } from "zod";
import { variant, variants } from "../../dma/index.js";
import { lockKinds } from "../../machine/index.js";
import { driverProfiles, type HostRun, hostRunDefaults, publishedStackCycles } from "../../workload/index.js";

/** A list to sweep; one value may stand alone. */
const sweep = <T extends z.ZodType>(item: T, standard: z.output<T>[], text: string) =>
  z
    .preprocess(
      (v) => (Array.isArray(v) || v === undefined ? v : [v]),
      z.array(item).min(1, "accepts at least one value"),
    )
    .default(standard)
    .describe(text);

const whole = (low: number, high: number, unit: string) =>
  z
    .int({ error: `accepts a whole number of ${unit} from ${low} to ${high}` })
    .min(low, { error: `accepts a whole number of ${unit} from ${low} to ${high}` })
    .max(high, { error: `accepts a whole number of ${unit} from ${low} to ${high}` });

const number = (low: number, high: number, unit: string) =>
  z
    .number({ error: `accepts ${unit} from ${low} to ${high}` })
    .min(low, { error: `accepts ${unit} from ${low} to ${high}` })
    .max(high, { error: `accepts ${unit} from ${low} to ${high}` });

const d = hostRunDefaults;

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
  rxRing: number;
  shuffleCompletions: boolean;
  peerMicroseconds: number;
  fidelity: "quick" | "full";
  replications: number;
  seed: number;
}

/** Stack work of a transaction that record PE1 fixes, in µs. */
export const publishedStackMicroseconds: number = Math.round((publishedStackCycles(2.9) / 2900) * 1000) / 1000;

const variantName = z.string().refine((name) => variants.some((v) => v.name === name), {
  error: `accepts ${variants.map((v) => v.name).join(", ")}`,
});

/** The configuration's schema: every field with its default, unit and bounds. */
export const LockContentionConfigSchema: z.ZodType<LockContentionConfig, Partial<LockContentionConfig>> = z
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
    holes: sweep(number(0, 0.5, "a share"), [0], "share of the static maps that is unmapped again before the traffic"),
    mapsPerSide: sweep(number(0.25, 8, "maps"), [1], "maps a transaction on each side that the profile maps"),
    stackMicroseconds: sweep(
      number(0.5, 500, "µs"),
      [publishedStackMicroseconds],
      "work of a transaction outside DMA mapping (µs a core); the default is record PE1",
    ),
    stackLines: sweep(whole(0, 65_536, "lines"), [d.stackLines], "cache lines that a transaction's other work touches"),
    twoPageShare: sweep(number(0, 1, "a share"), [0], "share of buffers that take two pages (record: 0.35 on vmxnet3)"),
    ats: sweep(z.boolean({ error: "accepts true or false" }), [false], "the device caches translations (ATS)"),
    coherent: sweep(
      z.boolean({ error: "accepts true or false" }),
      [true],
      "page walks snoop the CPU caches; false adds clflush",
    ),
    storeOverlap: sweep(number(0, 1, "a share"), [0], "share of a store's latency that the core does not wait for"),
    invalidationCycles: sweep(
      whole(0, 20_000, "cycles"),
      [2027],
      "from the queue's tail register to the status word (record RI1 less the tail write)",
    ),
    serialShare: sweep(number(0, 1, "a share"), [0.5], "share of that time in which the IOMMU takes up nothing else"),
    handoffPercent: sweep(
      whole(0, 100, "percent"),
      [100],
      "how long a lock line's home is busy with one waiter's read, in percent of its latency: the cost of a hand-off for each waiter",
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
      .default(3)
      .describe("independent runs of each point, for the intervals"),
    seed: whole(0, 2_147_483_647, "numbers").default(1).describe("the random streams"),
  })
  .superRefine((config, context) => {
    const lists = Object.values(config).filter(Array.isArray) as unknown[][];
    const count = lists.reduce((n, list) => n * list.length, config.replications);
    if (count > 5000)
      context.addIssue({ code: "custom", path: [], message: `accepts at most 5000 runs; these lists make ${count}` });
  }) as never;

/** Transactions of a run by fidelity: before and within the measurement. */
export const fidelities: Record<"quick" | "full", { warmup: number; transactions: number }> = {
  quick: { warmup: 400, transactions: 1200 },
  full: { warmup: 10_000, transactions: 40_000 },
};

/** A queue a CPU is flushed all at once when one is full: a run must see that a few times, and each CPU fills its own slowly. */
const perCpuFlush = { quick: { warmup: 3000, transactions: 5000 }, full: { warmup: 20_000, transactions: 60_000 } };

/** How long a run of a variant is. */
export function lengthOf(name: string, fidelity: "quick" | "full"): { warmup: number; transactions: number } {
  return variant(name).policy === "deferred-per-cpu" ? perCpuFlush[fidelity] : fidelities[fidelity];
}

/** One run of the sweep. */
export interface LockContentionPoint {
  run: HostRun;
  handoffPercent: number;
  stackMicroseconds: number;
  mapsPerSide: number;
  replication: number;
}

/** Every run of a configuration. */
export function pointsOf(config: LockContentionConfig): LockContentionPoint[] {
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
    ["threads", config.threads],
    ["cores", config.cores],
    ["replication", Array.from({ length: config.replications }, (_, i) => i)],
  ];
  let choices: Choice[] = [{}];
  for (const [name, values] of axes)
    choices = choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value })));
  return choices.map((choice) => {
    const c = choice as {
      variant: string;
      handoffPercent: number;
      stackMicroseconds: number;
      mapsPerSide: number;
      replication: number;
      storeOverlap: number;
      invalidationCycles: number;
      serialShare: number;
    };
    const {
      handoffPercent,
      stackMicroseconds,
      mapsPerSide,
      replication,
      storeOverlap,
      invalidationCycles,
      serialShare,
      ...rest
    } = c;
    variant(c.variant);
    return {
      handoffPercent,
      stackMicroseconds,
      mapsPerSide,
      replication,
      run: {
        ...d,
        ...(rest as Partial<HostRun>),
        rxMaps: mapsPerSide,
        txMaps: mapsPerSide,
        stackCycles: stackMicroseconds === publishedStackMicroseconds ? "PE1" : Math.round(stackMicroseconds * 2900),
        rxRing: config.rxRing,
        shuffleCompletions: config.shuffleCompletions,
        peerMicroseconds: config.peerMicroseconds,
        costs: { storeOverlap, invalidationCycles, serialShare },
        machineOverrides: handoffPercent === 100 ? {} : { homeOccupancyPercent: handoffPercent },
        seed: config.seed * 1000 + replication,
        ...lengthOf(c.variant, config.fidelity),
      },
    };
  });
}
