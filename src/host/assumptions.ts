import { z } from "zod";
import type { Facts } from "../facts/index.js";

/** An assumed value of the workload: its unit, why it was assumed, and the range that is honest for it. */
export interface WorkloadAssumption {
  value: number;
  unit: string;
  source: string;
  assumption: { low: number; high: number };
}

/** What is assumed about TCP_RR and its host: fields of a run, each with a value in data/workload/tcp-rr.json. */
export const assumedFields = [
  "rxRing",
  "rxMaps",
  "txMaps",
  "twoPageShare",
  "stackLines",
  "receiveShare",
  "workSpread",
  "pollBudget",
  "refillBatch",
  "interruptGapMicroseconds",
  "transmitMicroseconds",
  "peerMicroseconds",
  "agedPackets",
  "agedStretch",
  "agedInTurn",
  "agedSentBuffers",
] as const;
/** One of those fields. */
export type AssumedField = (typeof assumedFields)[number];

const Value: z.ZodType<WorkloadAssumption> = z
  .strictObject({
    value: z.number(),
    unit: z.string().min(1),
    source: z.string().min(8),
    assumption: z.strictObject({ low: z.number(), high: z.number() }),
  })
  .refine(({ value, assumption: { low, high } }) => low <= value && value <= high && low < high, {
    error: "an assumed value lies within the range that is swept",
  });

const File = z.strictObject({
  title: z.string().min(1),
  about: z.string().min(1),
  values: z.strictObject(
    Object.fromEntries(assumedFields.map((field) => [field, Value])) as Record<AssumedField, typeof Value>,
  ),
});

/**
 * The workload's assumptions, each with its unit, its reason and its range.
 * @throws Error naming the file and field at fault
 * @example workloadAssumptions(facts).refillBatch.value // 16
 */
export function workloadAssumptions(facts: Facts): Readonly<Record<AssumedField, WorkloadAssumption>> {
  const parsed = File.safeParse(facts.workload("tcp-rr"));
  if (parsed.success) return parsed.data.values;
  const issue = parsed.error.issues[0];
  throw new Error(`data/workload/tcp-rr.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** The assumed values alone. */
export function assumedValues(facts: Facts): Record<AssumedField, number> {
  const all = workloadAssumptions(facts);
  return Object.fromEntries(assumedFields.map((field) => [field, all[field].value])) as Record<AssumedField, number>;
}
