import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Interval } from "../frame/experiment.js";
import { mean } from "../frame/rows.js";
import type { Margin } from "../frame/verdict.js";
import type { RecoveryRow, Role } from "./recovery.js";
import type { MergedNodesRow } from "./rows.js";
import { type Ablation, type AblationName, ablations, type PolicyName } from "./settings.js";

// From rows to the three readings of "a third of the performance back".

/** What merging gave back in one setting, in each reading. */
export interface Recovery {
  part: RecoveryRow["part"];
  assumption: string;
  level: string | number;
  /** In the region: stack work, as a multiple of PE1. */
  stackMultiple?: number;
  policy: PolicyName;
  /** Throughput, transactions a second. */
  off: Interval;
  stock: Interval;
  merged: Interval;
  /** stock ÷ off. */
  stockOfOff: Interval;
  /** The plain reading: (merged − stock) ÷ (off − stock), the share of the lost performance that came back. */
  gapShare: Interval;
  /** merged ÷ stock. */
  ratio: Interval;
  /** merged ÷ off. */
  mergedOfOff: Interval;
  /** Nodes that an allocation examined, stock and merged. */
  stockVisits: number;
  mergedVisits: number;
}

/** What is measured in each run of a setting. */
const roles = ["off", "stock", "merged"] as const satisfies readonly Role[];

interface Group {
  first: RecoveryRow;
  /** Throughputs of each role, seed by seed. */
  values: Record<Role, number[]>;
  /** Which deviations each role's are pooled with. */
  pools: Record<Role, string>;
  visits: Record<"stock" | "merged", number[]>;
}

/** A variance and how many independent differences it rests on. */
interface Variance {
  value: number;
  freedom: number;
}

const square = (value: number): number => value * value;

/** Cores that wait for a lock more than this share of their time: the lock is saturated, and throughput varies far more. */
const saturated = 0.25;

/** The 95 % interval around `centre` whose variance is a sum of independent ones: Student's t with the freedom of Welch and Satterthwaite. */
function interval(centre: number, n: number, variances: readonly Variance[]): Interval {
  const known = variances.filter(({ value }) => value > 0);
  const total = known.reduce((sum, { value }) => sum + value, 0);
  const freedom = square(total) / known.reduce((sum, v) => sum + square(v.value) / v.freedom, 0);
  const width = total > 0 && freedom > 0 ? studentQuantile(0.975, freedom) * Math.sqrt(total) : 0;
  return { mean: centre, low: centre - width, high: centre + width, n, level: 0.95 };
}

/** The settings of the rows, with the throughputs of each role in the order of the seeds. */
function groupsOf(rows: readonly MergedNodesRow[]): Group[] {
  const groups = new Map<string, Group>();
  const at = new Map<string, RecoveryRow>();
  const name = ({ part, assumption, level, stackMultiple, policy }: RecoveryRow) =>
    JSON.stringify([part, assumption, level, stackMultiple ?? null, policy]);
  const runs = rows.filter((row) => row.part !== "structure" && row.part !== "walk");
  const baselineOff = new Map<number, RecoveryRow>();
  for (const row of runs) {
    at.set(`${name(row)} ${row.role} ${row.seed}`, row);
    if (row.part === "recovery" && row.role === "off") baselineOff.set(row.seed, row);
  }
  const poolOf = (row: RecoveryRow): string =>
    row.role === "off" ? "off" : `${row.policy} ${row.role} ${row.spinShare > saturated}`;
  for (const row of at.values()) {
    if (row.role !== "stock") continue;
    const find = (role: Role) => at.get(`${name(row)} ${role} ${row.seed}`);
    const merged = find("merged");
    const off = find("off") ?? baselineOff.get(row.seed);
    if (!merged || !off) continue;
    let group = groups.get(name(row));
    if (!group) {
      const pools = { off: poolOf(off), stock: poolOf(row), merged: poolOf(merged) };
      const values = { off: [], stock: [], merged: [] };
      groups.set(name(row), (group = { first: row, values, pools, visits: { stock: [], merged: [] } }));
    }
    group.values.off.push(off.throughput);
    group.values.stock.push(row.throughput);
    group.values.merged.push(merged.throughput);
    group.visits.stock.push(row.visits);
    group.visits.merged.push(merged.visits);
  }
  return [...groups.values()];
}

/** Relative deviations of the throughputs, squared and summed by pool. */
interface Pool {
  squares: number;
  freedom: number;
}

function poolsOf(groups: readonly Group[]): Map<string, Pool> {
  const pools = new Map<string, Pool>();
  // Settings that share the baseline's runs without an IOMMU hold the same numbers: they count once.
  const counted = new Set<string>();
  for (const { values, pools: own } of groups)
    for (const role of roles) {
      const key = `${own[role]} ${values[role].join(" ")}`;
      if (counted.has(key)) continue;
      counted.add(key);
      const pool = pools.get(own[role]) ?? { squares: 0, freedom: 0 };
      const centre = mean(values[role]);
      for (const value of values[role]) pool.squares += square(value / centre - 1);
      pool.freedom += values[role].length - 1;
      pools.set(own[role], pool);
    }
  return pools;
}

