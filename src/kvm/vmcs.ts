import { checkCr4, cr4Bits, MCE, PAE, VMXE } from "./cr4.js";

/** Vector of the machine-check exception. */
export const MC_VECTOR = 18;

/** The fields of a virtual-machine control structure that decide who owns CR4 and who gets a machine check. */
export interface Vmcs {
  /** CR4 that the processor runs the guest with. This one, never the read shadow, decides about machine checks (record V14). */
  guestCr4: number;
  /** What the guest reads for the bits that the host owns. */
  cr4ReadShadow: number;
  /** A bit set here belongs to the host: the guest reads the shadow, and a write that differs from the shadow causes a VM exit. */
  cr4GuestHostMask: number;
  /** CR4 that VM exit loads. */
  hostCr4: number;
  /** Exceptions in the guest that cause a VM exit, by vector. */
  exceptionBitmap: number;
}

/** Bits of CR4 that KVM lets the guest own (record V8). MCE is not among them. */
export const guestOwnedBits: number =
  cr4Bits["PVI"] | cr4Bits["DE"] | cr4Bits["PCE"] | cr4Bits["OSFXSR"] | cr4Bits["OSXMMEXCPT"] | cr4Bits["PGE"];

/** KVM's guest/host mask: all that the guest does not own. @public */
export const kvmMask: number = ~guestOwnedBits >>> 0;

/** Exceptions KVM intercepts, MC always among them: page fault, undefined opcode, machine check, debug, alignment check (record V5). */
export const kvmExceptionBitmap: number = (1 << 14) | (1 << 6) | (1 << MC_VECTOR) | (1 << 1) | (1 << 17);

/**
 * The checks VM entry makes of these fields.
 * @throws Error naming the field and the bit
 * @public
 */
export function checkVmcs(vmcs: Vmcs): void {
  checkCr4("VMCS guest CR4", vmcs.guestCr4);
  checkCr4("VMCS host CR4", vmcs.hostCr4);
  // In VMX operation CR4.VMXE is a fixed-1 bit, in root and in non-root mode; a 64-bit host needs PAE.
  if (!(vmcs.guestCr4 & VMXE)) throw new Error("VMCS guest CR4 has VMXE clear; VM entry requires it set.");
  if (!(vmcs.hostCr4 & VMXE)) throw new Error("VMCS host CR4 has VMXE clear; VM entry requires it set.");
  if (!(vmcs.hostCr4 & PAE)) throw new Error("VMCS host CR4 has PAE clear; VM entry to a 64-bit host requires it set.");
}

/** What MOV from CR4 gives the guest (record V13). @public */
export function movFromCr4(vmcs: Vmcs): number {
  return ((vmcs.cr4ReadShadow & vmcs.cr4GuestHostMask) | (vmcs.guestCr4 & ~vmcs.cr4GuestHostMask)) >>> 0;
}

/**
 * MOV to CR4 in the guest (record V13): exits when a host-owned bit would differ from its shadow, otherwise changes the guest's own bits.
 * @returns true when it causes a VM exit (nothing is changed then)
 * @throws Error when the value sets a reserved bit
 * @public
 */
export function movToCr4(vmcs: Vmcs, value: number): boolean {
  checkCr4("the value written to CR4", value);
  if ((value ^ vmcs.cr4ReadShadow) & vmcs.cr4GuestHostMask) return true;
  vmcs.guestCr4 = ((vmcs.guestCr4 & vmcs.cr4GuestHostMask) | (value & ~vmcs.cr4GuestHostMask)) >>> 0;
  return false;
}

/** True when the field has MCE set. */
export function hasMce(cr4: number): boolean {
  return (cr4 & MCE) !== 0;
}
