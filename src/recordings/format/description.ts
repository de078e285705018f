import { z } from "zod";
import { type TraceDescription, TraceError } from "../trace.js";
import { AboutSchema, DeviceSchema, PhaseSchema } from "./version-2.js";

const fields = {
  about: AboutSchema.partial().optional(),
  devices: z.array(DeviceSchema).max(65535).optional(),
  phases: z.array(PhaseSchema).min(1).max(255).optional(),
};
const Description = z.strictObject(fields);
/** A trace file of version 1 has them beside its columns. */
const TraceFile = z.looseObject({ format: z.literal("iommu-lab-trace"), ...fields });

/**
 * The description in a JSON value: about, devices and phases as a trace file has them, each of them may be left out.
 * @param value the file's JSON: a description, or a whole trace file of version 1
 * @param file its name, for the message
 * @throws TraceError naming the file, the field and what was expected
 * @example describedBy({ about: { title: "our server" } }, "about.json")
 */
export function describedBy(value: unknown, file: string): TraceDescription {
  const whole = typeof value === "object" && value !== null && "format" in value;
  const parsed = (whole ? TraceFile : Description).safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new TraceError(`${file}: ${path.join(".") || "the description"}: ${message}.`);
  }
  const { about, devices, phases } = parsed.data;
  const wrong = phases?.find(({ firstOp }, i) => i > 0 && firstOp < phases[i - 1].firstOp);
  if (wrong)
    throw new TraceError(`${file}: phases: "${wrong.name}" begins before the phase before it; expected them in order.`);
  return {
    // What is not there must not stand over what the recording says.
    ...(about ? { about: Object.fromEntries(Object.entries(about).filter(([, v]) => v !== undefined)) } : {}),
    ...(devices ? { devices } : {}),
    ...(phases ? { phases } : {}),
  };
}
