import {
  decideMachineCheck,
  kvmExceptionBitmap,
  MCE,
  PAE,
  phases,
  playScenario,
  type SystemConfig,
  simpleSystem,
  stepsToPhase,
  VMXE,
} from "../../kvm/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { TablePoint } from "./config.js";

const cr4 = (mce: number): number => PAE | VMXE | (mce ? MCE : 0);

/** Plays the system to each phase and asks the processor what it may do with a machine check there. */
export function simulate({ rule, hostMce, guestMce }: TablePoint) {
  const config: SystemConfig = { ...simpleSystem, rule, startWith: hostMce ? "on" : "off" };
  return phases.map((phase, i) => {
    const state = playScenario(config, stepsToPhase(i, guestMce)).at(-1)?.state;
    if (!state) throw new Error("a scenario has at least its initial state");
    const [cpu] = state.cpus;
    const [guest] = state.vcpus;
    const decisions = decideMachineCheck({
      phase: cpu.phase,
      hostCr4: cr4(cpu.live),
      guestCr4: cr4(guest.hardware),
      exceptionBitmap: kvmExceptionBitmap,
    });
    const deaths = decisions.filter(({ outcome }) => outcome === "shutdown").length;
    return {
      rule,
      hostMce,
      guestMce,
      phase,
      hardwareMce: guest.hardware,
      guestReads: guest.reads,
      outcome: decisions.map(({ outcome }) => outcome).join(" or "),
      decidedBy: decisions[0].decidedBy,
      hostDies: deaths === 0 ? "no" : deaths === decisions.length ? "yes" : "may",
    };
  });
}

/** A row of the table. */
export type CaseRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<CaseRow>, Column>> = {
  rule: { unit: "", description: "rule for the CR4 that hardware runs the guest with" },
  hostMce: { unit: "", description: "CR4.MCE of the host" },
  guestMce: { unit: "", description: "what the guest wrote to CR4.MCE" },
  phase: { unit: "", description: "where the processor is when the machine check lands" },
  hardwareMce: { unit: "", description: "MCE in the VMCS's guest CR4" },
  guestReads: { unit: "", description: "what the guest reads" },
  outcome: { unit: "", description: "what the processor may do" },
  decidedBy: { unit: "", description: "the register that decides" },
  hostDies: { unit: "", description: "no, may or yes" },
};
