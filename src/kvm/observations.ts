import { z } from "zod";
import type { Facts } from "../facts/index.js";
import { MCE, PAE, VMXE } from "./cr4.js";
import { decideMachineCheck, type Outcome } from "./machine-check.js";
import { rule } from "./rules.js";
import { kvmExceptionBitmap } from "./vmcs.js";

/** A machine check that was injected into a machine, and what came of it. */
export interface Observation {
  id: string;
  /** What ran when it was injected: nothing else than a test kernel, a guest of a tiny SVM hypervisor, a guest of KVM, or Linux itself. */
  running: "bare machine" | "guest of a test hypervisor" | "guest of KVM" | "Linux";
  /** The rule that gave the guest's hardware CR4; none where no guest ran. */
  rule: string | null;
  hostMce: 0 | 1;
  guestMce: 0 | 1 | null;
  /** The hypervisor asked for an exit on #MC. */
  intercepted: boolean;
  /** CR4.MCE that the processor held at the injection, as it was read from the machine. */
  liveMce: 0 | 1;
  alive: boolean;
  delivered: "nobody" | "host" | "guest";
  note: string;
}

const ObservationSchema: z.ZodType<Observation> = z.strictObject({
  id: z.string().min(1),
  running: z.enum(["bare machine", "guest of a test hypervisor", "guest of KVM", "Linux"]),
  rule: z.string().nullable(),
  hostMce: z.union([z.literal(0), z.literal(1)]),
  guestMce: z.union([z.literal(0), z.literal(1)]).nullable(),
  intercepted: z.boolean(),
  liveMce: z.union([z.literal(0), z.literal(1)]),
  alive: z.boolean(),
  delivered: z.enum(["nobody", "host", "guest"]),
  note: z.string(),
});

const FileSchema = z.strictObject({
  about: z.string(),
  source: z.string(),
  caveats: z.array(z.string()),
  observations: z.array(ObservationSchema),
});

/** The recorded machine checks, with the caveats of the recording. */
export function machineCheckObservations(facts: Facts): {
  source: string;
  caveats: string[];
  observations: Observation[];
} {
  const parsed = FileSchema.safeParse(facts.observation("machine-check"));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`data/observations/machine-check.json: ${issue.path.join(".")}: ${issue.message}`);
  }
  return parsed.data;
}

/** An observation beside what the rules give. */
export interface Comparison {
  observation: Observation;
  predictedMce: 0 | 1;
  predicted: Outcome;
  /** The live CR4.MCE is as predicted. */
  mceAgrees: boolean;
  /** Whether the machine lived is as predicted. */
  lifeAgrees: boolean;
  /** Who got the exception is as predicted. */
  deliveryAgrees: boolean;
}

/** What the rules of this room give for a recorded case. */
export function compareObservation(observation: Observation): Comparison {
  const host = PAE | VMXE | (observation.hostMce ? MCE : 0);
  const inGuest = observation.rule !== null;
  const live = inGuest
    ? rule(observation.rule as string).hardwareCr4({
        guestCr4: PAE | (observation.guestMce ? MCE : 0),
        hostCr4: host,
        hostShadow: host,
        realMode: false,
      })
    : host;
  const [{ outcome }] = decideMachineCheck({
    phase: inGuest ? "guest" : "host",
    hostCr4: host,
    guestCr4: live,
    exceptionBitmap: observation.intercepted ? kvmExceptionBitmap : 0,
  });
  const predictedMce = live & MCE ? 1 : 0;
  const delivered = outcome === "shutdown" ? "nobody" : outcome === "guest handler" ? "guest" : "host";
  return {
    observation,
    predictedMce,
    predicted: outcome,
    mceAgrees: predictedMce === observation.liveMce,
    lifeAgrees: (outcome !== "shutdown") === observation.alive,
    deliveryAgrees: delivered === observation.delivered,
  };
}
