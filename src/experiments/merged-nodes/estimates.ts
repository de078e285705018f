import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Interval, Row } from "../experiment.js";

// From rows to the three readings of "a third of the performance back".

/** What merging gave back in one setting, in each reading. */
export interface Recovery {
  part: string;
  assumption: string;
  level: string;
  policy: string;
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

/** Nearer to a third than to a quarter or a half: what counts as "about a third" of something. */
export const aboutAThird: { low: number; high: number } = { low: (1 / 4 + 1 / 3) / 2, high: (1 / 3 + 1 / 2) / 2 };

type Key = "off" | "stock" | "merged" | "stockOfOff" | "gapShare" | "ratio" | "mergedOfOff";
const keys: Key[] = ["off", "stock", "merged", "stockOfOff", "gapShare", "ratio", "mergedOfOff"];

interface Group {
  first: Row;
  values: Record<Key, number[]>;
  stockVisits: number[];
  mergedVisits: number[];
}

const square = (value: number): number => value * value;
/** Throughputs and their ratio vary in proportion to themselves; shares do not. */
const scaleOf = (key: Key, centre: number): number =>
  key === "off" || key === "stock" || key === "merged" || key === "ratio" ? centre : 1;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The recoveries of every setting, runs of the same seed paired. A run that the rows hold twice counts once.
 *
 * Intervals are 95 %, Student's t over the seeds. Where a setting has only a few, its deviation is pooled over all settings of its part (the
 * same load with one assumption changed), so that two seeds a setting are enough; a part with one seed has no width.
 */
export function recoveries(rows: readonly Row[]): Recovery[] {
  const groups = new Map<string, Group>();
  const at = new Map<string, Row>();
  const name = (row: Row) => [row["part"], row["assumption"], row["level"], row["policy"]].join("|");
  const baseline = "recovery|baseline|deferred|deferred";
  const runs = rows.filter((row) => row["role"] != null);
  for (const row of runs) at.set(`${name(row)}|${row["role"]}|${row["seed"]}`, row);
  for (const row of at.values()) {
    if (row["role"] !== "stock") continue;
    const find = (role: string) => at.get(`${name(row)}|${role}|${row["seed"]}`);
    const merged = find("merged");
    const off = find("off") ?? at.get(`${baseline}|off|${row["seed"]}`);
    if (!merged || !off) continue;
    let group = groups.get(name(row));
    if (!group) {
      const values = Object.fromEntries(keys.map((key) => [key, [] as number[]])) as Record<Key, number[]>;
      groups.set(name(row), (group = { first: row, values, stockVisits: [], mergedVisits: [] }));
    }
    const [o, s, m] = [off, row, merged].map((r) => Number(r["throughput"]));
    const all = { off: o, stock: s, merged: m, stockOfOff: s / o, gapShare: (m - s) / (o - s), ratio: m / s };
    for (const key of keys) group.values[key].push(key === "mergedOfOff" ? m / o : all[key]);
    group.stockVisits.push(Number(row["visits"]));
    group.mergedVisits.push(Number(merged["visits"]));
  }
  const pooled = (part: unknown, key: Key): { deviation: number; freedom: number } => {
    let squares = 0;
    let freedom = 0;
    for (const { first, values } of groups.values()) {
      if (first["part"] !== part) continue;
      const centre = mean(values[key]);
      for (const value of values[key]) squares += square((value - centre) / scaleOf(key, centre));
      freedom += values[key].length - 1;
    }
    return { deviation: freedom > 0 ? Math.sqrt(squares / freedom) : 0, freedom };
  };
  return [...groups.values()].map(({ first, values, stockVisits, mergedVisits }) => {
    const intervals = {} as Record<Key, Interval>;
    for (const key of keys) {
      const { deviation, freedom } = pooled(first["part"], key);
      const centre = mean(values[key]);
      const n = values[key].length;
      const width =
        freedom > 0 ? (studentQuantile(0.975, freedom) * deviation * scaleOf(key, centre)) / Math.sqrt(n) : 0;
      intervals[key] = { mean: centre, low: centre - width, high: centre + width, n, level: 0.95 };
    }
    return {
      part: String(first["part"]),
      assumption: String(first["assumption"]),
      level: String(first["level"]),
      policy: String(first["policy"]),
      ...intervals,
      stockVisits: mean(stockVisits),
      mergedVisits: mean(mergedVisits),
    };
  });
}

/** The baseline under a policy. */
export function baselineOf(all: readonly Recovery[], policy = "deferred"): Recovery | undefined {
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

/**
 * How much of the relative gain (merged ÷ stock − 1) each ablation takes away: 1 where merging gains nothing any more, below 0 where
 * it gains more than before. An ablation "cold, and …" is compared with the cold setting, every other with the baseline.
 */
export function lostGain(all: readonly Recovery[]): { level: string; share: number }[] {
  const base = baselineOf(all);
  if (!base) return [];
  const ablations = all.filter((r) => r.part === "ablation");
  const cold = ablations.find((r) => r.level.startsWith("cold:")) ?? base;
  return ablations
    .map((r) => {
      const reference = r.level.startsWith("cold, ") ? cold : base;
      return { level: r.level, share: 1 - (r.ratio.mean - 1) / (reference.ratio.mean - 1) };
    })
    .sort((a, b) => b.share - a.share);
}
