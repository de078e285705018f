import { describe, expect, test } from "vitest";
import { OneToOneTable, oneToOne, pageBytes, type Region, walkEntries } from "../../src/pagetables/index.js";
import { fc } from "../support/property.js";

const mebibyte = 1_048_576;
const gibibyte = 1024 * mebibyte;

/** Regions in address order with holes and any mixture of leaves, small enough to be written out. */
const anyRegions: fc.Arbitrary<Region[]> = fc
  .array(
    fc.record({
      hole: fc.nat(2),
      blocks: fc.integer({ min: 1, max: 4 }),
      page: fc.constantFrom(pageBytes["4K"], pageBytes["2M"], pageBytes["1G"]),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((parts) => fc.tuple(fc.constant(parts), fc.nat(511)))
  .map(([parts, tailPages]) => {
    let at = 0;
    return parts.map(({ hole, blocks, page }, i) => {
      const unit = page === pageBytes["1G"] ? gibibyte : 2 * mebibyte;
      const start = Math.ceil((at + hole * 2 * mebibyte) / unit) * unit;
      const bytes = blocks * unit + (i === parts.length - 1 ? tailPages * 4096 : 0);
      at = start + bytes;
      return { start, bytes, page };
    });
  });

describe("1:1 tables", () => {
  test("sizes: 128 GiB take 256 MiB in 4K leaves, 512 KiB in 2M leaves, a few KiB in 1G leaves", () => {
    expect(oneToOne(128 * gibibyte, pageBytes["4K"]).bytes).toBe(256 * mebibyte + 128 * 4096 + 2 * 4096);
    expect(oneToOne(128 * gibibyte, pageBytes["2M"]).bytes).toBe(128 * 4096 + 2 * 4096);
    expect(oneToOne(128 * gibibyte, pageBytes["1G"]).bytes).toBe(2 * 4096);
    expect(oneToOne(1024 * gibibyte, pageBytes["4K"]).bytes).toBeGreaterThan(2 * gibibyte);
  });

  test("a tail that no large leaf fills is mapped by smaller ones", () => {
    const table = oneToOne(gibibyte + 2 * mebibyte + 4096, pageBytes["1G"]);
    expect(table.leafBytes(gibibyte - 1)).toBe(gibibyte);
    expect(table.leafBytes(gibibyte)).toBe(2 * mebibyte);
    expect(table.leafBytes(gibibyte + 2 * mebibyte)).toBe(4096);
    expect(table.leafBytes(gibibyte + 2 * mebibyte + 4096)).toBe(0);
  });

  test("a hardware walk over the table written out finds each address at itself, through the same entries", () => {
    fc.assert(
      fc.property(
        anyRegions,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 30 }),
        (regions, places) => {
          const table = new OneToOneTable(regions);
          const memory = table.materialise();
          const read: number[] = [];
          const recording = {
            get(address: number): bigint | undefined {
              read.push(address);
              return memory.get(address);
            },
          };
          const end = regions.reduce((most, region) => Math.max(most, region.start + region.bytes), 0);
          for (const place of places) {
            const address = Math.floor(place * end * 1.1);
            read.length = 0;
            const found = walkEntries(recording as unknown as Map<number, bigint>, table.base, address);
            const leaf = table.leafBytes(address);
            const inside = regions.some((region) => address >= region.start && address < region.start + region.bytes);
            expect(leaf > 0).toBe(inside);
            if (leaf > 0) expect(found).toEqual({ address, leafBytes: leaf });
            else expect(found).toHaveProperty("faultLevel");
            const predicted = ([4, 3, 2, 1] as const)
              .slice(0, leaf > 0 ? (leaf === 4096 ? 4 : leaf === pageBytes["2M"] ? 3 : 2) : 4)
              .map((level) => table.entryAddress(level, address))
              .filter((entry) => entry >= 0);
            expect(leaf > 0 ? read : read.slice(0, predicted.length)).toEqual(
              leaf > 0 ? predicted : predicted.slice(0, read.length),
            );
            for (const entry of read) expect(entry).toBeLessThan(table.base + table.bytes);
          }
          // No two levels share a frame: all entries together lie within the table and none was written twice with another value.
          expect(new Set([...memory.keys()].map((entry) => Math.floor(entry / 4096))).size).toBe(table.bytes / 4096);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("what cannot be mapped is named", () => {
    const page = pageBytes["2M"];
    expect(() => new OneToOneTable([{ start: 4096, bytes: page, page }])).toThrow("regions[0] at 4096: start");
    expect(() => new OneToOneTable([{ start: 0, bytes: 100, page }])).toThrow("multiple of 4096");
    expect(
      () =>
        new OneToOneTable([
          { start: 0, bytes: 2 * page, page },
          { start: page, bytes: page, page },
        ]),
    ).toThrow("regions[1]");
    expect(() => oneToOne(2 ** 49, page)).toThrow("48 bits");
  });
});
