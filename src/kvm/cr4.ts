/**
 * The bits of CR4 that a processor of 2015 knows (Intel SDM Vol 3, control registers). What is not listed is reserved: setting it raises
 * a general-protection fault on the real processor, and an error here.
 */
export const cr4Bits: Readonly<Record<string, number>> = {
  VME: 1 << 0,
  PVI: 1 << 1,
  TSD: 1 << 2,
  DE: 1 << 3,
  PSE: 1 << 4,
  PAE: 1 << 5,
  MCE: 1 << 6,
  PGE: 1 << 7,
  PCE: 1 << 8,
  OSFXSR: 1 << 9,
  OSXMMEXCPT: 1 << 10,
  VMXE: 1 << 13,
  SMXE: 1 << 14,
  FSGSBASE: 1 << 16,
  PCIDE: 1 << 17,
  OSXSAVE: 1 << 18,
  SMEP: 1 << 20,
  SMAP: 1 << 21,
};

/** CR4.MCE, bit 6: machine-check exceptions are delivered; without it a machine check shuts the processor down (record V15). */
export const MCE: number = cr4Bits["MCE"];
export const VMXE: number = cr4Bits["VMXE"];
export const PAE: number = cr4Bits["PAE"];
export const VME: number = cr4Bits["VME"];

const known = Object.values(cr4Bits).reduce((all, bit) => all | bit, 0);

/**
 * Checks that a value can be in CR4.
 * @param name what holds the value, for the message
 * @throws Error naming the lowest reserved bit that is set
 */
export function checkCr4(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new Error(`${name} is ${value}; CR4 holds a whole number of 32 bits.`);
  }
  const reserved = (value & ~known) >>> 0;
  if (reserved !== 0) {
    throw new Error(
      `${name} = 0x${value.toString(16)} sets bit ${31 - Math.clz32(reserved & -reserved)} of CR4, which is reserved.`,
    );
  }
  return value;
}

/** The names of the bits that are set: "PAE MCE VMXE", or "none". @public */
export function formatCr4(value: number): string {
  const names = Object.keys(cr4Bits).filter((name) => value & cr4Bits[name]);
  return names.length > 0 ? names.join(" ") : "none";
}
