import { expect, test } from "vitest";
import {
  aliasOf,
  dynamicDesign,
  EntryMemory,
  mapPages,
  PTE_BYTES,
  runToEnd,
  SecondLevelPageTable,
  unmapPages,
} from "../../src/pagetables/index.js";
import { fc } from "../support/property.js";

const pages = [0, 1, 511, 512, 513, 262_143, 262_144, 0xfffff];

test("a walk by addresses reads the entries that lead to where lookup leads, after every map and unmap", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(pages.length - 1), { minLength: 1, maxLength: 30 }), (steps) => {
      const table = new SecondLevelPageTable();
      for (const [i, step] of steps.entries()) {
        const pfn = pages[step];
        if (table.lookup(pfn) === undefined) table.map(pfn, 1000 + i, 1, 3);
        else table.unmap(pfn, 1);
        for (const page of pages) {
          const found = table.lookup(page);
          expect(table.frameOf(page)).toBe(found?.pfn ?? -1);
          // From the root down: an entry at each level until one is not present.
          let present = true;
          for (let level = 4; level >= 1; level--) {
            const at = table.walkAddress(page, level);
            expect(at >= 0, `level ${level} of ${page}`).toBe(present);
            if (at < 0) break;
            const entry = table.entryAt(at);
            present = entry.permission !== 0;
            if (level === 1 && present) expect(entry.pfn).toBe(found?.pfn);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("dynamic 1:1: the same, through the entries that its programs store", () => {
  const memory = new EntryMemory(dynamicDesign());
  const iova = aliasOf(7, 3);
  expect(memory.walkAddress(iova, 1)).toBe(-1);
  runToEnd(mapPages(memory.table, 0, iova, 7, 1, 3), memory);
  const at = memory.walkAddress(iova, 1);
  expect(memory.entry(at)).not.toBe(memory.entry(memory.walkAddress(iova, 2)));
  expect(at * PTE_BYTES).toBeGreaterThan(0);
  runToEnd(unmapPages(memory.table, 0, iova, 1), memory);
  expect(memory.walk(iova)).toBeUndefined();
});
