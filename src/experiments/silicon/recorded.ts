import { z } from "zod";
import type { Facts } from "../../facts/index.js";

/** Samples of a latency, in ns: the median, and the values between which four of five lie. */
const Spread = z.strictObject({
  median: z.number().min(0),
  low: z.number().min(0),
  high: z.number().min(0),
  n: z.int().min(1),
});
const Latency = Spread.nullable();
/** How two CPUs lie to each other: a cluster is what shares an L3. */
const Relation = z.enum(["same core", "same cluster", "other cluster", "other socket", "unknown"]);
const level = z.enum(["L1", "L2", "L3", "memory", "memory of the other socket"]);
const series = z.array(z.number().nullable()).min(1).max(99);

const Run = z.strictObject({
  variant: z.string().max(40),
  lock: z.enum(["none", "ticket", "queued"]),
  workNs: z.number().min(0),
  threads: z.int().min(1).max(1024),
  /** Windows in which the threads had their cores, and all windows: the lists hold the former first. */
  quiet: z.int().min(0),
  windows: z.int().min(1),
  transactionsPerSecond: series,
  spinningShare: series,
  cpuShare: series,
  visitsPerMap: z.number().min(0),
  /** A modified line from the last core of the run to the first, just before it; none with one core. */
  transferNs: Latency,
  tookSeconds: z.number().min(0),
});

const Transfer = z.strictObject({
  relation: Relation,
  from: z.int().min(0),
  to: z.int().min(0),
  /** A line that the other has modified; that it has, unmodified; and one that both have, to have it alone. */
  modifiedNs: Latency,
  cleanNs: Latency,
  takenNs: Latency,
  /** A flag from one to the other and back, by compare-exchange, halved. */
  handOverNs: Latency,
});

const File = z.strictObject({
  version: z.literal(1, { error: "accepts version 1, which silicon.c of this release writes" }),
  program: z.string().max(80),
  date: z.iso.date(),
  machine: z.strictObject({
    model: z.string().max(200),
    architecture: z.string().max(40),
    system: z.string().max(40),
    kernel: z.string().max(100),
    cores: z.int().min(1).max(1024),
    sockets: z.int().min(1),
    clusters: z.int().min(1),
    threadsPerCore: z.int().min(1),
    topologyKnown: z.boolean(),
    virtual: z.boolean(),
    caches: z
      .array(z.strictObject({ level: z.int().min(1).max(3), bytes: z.int().min(1), ways: z.int().min(1).nullable() }))
      .max(3),
  }),
  loadBefore: z.array(z.number().min(0)).max(3),
  core: z.strictObject({ cycleNs: Latency, atomicNs: Latency, relaxNs: Latency, tickNs: Latency, clockNs: Latency }),
  loads: z.array(z.strictObject({ level, bytes: z.int().min(64), ns: Latency })).max(5),
  transfers: z.array(Transfer).max(16),
  load: z.strictObject({
    depth: z.int().min(1).max(100_000),
    flushEntries: z.int().min(1),
    invalidationNs: z.number().min(0),
    repeats: z.int().min(5),
    workStepNs: z.number().min(0),
  }),
  runs: z.array(Run).min(1).max(1000),
  transfersAfter: z.array(Transfer).max(16),
  loadAfter: z.array(z.number().min(0)).max(3),
  stolenShare: z.number().min(0).max(1).nullable(),
  latenciesSeconds: z.number().min(0),
  tookSeconds: z.number().min(0),
});

/** What silicon.c measured on a machine. */
export type RecordedMachine = z.output<typeof File>;
/** One configuration of its workload. */
export type RecordedRun = RecordedMachine["runs"][number];

const prefix = "silicon-";

/** The names of the recorded machines: data/observations/silicon-NAME.json. */
export const recordedMachines = (facts: Facts): string[] =>
  Object.keys(facts.files().observations)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .sort();

/**
 * A recorded machine.
 * @throws Error naming the file, the field and what is accepted
 * @example recordedMachine(Facts.published(), "epyc-2").machine.cores // 2
 */
export function recordedMachine(facts: Facts, name: string): RecordedMachine {
  const parsed = File.safeParse(facts.observation(`${prefix}${name}`));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/observations/${prefix}${name}.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** Windows from which on a run is judged. */
export const fewestWindows = 5;

const ascending = (values: readonly (number | null)[]): number[] =>
  values.filter((value) => value !== null).sort((a, b) => a - b);

/** A series of a run over the windows in which its threads had their cores: median, least and most; undefined where there are fewer than five. */
export function undisturbed(
  { quiet }: Pick<RecordedRun, "quiet">,
  values: readonly (number | null)[],
): { median: number; low: number; high: number; n: number } | undefined {
  const sorted = ascending(values.slice(0, quiet));
  if (sorted.length < fewestWindows) return undefined;
  const middle = sorted.length >> 1;
  return {
    median: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
    low: sorted[0],
    high: sorted[sorted.length - 1],
    n: sorted.length,
  };
}
