/**
 * Virtual machines and machine checks: who owns CR4.MCE while a guest runs, and what a machine check does then.
 *
 * - CR4 and its bits; the VMCS fields that decide (guest CR4, host CR4, guest/host mask, read shadow, exception bitmap) and the checks VM
 *   entry makes of them;
 * - the rules for the guest's hardware CR4, by name: before the patch, both versions of it, one computed at every entry, and AMD's;
 * - what a processor may do with a machine check in each phase of VM entry, guest and VM exit;
 * - the whole system (CPUs, vCPUs, KVM's steps, migrations, a host that changes its mind, machine checks anywhere) as a model for the
 *   explorer, with its properties; scenarios that are played step by step;
 * - recorded machine checks beside what the rules give.
 *
 * Invariant: in guest mode the hardware CR4 decides about a machine check, never the read shadow. Sources: Intel SDM Vol 3 and Linux
 * v4.0 arch/x86/kvm, as records V1 to V16 in data/published/kvm.json; each rule names its own.
 */
export { checkCr4, cr4Bits, formatCr4, MCE, PAE, VME, VMXE } from "./cr4.js";
export { type CpuState, decodeState, type SystemState, type VcpuState } from "./layout.js";
export {
  type Decision,
  decideMachineCheck,
  type MachineCheck,
  type Outcome,
  type Phase,
  phases,
} from "./machine-check.js";
export { type Comparison, compareObservation, machineCheckObservations, type Observation } from "./observations.js";
export { machineCheckProperties } from "./properties.js";
export { type Cr4Rule, type RuleInputs, rule, rules } from "./rules.js";
export { playScenario, type ScenarioStep, stepsToPhase } from "./scenario.js";
export { type HostCr4Policy, machineCheckModel, type SystemConfig, simpleSystem } from "./system.js";
export {
  checkVmcs,
  guestOwnedBits,
  hasMce,
  kvmExceptionBitmap,
  kvmMask,
  MC_VECTOR,
  movFromCr4,
  movToCr4,
  type Vmcs,
} from "./vmcs.js";
