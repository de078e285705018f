import { z } from "zod";

/** How a record was read. Only `read` and `secondary` records may support a verdict; `unverified` ones are starting assumptions. */
export const Confidence: z.ZodEnum<{ read: "read"; secondary: "secondary"; unverified: "unverified" }> = z.enum([
  "read",
  "secondary",
  "unverified",
]);

/** How the project uses a record. What calibrated a parameter is never counted as confirmed by it. */
export const Use: z.ZodEnum<{ calibration: "calibration"; prediction: "prediction"; context: "context" }> = z.enum([
  "calibration",
  "prediction",
  "context",
]);

/** A number, a text, or lists and tables of them. */
export type FactValue = number | string | FactValue[] | { [key: string]: FactValue };

const Value: z.ZodType<FactValue> = z.lazy(() =>
  z.union([z.number(), z.string(), z.array(Value), z.record(z.string(), Value)]),
);

/** One published figure: what was measured, under which conditions, and where a stranger can look it up. */
export interface FactRecord {
  id: string;
  topic: string;
  quantity: string;
  value: FactValue;
  unit: string;
  conditions: string;
  source: string;
  confidence: "read" | "secondary" | "unverified";
  use: "calibration" | "prediction" | "context";
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