/**
 * The recoveries of every setting, runs of the same seed paired. A run that the rows hold twice counts once.
 *
 * Intervals are 95 %. Each throughput varies in proportion to itself; its relative deviation is pooled over the settings of the same
 * policy and role that do, or do not, saturate a lock, so that two seeds a setting are enough. Ratios and shares take their variance from
 * those of their throughputs (to first order): where little was lost, the share that came back is uncertain, and its interval says so.
 * A run with one seed a setting has no width.
 */
export function recoveries(rows: readonly MergedNodesRow[]): Recovery[] {
  const groups = groupsOf(rows);
  const pools = poolsOf(groups);
  return groups.map(({ first, values, pools: own, visits }) => {
    const n = values.stock.length;
    const [o, s, m] = roles.map((role) => mean(values[role]));
    /** Variance that a role's mean brings into a result that moves by `slope` for each relative change of it. */
    const from = (role: Role, slope: number): Variance => {
      const { squares, freedom } = pools.get(own[role]) ?? { squares: 0, freedom: 0 };
      return { value: freedom > 0 ? (square(slope) * squares) / freedom / n : 0, freedom };
    };
    const ratioOf = (over: Role, under: Role): Interval => {
      const centre = mean(values[over].map((value, i) => value / values[under][i]));
      return interval(centre, n, [from(over, centre), from(under, centre)]);
    };
    const share = mean(values.stock.map((v, i) => (values.merged[i] - v) / (values.off[i] - v)));
    const lost = o - s;
    return {
      part: first.part,
      assumption: first.assumption,
      level: first.level,
      ...(first.stackMultiple === undefined ? {} : { stackMultiple: first.stackMultiple }),
      policy: first.policy,
      off: interval(o, n, [from("off", o)]),
      stock: interval(s, n, [from("stock", s)]),
      merged: interval(m, n, [from("merged", m)]),
      stockOfOff: ratioOf("stock", "off"),
      ratio: ratioOf("merged", "stock"),
      mergedOfOff: ratioOf("merged", "off"),
      gapShare: interval(share, n, [
        from("merged", m / lost),
        from("stock", (s * (m - o)) / square(lost)),
        from("off", (o * (m - s)) / square(lost)),
      ]),
      stockVisits: mean(visits.stock),
      mergedVisits: mean(visits.merged),
    };
  });
}

/**
 * Whether a share is about a third, is not, or cannot be told from its interval.
 * @param third what counts as a third, in %: `aboutAThird(facts)`
 */
export function isAThird({ low, high }: Interval, third: Margin): "yes" | "no" | "undecided" {
  const [least, most] = [100 * low, 100 * high];
  if (least >= third.low && most <= third.high) return "yes";
  return most < third.low || least > third.high ? "no" : "undecided";
}

/** The baseline under a policy. */
export function baselineOf(all: readonly Recovery[], policy: PolicyName = "deferred"): Recovery | undefined {
  return all.find((r) => r.part === "recovery" && r.policy === policy);
}

/**
 * How far each assumption moves the plain reading: from the lowest to the highest of its levels, the baseline among them. The policies and
 * wordings of the baseline count as levels of one assumption.
 */
export function influence(all: readonly Recovery[]): { assumption: string; low: number; high: number }[] {
  const base = baselineOf(all);
  if (!base) return [];
  const others = all.filter((r) => r.part === "sweep" || r.part === "recovery");
  const nameOf = (r: Recovery) => (r.part === "sweep" ? r.assumption : "policy and wording");
  return [...new Set(others.map(nameOf))]
    .map((assumption) => {
      const levels = [base, ...others.filter((r) => nameOf(r) === assumption)].map((r) => r.gapShare.mean);
      return { assumption, low: Math.min(...levels), high: Math.max(...levels) };
    })
    .sort((a, b) => b.high - b.low - (a.high - a.low));
}

/** What an ablation takes away from the relative gain, with the 95 % interval that the intervals of the two gains leave it. */
export interface LostGain {
  name: AblationName;
  /** What is taken away, in words. */
  level: string;
  share: number;
  low: number;
  high: number;
}

/**
 * How much of the relative gain (merged ÷ stock − 1) each ablation takes away: 1 where merging gains nothing any more, below 0 where
 * it gains more than before. An ablation beside another one is compared with that, every other with the baseline.
 */
export function lostGain(all: readonly Recovery[]): LostGain[] {
  const base = baselineOf(all);
  if (!base) return [];
  const found = all.filter((r) => r.part === "ablation");
  const ran = ablations.flatMap((ablation) => {
    const recovery = found.find(({ level }) => level === ablation.level);
    return recovery ? [{ ...(ablation as Ablation & { name: AblationName }), ratio: recovery.ratio }] : [];
  });
  const half = ({ low, high }: Interval): number => (high - low) / 2;
  return ran
    .map(({ name, level, ratio, beside }) => {
      const reference = (ran.find((other) => other.name === beside) ?? base).ratio;
      const [gain, before] = [ratio.mean - 1, reference.mean - 1];
      const share = 1 - gain / before;
      const width = Math.sqrt(square(half(ratio) / before) + square((gain * half(reference)) / square(before)));
      return { name, level, share, low: share - width, high: share + width };
    })
    .sort((a, b) => b.share - a.share);
}
