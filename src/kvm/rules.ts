import { MCE, PAE, VME, VMXE } from "./cr4.js";

/** What a rule can look at when KVM computes the guest's hardware CR4. */
export interface RuleInputs {
  /** What the guest asked for. */
  guestCr4: number;
  /** The CR4 that the processor running KVM really holds at that moment. */
  hostCr4: number;
  /** The kernel's per-CPU copy of it (Linux 1e02ce4cccdc, record V3). */
  hostShadow: number;
  /** The guest is in real mode, which KVM runs as virtual-8086 mode. */
  realMode: boolean;
}

/** A way of choosing the CR4 that hardware runs the guest with. */
export interface Cr4Rule {
  name: string;
  title: string;
  source: string;
  /** Also computed again at every VM entry, not only when the guest writes CR4. */
  everyEntry: boolean;
  /** VM exit loads the CR4 that was saved at this VM entry, whatever the host-CR4 policy says. */
  savesHostAtEntry: boolean;
  /** The CR4 that the hardware is given for the guest. */
  hardwareCr4(inputs: RuleInputs): number;
}

// KVM_PMODE_VM_CR4_ALWAYS_ON and KVM_RMODE_VM_CR4_ALWAYS_ON of Linux v4.0, arch/x86/kvm/vmx.c. What EPT does to PAE and PSE is left
// out: it never touches MCE.
const alwaysOn = (realMode: boolean): number => PAE | VMXE | (realMode ? VME : 0);

/** The rules, by name, in the order in which they appeared. */
export const rules: readonly Cr4Rule[] = [
  {
    name: "before",
    title: "before the patch",
    source: "Linux v4.0 arch/x86/kvm/vmx.c, vmx_set_cr4; described in B. Serebrin's mail of 2015-04-15",
    everyEntry: false,
    savesHostAtEntry: false,
    hardwareCr4: ({ guestCr4, realMode }) => (guestCr4 | alwaysOn(realMode)) >>> 0,
  },
  {
    name: "live-read",
    title: "first patch: reads CR4",
    source: "B. Serebrin, mail of 2015-04-15, the diff in it",
    everyEntry: false,
    savesHostAtEntry: false,
    hardwareCr4: ({ guestCr4, hostCr4, realMode }) => ((hostCr4 & MCE) | (guestCr4 & ~MCE) | alwaysOn(realMode)) >>> 0,
  },
  {
    name: "shadow",
    title: "second patch: reads the shadow",
    source: "B. Serebrin, mail of 2015-04-16; Linux 085e68eeafbf (records V1, V4)",
    everyEntry: false,
    savesHostAtEntry: false,
    hardwareCr4: ({ guestCr4, hostShadow, realMode }) =>
      ((hostShadow & MCE) | (guestCr4 & ~MCE) | alwaysOn(realMode)) >>> 0,
  },
  {
    name: "every-entry",
    title: "hypothetical: computed at every entry",
    source: "hypothetical; answers the caveat in B. Serebrin's mail of 2015-04-15",
    everyEntry: true,
    savesHostAtEntry: false,
    hardwareCr4: ({ guestCr4, hostShadow, realMode }) =>
      ((hostShadow & MCE) | (guestCr4 & ~MCE) | alwaysOn(realMode)) >>> 0,
  },
  {
    // VMRUN saves the host's CR4 and #VMEXIT restores it, so that half is never stale; the guest's half is computed in svm_set_cr4 only.
    name: "svm",
    title: "AMD: svm_set_cr4",
    source: "Linux arch/x86/kvm/svm.c, svm_set_cr4, before 2015 (record V9)",
    everyEntry: false,
    savesHostAtEntry: true,
    hardwareCr4: ({ guestCr4, hostCr4 }) => (guestCr4 | (hostCr4 & MCE)) >>> 0,
  },
];

/**
 * The rule of this name.
 * @throws Error naming the rules there are
 */
export function rule(name: string): Cr4Rule {
  const found = rules.find((candidate) => candidate.name === name);
  if (!found)
    throw new Error(
      `There is no rule "${name}" for the guest's CR4; there are ${rules.map((r) => r.name).join(", ")}.`,
    );
  return found;
}
