import { describe, expect, it } from "vitest";
import { PTE_READ, PTE_WRITE, SecondLevelPageTable, type TableMemory } from "../../src/pagetables/index.js";
import { fc } from "../support/property.js";

/** Counts what page-table code does to memory. */
class Counter implements TableMemory {
  reads: number[] = [];
  writes: number[] = [];
  atomics: number[] = [];
  flushes: number[] = [];
  read(a: number): void {
    this.reads.push(a);
  }
  write(a: number): void {
    this.writes.push(a);
  }
  atomic(a: number): void {
    this.atomics.push(a);
  }
  flush(a: number): void {
    this.flushes.push(a);
  }
}

const top = 0xfffff;

describe("second-level page table", () => {
  it("translates what was mapped, page by page, and nothing else", () => {
    const table = new SecondLevelPageTable();
    expect(table.map(top - 3, 0x1234567, 4, PTE_READ | PTE_WRITE)).toBe(4);
    expect(table.lookup(top - 1)).toEqual({ pfn: 0x1234569, permission: 3, large: false, level: 1 });
    expect(table.lookup(top - 4)).toBeUndefined();
    table.unmap(top - 3, 4);
    expect(table.lookup(top - 1)).toBeUndefined();
    expect(table.leafCount).toBe(0);
  });

  it("a map with its tables present reads three entries and stores one", () => {
    const table = new SecondLevelPageTable();
    table.map(top, 1, 1, PTE_READ);
    const memory = new Counter();
    table.map(top - 1, 2, 1, PTE_READ, memory);
    expect([memory.reads.length, memory.writes.length, memory.atomics.length]).toEqual([3, 1, 0]);
    const undo = new Counter();
    table.unmap(top - 1, 1, undo);
    expect([undo.reads.length, undo.writes.length]).toEqual([4, 1]);
    expect(undo.flushes).toEqual([]);
  });

  it("flushes each changed line, and each line of a new table, where the IOMMU does not snoop", () => {
    const table = new SecondLevelPageTable({ coherent: false });
    const first = new Counter();
    table.map(top, 1, 1, PTE_READ, first);
    expect(first.flushes.length).toBe(3 * (64 + 1) + 1);
    const next = new Counter();
    table.map(top - 16, 1, 16, PTE_READ, next);
    expect(next.flushes.length).toBe(3); // 16 entries of 8 bytes from the middle of a line
    const undo = new Counter();
    table.unmap(top - 16, 16, undo);
    expect(undo.flushes.length).toBe(3);
  });

  it("collects a table only when one unmap covers all it can map", () => {
    const table = new SecondLevelPageTable();
    for (let i = 0; i < 512; i++) table.map(0x80000 + i, i + 1, 1, PTE_READ);
    expect(table.tableCount).toBe(4);
    for (let i = 0; i < 512; i++) expect(table.unmap(0x80000 + i, 1)).toEqual([]);
    expect(table.emptyTables).toBe(1);
    table.map(0x80000, 1, 512, PTE_READ);
    const collected = table.unmap(0x80000, 512);
    expect(collected.length).toBe(1);
    expect(table.tableCount).toBe(4); // not freed before the invalidation
    table.freeTables(collected);
    expect(table.tableCount).toBe(3);
    expect(() => table.freeTables(collected)).toThrow(/not in use/);
  });

  it("collects a whole subtree at once, children included", () => {
    const table = new SecondLevelPageTable();
    for (let i = 0; i < 4; i++) table.map(i * 512 + 7, 1, 1, PTE_READ);
    const collected = table.unmap(0, 512 * 512);
    expect(collected.length).toBe(5);
    expect(table.leafCount).toBe(0);
    table.freeTables(collected);
    expect(table.tableCount).toBe(2);
  });

  it("maps 2 MiB and 1 GiB leaves and refuses to cut them", () => {
    const table = new SecondLevelPageTable();
    expect(table.map(512, 1024, 1024, PTE_WRITE, undefined, 2)).toBe(2);
    expect(table.lookup(513)).toEqual({ pfn: 1025, permission: PTE_WRITE, large: true, level: 2 });
    expect(() => table.unmap(513, 1)).toThrow(/cuts the large page/);
    expect(() => table.map(513, 1, 1, PTE_READ)).toThrow(/large page/);
    table.map(1 << 18, 1 << 18, 1 << 18, PTE_READ, undefined, 3);
    expect(table.lookup((1 << 18) + 5)?.level).toBe(3);
  });

  it.each([
    ["zero pages", () => new SecondLevelPageTable().map(1, 1, 0, 1), /pages: .* got 0/],
    [
      "a range beyond the top",
      () => new SecondLevelPageTable({ levels: 3 }).map(2 ** 27 - 1, 1, 2, 1),
      /outside the 3-level/,
    ],
    ["no permission", () => new SecondLevelPageTable().map(1, 1, 1, 0), /permission/],
    ["a fraction", () => new SecondLevelPageTable().unmap(1.5, 1), /lies outside|range/],
    ["an unaligned base", () => new SecondLevelPageTable({ baseAddress: 100 }), /baseAddress/],
  ])("refuses %s", (_name, act, message) => {
    expect(act).toThrow(message);
  });

  it("refuses to map a page twice, and keeps the old translation", () => {
    const table = new SecondLevelPageTable();
    table.map(5, 50, 1, PTE_READ);
    expect(() => table.map(5, 60, 1, PTE_READ)).toThrow(/already mapped/);
    expect(table.lookup(5)?.pfn).toBe(50);
  });

  it("agrees with a plain map of pages under any sequence of maps and unmaps", () => {
    const operation = fc.record({
      unmap: fc.boolean(),
      pfn: fc.oneof(
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: top - 600, max: top - 64 }),
        fc.constant(2 ** 33 - 20),
      ),
      pages: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(512)),
      coherent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const table = new SecondLevelPageTable({ coherent: operations[0]?.coherent ?? true });
        const model = new Map<number, number>();
        for (const { unmap, pfn, pages } of operations) {
          const range = Array.from({ length: pages }, (_, i) => pfn + i);
          if (unmap) {
            table.freeTables(table.unmap(pfn, pages));
            for (const page of range) model.delete(page);
          } else if (range.every((page) => !model.has(page))) {
            table.map(pfn, pfn + 77, pages, PTE_READ);
            for (const page of range) model.set(page, page + 77);
          }
          expect(table.leafCount).toBe(model.size);
          for (const page of [pfn - 1, pfn, pfn + pages - 1, pfn + pages])
            if (page >= 0) expect(table.lookup(page)?.pfn).toBe(model.get(page));
        }
        for (const [page, frame] of model) expect(table.lookup(page)?.pfn).toBe(frame);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
