import { z } from "zod";
import type { Facts } from "../facts/index.js";

/** An assumed value of the workload: its unit, why it was assumed, and the range that is honest for it. */
export interface WorkloadAssumption {
  value: number;
  unit: string;
  source: string;
  assumption: { low: number; high: number };
}

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
  values: z.record(z.string(), Value),
});

/**
 * The workload's assumptions by the knob they set, each with its unit, its reason and its range.
 * @param load the file of data/workload
 * @throws Error naming the file and field at fault
 * @example workloadAssumptions(facts).refillBatch.value // 16
 */
export function workloadAssumptions(facts: Facts, load = "tcp-rr"): Readonly<Record<string, WorkloadAssumption>> {
  const parsed = File.safeParse(facts.workload(load));
  if (parsed.success) return parsed.data.values;
  const issue = parsed.error.issues[0];
  throw new Error(`data/workload/${load}.json: ${issue.path.join(".")}: ${issue.message}`);
}

/**
 * One of them. Only this value is checked: a run asks for each, and the whole file sixteen times would cost more than a quick run's start.
 * @throws Error naming the file and the value that it lacks, or that is none
 */
export function workloadAssumption(facts: Facts, name: string): WorkloadAssumption {
  const { values } = facts.workload("tcp-rr") as { values?: Record<string, unknown> };
  if (values === undefined || !Object.hasOwn(values, name))
    throw new Error(`data/workload/tcp-rr.json: values.${name} is missing.`);
  const parsed = Value.safeParse(values[name]);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/workload/tcp-rr.json: values.${[name, ...issue.path].join(".")}: ${issue.message}`);
}
