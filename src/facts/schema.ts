import { z } from "zod";

/** How a record was read. Only `read` and `secondary` records may support a verdict; `unverified` ones are starting assumptions. */
export const Confidence: z.ZodEnum<{ read: "read"; secondary: "secondary"; unverified: "unverified" }> = z.enum([
  "read",
  "secondary",
  "unverified",
]);

/** The names of {@link Use}. */
export type UseName = "calibration" | "input" | "prediction" | "context";

/**
 * How the project uses a record.
 *
 * calibration: a parameter was set so that the simulation gives the figure back; it is never counted as confirmed by that.
 * input: the cost of a single step on another machine, taken over and swept. What whole hosts do with it may be judged; the figure itself
 * is compared with nothing.
 * prediction: the simulation is compared with it, and no parameter knows it.
 * context: neither.
 */
export const Use: z.ZodEnum<{ [K in UseName]: K }> = z.enum(["calibration", "input", "prediction", "context"]);

/** A number, a text, or lists and tables of them. */
export type FactValue = number | string | FactValue[] | { [key: string]: FactValue };

const Value: z.ZodType<FactValue> = z.lazy(() =>
  z.union([z.number(), z.string(), z.array(Value), z.record(z.string(), Value)]),
);

/** One published record: what was measured, under which conditions, and where a stranger can look it up. */
export interface FactRecord {
  id: string;
  topic: string;
  quantity: string;
  value: FactValue;
  unit: string;
  conditions: string;
  source: string;
  confidence: "read" | "secondary" | "unverified";
  use: UseName;
  quote?: string | undefined;
  licence?: string | undefined;
}

/** The schema of one record. */
export const FactSchema: z.ZodType<FactRecord> = z.strictObject({
  id: z.string().min(1),
  topic: z.string().min(1),
  quantity: z.string().min(1),
  value: Value,
  unit: z.string(),
  conditions: z.string(),
  source: z.string().min(1),
  confidence: Confidence,
  use: Use,
  quote: z.string().optional(),
  licence: z.string().optional(),
});

/** The schema of a file of records. */
export const FactFileSchema: z.ZodType<{ about: string; records: FactRecord[] }> = z.strictObject({
  about: z.string().min(1),
  records: z.array(FactSchema),
});
