import { hasMce, MC_VECTOR } from "./vmcs.js";

/** Where a processor is when a machine check reaches it. */
export const phases: readonly Phase[] = [
  "host",
  "entry: nothing loaded",
  "entry: partly loaded",
  "entry: guest loaded",
  "guest",
  "exit: guest still loaded",
  "exit: host loaded",
];

/** Where a CPU is when a machine check arrives: in the host, in a guest, or on the way between. */
export type Phase =
  | "host"
  | "entry: nothing loaded"
  | "entry: partly loaded"
  | "entry: guest loaded"
  | "guest"
  | "exit: guest still loaded"
  | "exit: host loaded";

/** What becomes of a machine check. All but `shutdown` and `guest handler` end in the host's machine-check handler. */
export type Outcome = "host handler" | "vm exit" | "entry failure" | "guest handler" | "shutdown";

/** A machine check that arrives: where, and the registers that can decide. */
export interface MachineCheck {
  phase: Phase;
  /** CR4 the processor holds in root mode. During VM exit, after the host's state is loaded, that is the VMCS host CR4. */
  hostCr4: number;
  /** CR4 that the guest runs with. */
  guestCr4: number;
  /** Bit 18 set: a machine check in the guest causes a VM exit. */
  exceptionBitmap: number;
}

/** One thing the processor may do, and the register that decided. */
export interface Decision {
  outcome: Outcome;
  decidedBy: "host CR4" | "guest CR4" | "VM entry";
}

/**
 * What the processor may do with a machine check. More than one answer means that the manual leaves the choice to the processor.
 *
 * Rules: Intel SDM Vol 3, machine-check events during VM entry and VM exit (records V10, V11, V12), and interrupt 18 (V15). In guest mode
 * the hardware CR4 decides, never the read shadow (V14).
 *
 * Left out: the manual also allows a machine check during VM exit to end in a VMX abort (indicator 5, section 27.8; V12), a shutdown that no CR4
 * prevents.
 */
export function decideMachineCheck({ phase, hostCr4, guestCr4, exceptionBitmap }: MachineCheck): Decision[] {
  const asHost: Decision = { outcome: hasMce(hostCr4) ? "host handler" : "shutdown", decidedBy: "host CR4" };
  const asGuest: Decision = {
    outcome: !hasMce(guestCr4) ? "shutdown" : exceptionBitmap & (1 << MC_VECTOR) ? "vm exit" : "guest handler",
    decidedBy: "guest CR4",
  };
  const entryFails: Decision = { outcome: "entry failure", decidedBy: "VM entry" };
  switch (phase) {
    case "host":
    case "exit: host loaded":
      return [asHost];
    // "As before entry" is open only while no guest state is loaded, "as after entry" only when all of it is; a failing entry always is.
    case "entry: nothing loaded":
      return [asHost, entryFails];
    case "entry: partly loaded":
      return [entryFails];
    case "entry: guest loaded":
      return [asGuest, entryFails];
    case "guest":
    case "exit: guest still loaded":
      return [asGuest];
  }
}
