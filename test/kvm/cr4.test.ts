import { describe, expect, test } from "vitest";
import {
  checkCr4,
  checkVmcs,
  cr4Bits,
  formatCr4,
  guestOwnedBits,
  kvmExceptionBitmap,
  kvmMask,
  MC_VECTOR,
  MCE,
  movFromCr4,
  movToCr4,
  PAE,
  rule,
  rules,
  VME,
  VMXE,
  type Vmcs,
} from "../../src/kvm/index.js";
import { fc } from "../support/property.js";

const vmcs = (): Vmcs => ({
  guestCr4: PAE | VMXE | MCE,
  cr4ReadShadow: PAE,
  cr4GuestHostMask: kvmMask,
  hostCr4: PAE | VMXE | MCE,
  exceptionBitmap: kvmExceptionBitmap,
});
const anyCr4 = fc.subarray(Object.values(cr4Bits)).map((bits) => bits.reduce((all, bit) => all | bit, 0));

describe("CR4", () => {
  test("its bits have names", () => {
    expect(formatCr4(PAE | MCE | VMXE)).toBe("PAE MCE VMXE");
    expect(formatCr4(0)).toBe("none");
  });

  test("a reserved bit is refused by its number", () => {
    expect(() => checkCr4("guest CR4", 1 << 15)).toThrow("guest CR4 = 0x8000 sets bit 15 of CR4, which is reserved");
    expect(() => checkCr4("guest CR4", 0x8000_0000)).toThrow("bit 31");
    expect(() => checkCr4("guest CR4", 1.5)).toThrow("whole number of 32 bits");
  });
});

describe("the VMCS", () => {
  test("VM entry refuses impossible contents and names the field and the bit", () => {
    expect(() => checkVmcs(vmcs())).not.toThrow();
    expect(() => checkVmcs({ ...vmcs(), guestCr4: PAE })).toThrow("guest CR4 has VMXE clear");
    expect(() => checkVmcs({ ...vmcs(), hostCr4: VMXE })).toThrow("host CR4 has PAE clear");
    expect(() => checkVmcs({ ...vmcs(), hostCr4: PAE })).toThrow("host CR4 has VMXE clear");
    expect(() => checkVmcs({ ...vmcs(), hostCr4: PAE | VMXE | (1 << 19) })).toThrow("bit 19");
  });

  test("KVM owns MCE and always intercepts the machine check", () => {
    expect(kvmMask & MCE).toBe(MCE);
    expect(guestOwnedBits & MCE).toBe(0);
    expect(kvmExceptionBitmap & (1 << MC_VECTOR)).not.toBe(0);
  });

  test("the guest reads the shadow of MCE, not the bit in force", () => {
    expect(movFromCr4(vmcs()) & MCE).toBe(0);
  });

  test("a write to MCE that differs from the shadow exits; the guest's own bits change without an exit", () => {
    const fields = vmcs();
    expect(movToCr4(fields, PAE | MCE)).toBe(true);
    expect(movToCr4(fields, PAE | (cr4Bits["PGE"] as number))).toBe(false);
    expect(fields.guestCr4).toBe(PAE | VMXE | MCE | cr4Bits["PGE"]);
    expect(() => movToCr4(fields, 1 << 30)).toThrow("bit 30");
  });

  test("after a write that does not exit the guest reads what it wrote, and the host's bits are untouched", () => {
    fc.assert(
      fc.property(anyCr4, anyCr4, anyCr4, (guestCr4, cr4ReadShadow, value) => {
        const fields = { ...vmcs(), guestCr4, cr4ReadShadow };
        if (!movToCr4(fields, value)) expect(movFromCr4(fields)).toBe(value);
        expect((fields.guestCr4 ^ guestCr4) & kvmMask).toBe(0);
      }),
      { seed: 4 },
    );
  });
});

describe("the rules for the guest's hardware CR4", () => {
  const mce = (name: string, guest: number, host: number, shadow: number): number =>
    rule(name).hardwareCr4({
      guestCr4: guest ? MCE : 0,
      hostCr4: host ? MCE : 0,
      hostShadow: shadow ? MCE : 0,
      realMode: false,
    }) & MCE
      ? 1
      : 0;

  test.each([
    // rule, hardware MCE for (guest, live, shadow) = 000 001 010 011 100 101 110 111
    ["before", [0, 0, 0, 0, 1, 1, 1, 1]],
    ["live-read", [0, 0, 1, 1, 0, 0, 1, 1]],
    ["shadow", [0, 1, 0, 1, 0, 1, 0, 1]],
    ["every-entry", [0, 1, 0, 1, 0, 1, 0, 1]],
    ["svm", [0, 0, 1, 1, 1, 1, 1, 1]],
  ])("%s", (name, expected) => {
    expect(Array.from({ length: 8 }, (_, i) => mce(name, (i >> 2) & 1, (i >> 1) & 1, i & 1))).toEqual(expected);
  });

  test("all other bits are the guest's, with the bits VMX needs; VME in real mode", () => {
    fc.assert(
      fc.property(anyCr4, anyCr4, fc.boolean(), (guestCr4, hostCr4, realMode) => {
        for (const { name, hardwareCr4 } of rules) {
          const needed = name === "svm" ? 0 : PAE | VMXE | (realMode ? VME : 0);
          const others = hardwareCr4({ guestCr4, hostCr4, hostShadow: hostCr4, realMode }) & ~MCE;
          expect(others).toBe((guestCr4 | needed) & ~MCE);
        }
      }),
      { seed: 5 },
    );
  });

  test("an unknown rule is refused, with the names there are", () => {
    expect(() => rule("after")).toThrow(
      'no rule "after" for the guest\'s CR4; there are before, live-read, shadow, every-entry, svm',
    );
  });
});
