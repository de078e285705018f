import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import type { Margin, PublishedValue } from "../frame/verdict.js";

/** A margin as data/judging keeps it: where a quantity must lie for the sentence to be right, why, and when that was written. */
export interface MarginRecord {
  low?: number | undefined;
  high?: number | undefined;
  /** Instead of ends: so much of the published value (or of the nearer end of a published range) to either side. */
  share?: number | undefined;
  unit: string;
  reason: string;
  date: string;
  /** The design of data/designs over which the quantity is judged, or "settings": those of the run that answers. */
  design: string;
}

const Record_: z.ZodType<MarginRecord> = z
  .strictObject({
    low: z.number().optional(),
    high: z.number().optional(),
    share: z.number().min(0).max(1).optional(),
    unit: z.string(),
    reason: z.string().min(16),
    date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "a date: 2026-11-27"),
    design: z.string().min(1),
  })
  .refine(({ low, high, share }) => (share === undefined ? (low ?? high) !== undefined : (low ?? high) === undefined), {
    error: "either ends (low, high or both), or a share of the published value",
  });

const File = z.strictObject({ about: z.string().min(1), margins: z.record(z.string(), Record_) });

/**
 * Every margin, by its entry: "lock-contention: PE2".
 * @throws Error naming the file and the field at fault
 */
export function margins(facts: Facts): Readonly<Record<string, MarginRecord>> {
  const parsed = File.safeParse(facts.judging("margins"));
  if (parsed.success) return parsed.data.margins;
  const issue = parsed.error.issues[0];
  throw new Error(`data/judging/margins.json: ${issue.path.join(".")}: ${issue.message}`);
}

/**
 * The ends of a margin; an open one is infinite.
 * @throws Error where it is a share of a published value, and none is given
 */
export function endsOf({ low, high, share }: MarginRecord, published: PublishedValue | undefined): Margin {
  if (share === undefined) return { low: low ?? Number.NEGATIVE_INFINITY, high: high ?? Number.POSITIVE_INFINITY };
  if (!published) throw new Error("A margin that is a share of the published value needs a published value.");
  const around = (value: number, factor: number): number => value + (value < 0 ? -value : value) * factor;
  return { low: around(published.low, -share), high: around(published.high, share) };
}

/**
 * The ends of an entry's margin, which is no share of a published value; an open one is infinite.
 * @throws Error naming the file, and the field at fault or the entry that is missing
 * @example marginOf(facts, "safety: strict-ish").low
 */
export function marginOf(facts: Facts, entry: string): Margin {
  const record = margins(facts)[entry];
  if (record === undefined) throw new Error(`data/judging/margins.json: margins: "${entry}" is missing.`);
  return endsOf(record, undefined);
}

/**
 * What counts as "about a third" of a loss wherever one is judged, drawn or counted: the margin of S5, in %.
 * @throws Error naming the file and the field at fault
 */
export const aboutAThird = (facts: Facts): Margin => marginOf(facts, "merged-nodes: S5");
