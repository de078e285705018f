import { describe, expect, test } from "vitest";
import {
  addCount,
  aliasOf,
  checkLayout,
  countOf,
  dynamicDesign,
  entryOf,
  frameOf,
  fromBits,
  IGNORED_BITS,
  isMarked,
  isPresent,
  mostCount,
  permissionOf,
  toBits,
  WIDE_LAYOUT,
} from "../../../src/pagetables/index.js";
import { fc } from "../../support/property.js";

const anyEntry = fc.record({
  frame: fc.integer({ min: 0, max: 0xff_ffff_ffff }),
  permission: fc.integer({ min: 0, max: 3 }),
  count: fc.integer({ min: 0, max: 1023 }),
  mark: fc.boolean(),
});

describe("an entry with software's own bits", () => {
  test("for example: page 7, read and write, mapped twice", () => {
    const entry = entryOf(7, 3, 2);
    expect([frameOf(entry), permissionOf(entry), countOf(entry), isPresent(entry), isMarked(entry)]).toEqual([
      7,
      3,
      2,
      true,
      false,
    ]);
    expect(toBits(entry, WIDE_LAYOUT)).toBe((2n << 52n) | (7n << 12n) | 3n);
    expect(countOf(addCount(entry, -1))).toBe(1);
  });

  test("keeps every field, as a number and as 64 bits", () => {
    fc.assert(
      fc.property(anyEntry, ({ frame, permission, count, mark }) => {
        const entry = entryOf(frame, permission, count, mark);
        expect(Number.isSafeInteger(entry)).toBe(true);
        expect([frameOf(entry), permissionOf(entry), countOf(entry), isMarked(entry)]).toEqual([
          frame,
          permission,
          count,
          mark,
        ]);
        expect(fromBits(toBits(entry, WIDE_LAYOUT), WIDE_LAYOUT)).toBe(entry);
      }),
    );
  });

  test("what the hardware does not ignore is the same whatever is counted or marked (record K17)", () => {
    const ignored = IGNORED_BITS.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
    fc.assert(
      fc.property(anyEntry, ({ frame, permission, count, mark }) => {
        const bits = toBits(entryOf(frame, permission, count, mark), WIDE_LAYOUT);
        expect(bits & ~ignored).toBe((BigInt(frame) << 12n) | BigInt(permission));
        expect(bits & ((1n << 61n) | (1n << 62n))).toBe(0n);
      }),
    );
  });

  test("a layout that takes a bit of the hardware's is refused, by the record's name", () => {
    for (const bit of [0, 7, 11, 51, 61, 62, 64])
      expect(() => checkLayout({ count: [52, bit], mark: 63 })).toThrow(
        `count: bit ${bit} is not safely software's; free for it are 10, 52 to 60 and 63 (record K17)`,
      );
    expect(() => checkLayout({ count: [52], mark: 62 })).toThrow("mark: bit 62");
    expect(() => checkLayout({ count: [52, 52], mark: 63 })).toThrow("each bit can be used once");
    expect(() => checkLayout({ count: [], mark: 63 })).toThrow("0 bits");
    expect(() => dynamicDesign({ layout: { count: [61], mark: 63 } })).toThrow("K17");
  });

  test("a live count needs room for a whole table and what is on its way; a use count takes what there is", () => {
    const nine = { count: [52, 53, 54, 55, 56, 57, 58, 59, 60], mark: 63 };
    expect(mostCount(nine)).toBe(511);
    expect(() => dynamicDesign({ layout: nine })).toThrow("need 10 bits");
    expect(dynamicDesign({ layout: nine, cleanup: "never" }).mostUses).toBe(511);
    expect(dynamicDesign().mostUses).toBe(1023);
  });

  test("design fields out of range are named, with what is accepted", () => {
    expect(() => dynamicDesign({ levels: 6 })).toThrow("levels: 6; a whole number from 2 to 5 is accepted");
    expect(() => dynamicDesign({ slotBits: 0 })).toThrow("slotBits: 0");
    expect(() => dynamicDesign({ mostUses: 1024 })).toThrow("mostUses: 1024; a whole number from 1 to 1023");
  });
});

describe("aliases", () => {
  test("a page has one for each right, and they never meet", () => {
    expect([1, 2, 3].map((permission) => aliasOf(5, permission) * 4096)).toEqual([
      5 * 4096 + 0x4000_0000_0000,
      5 * 4096 + 0x8000_0000_0000,
      5 * 4096 + 0xc000_0000_0000,
    ]);
  });

  test("a page beyond 46 bits, or no right, is refused", () => {
    expect(() => aliasOf(0x4_0000_0000, 1)).toThrow("46 bits of address are left");
    expect(() => aliasOf(5, 0)).toThrow("permission: 0; 1 (read), 2 (write) and 3 (both)");
  });
});
