import { describe, expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { TranslationUnit, type TranslationUnitConfig, walkMemory } from "../../src/iommu/index.js";
import { OneToOneTable, oneToOne, pageBytes } from "../../src/pagetables/index.js";
import { fc } from "../support/property.js";

const mebibyte = 1_048_576;
const gibibyte = 1024 * mebibyte;
const config = (overrides: Partial<TranslationUnitConfig> = {}): TranslationUnitConfig => ({
  iotlb: { entries: 4, ways: 4, replacement: "lru" },
  iotlbBySize: "shared",
  structureCaches: { entries: 4, ways: 4, replacement: "lru" },
  walkers: 2,
  walkFixedPs: 10,
  ...overrides,
});
const memory = { coherent: true, cachePs: 100, dramPs: 1000, cacheBytes: gibibyte };

function unitOver(table: OneToOneTable, overrides: Partial<TranslationUnitConfig> = {}): TranslationUnit {
  return new TranslationUnit(config(overrides), table, walkMemory(memory, table));
}

describe("a remapping unit", () => {
  test("the first walk reads four entries, the next page of the same block one", () => {
    const unit = unitOver(oneToOne(gibibyte, pageBytes["4K"]));
    expect(unit.lookup(4096)).toBe(-1);
    expect(unit.walk(4096)).toMatchObject({ depth: 4, durationPs: 410, leafBytes: 4096 });
    unit.fill(4096);
    expect(unit.lookup(4097)).toBe(4097);
    expect(unit.lookup(8192)).toBe(-1);
    expect(unit.walk(8192)).toMatchObject({ depth: 1, durationPs: 110 });
    expect(unit.counters).toMatchObject({ lookups: 3, hits: 1, misses: 2, walks: 2, walksByDepth: [0, 1, 0, 0, 1] });
  });

  test("large leaves end the walk early: three entries for 2M, two for 1G", () => {
    expect(unitOver(oneToOne(gibibyte, pageBytes["2M"])).walk(0).depth).toBe(3);
    expect(unitOver(oneToOne(gibibyte, pageBytes["1G"])).walk(0).depth).toBe(2);
  });

  test("without paging-structure caches every walk starts at the root", () => {
    const unit = unitOver(oneToOne(gibibyte, pageBytes["4K"]), {
      structureCaches: { entries: 0, ways: 0, replacement: "lru" },
    });
    for (const address of [0, 4096]) {
      expect(unit.walk(address).depth).toBe(4);
      unit.fill(address);
    }
  });

  test("sizes share an IOTLB, or have one each", () => {
    const table = new OneToOneTable([
      { start: 0, bytes: 2 * mebibyte, page: pageBytes["4K"] },
      { start: 2 * mebibyte, bytes: 64 * mebibyte, page: pageBytes["2M"] },
    ]);
    for (const [iotlbBySize, survives] of [
      ["shared", -1],
      ["separate", 0],
    ] as const) {
      const unit = unitOver(table, { iotlbBySize });
      unit.fill(0);
      for (let i = 1; i <= 4; i++) unit.fill(2 * i * mebibyte);
      expect(unit.lookup(0)).toBe(survives);
      expect(unit.lookup(4 * mebibyte + 5)).toBe(4 * mebibyte + 5);
    }
  });

  test("an address that is not mapped faults and leaves nothing behind", () => {
    const unit = unitOver(oneToOne(mebibyte, pageBytes["4K"]));
    expect(unit.walk(16 * gibibyte).leafBytes).toBe(0);
    unit.fill(16 * gibibyte);
    expect(unit.lookup(16 * gibibyte)).toBe(-1);
    expect(unit.counters.faults).toBe(1);
    expect(unit.occupancy).toBe(0);
  });

  test("no walkers is refused", () => {
    expect(() => unitOver(oneToOne(mebibyte, pageBytes["4K"]), { walkers: 0 })).toThrow("walkers: 0");
  });
});

describe("what walks read from", () => {
  const table = { base: gibibyte, bytes: 16 * mebibyte };

  test("a walker that is not coherent goes to DRAM every time", () => {
    const bare = walkMemory({ ...memory, coherent: false }, table);
    expect([bare.readPs(gibibyte), bare.readPs(gibibyte)]).toEqual([1000, 1000]);
    expect(bare.dramReads).toBe(2);
  });

  test("a table that fits is always found in the cache", () => {
    const all = walkMemory(memory, table);
    expect(all.readPs(gibibyte + 5000)).toBe(100);
  });

  test("a table four times the cache is found a quarter of the time, from the first read on", () => {
    const partly = walkMemory({ ...memory, cacheBytes: 4 * mebibyte }, table);
    const lines = table.bytes / 64;
    const random = new Streams(1).stream("lines");
    for (let i = 0; i < 40_000; i++) partly.readPs(gibibyte + random.below(lines) * 64);
    const share = partly.cacheReads / (partly.cacheReads + partly.dramReads);
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
  });

  test("a line just read from DRAM is in the cache", () => {
    const partly = walkMemory({ ...memory, cacheBytes: 64 * 1024 }, table);
    partly.readPs(gibibyte + 640);
    expect(partly.readPs(gibibyte + 640 + 8)).toBe(100);
  });

  test("no cache at all is DRAM every time", () => {
    expect(walkMemory({ ...memory, cacheBytes: 0 }, table).readPs(gibibyte)).toBe(1000);
  });
});

describe("invalidations", () => {
  const page = (pfn: number, order = 0, leafOnly = false) =>
    ({ kind: "pages", domain: 0, pfn, order, leafOnly }) as const;
  const held = (unit: TranslationUnit, pages: number) =>
    Array.from({ length: pages }, (_, pfn) => pfn).filter((pfn) => unit.lookup(pfn * 4096) >= 0);
  function filled(pages: number): TranslationUnit {
    const unit = unitOver(oneToOne(gibibyte, pageBytes["4K"]), {
      iotlb: { entries: 64, ways: 64, replacement: "lru" },
    });
    for (let pfn = 0; pfn < pages; pfn++) unit.fill(pfn * 4096);
    return unit;
  }

  test("one of a page drops that page, one of a block the block, one of the domain everything", () => {
    const unit = filled(64);
    unit.invalidate(page(5, 0, true));
    expect(held(unit, 8)).toEqual([0, 1, 2, 3, 4, 6, 7]);
    // An unaligned start stands for the block around it.
    unit.invalidate(page(9, 3, true));
    expect(held(unit, 20)).toEqual([0, 1, 2, 3, 4, 6, 7, 16, 17, 18, 19]);
    unit.invalidate(page(32, 5, true));
    expect(held(unit, 64).at(-1)).toBe(31);
    unit.invalidate({ kind: "domain", domain: 0 });
    expect(held(unit, 64)).toEqual([]);
    expect(unit.occupancy).toBe(0);
  });

  test("walks start at the root again, unless the invalidation says that no table was unlinked", () => {
    const unit = filled(4);
    unit.invalidate(page(1, 0, true));
    expect(unit.walk(4096).depth).toBe(1);
    unit.invalidate(page(1));
    expect(unit.walk(4096).depth).toBe(4);
  });

  test("a large page that overlaps the range goes, others stay; a device's own cache is not reached", () => {
    const table = new OneToOneTable([
      { start: 0, bytes: 2 * mebibyte, page: pageBytes["4K"] },
      { start: 2 * mebibyte, bytes: 8 * mebibyte, page: pageBytes["2M"] },
    ]);
    const unit = unitOver(table, { iotlb: { entries: 8, ways: 8, replacement: "lru" } });
    const kept = () => [0, 2 * mebibyte, 4 * mebibyte].filter((address) => unit.lookup(address) >= 0);
    for (const address of [0, 2 * mebibyte, 4 * mebibyte]) unit.fill(address);
    unit.invalidate({ kind: "device", device: 0, pfn: 0, order: 20 });
    expect(kept()).toHaveLength(3);
    unit.invalidate(page(600));
    expect(kept()).toEqual([0, 4 * mebibyte]);
  });

  test("of any fills and invalidations, exactly what no invalidation reached since is cached", () => {
    // Two 4K regions apart from each other, 2M leaves beside one of them, 1G leaves above.
    const table = new OneToOneTable([
      { start: 0, bytes: 4 * mebibyte, page: pageBytes["4K"] },
      { start: 4 * mebibyte, bytes: 16 * mebibyte, page: pageBytes["2M"] },
      { start: gibibyte, bytes: 2 * gibibyte, page: pageBytes["1G"] },
      { start: 4 * gibibyte, bytes: 2 * mebibyte, page: pageBytes["4K"] },
    ]);
    const address = fc.oneof(
      ...[0, 2 * mebibyte - 8 * 4096, 4 * mebibyte - 8 * 4096, 8 * mebibyte, gibibyte, 2 * gibibyte, 4 * gibibyte].map(
        (from) => fc.nat(12).map((page) => from + page * 4096),
      ),
    );
    const step = fc.oneof(
      { weight: 8, arbitrary: address.map((at) => ({ fill: at })) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(
            address,
            fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(20) }),
            fc.boolean(),
          )
          .map(([at, order, leafOnly]) => ({ what: page(Math.floor(at / 4096), order, leafOnly) })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          { what: { kind: "domain", domain: 0 } as const },
          { what: { kind: "global" } as const },
        ),
      },
    );
    const covered = [0, 0, 2 * mebibyte, gibibyte, 512 * gibibyte];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(address, { maxLength: 4 }), (steps, looked) => {
        const roomy = { entries: 512, ways: 512, replacement: "lru" } as const;
        const unit = unitOver(table, { iotlb: roomy, structureCaches: roomy });
        /** Cached translations and table entries: first byte and length of what each stands for. */
        let leaves: { start: number; bytes: number }[] = [];
        let entries: { start: number; bytes: number; level: number }[] = [];
        for (const step of steps) {
          if ("fill" in step) {
            unit.fill(step.fill);
            const bytes = table.leafBytes(step.fill);
            if (bytes === 0) continue;
            leaves.push({ start: step.fill - (step.fill % bytes), bytes });
            for (let level = bytes === 4096 ? 2 : bytes === 2 * mebibyte ? 3 : 4; level <= 4; level++)
              entries.push({ start: step.fill - (step.fill % covered[level]), bytes: covered[level], level });
            continue;
          }
          const { what } = step;
          unit.invalidate(what);
          if (what.kind !== "pages") {
            leaves = [];
            entries = [];
            continue;
          }
          const bytes = 4096 * 2 ** what.order;
          const first = what.pfn * 4096 - ((what.pfn * 4096) % bytes);
          const apart = (one: { start: number; bytes: number }) =>
            one.start + one.bytes <= first || one.start >= first + bytes;
          leaves = leaves.filter(apart);
          if (!what.leafOnly) entries = entries.filter(apart);
        }
        const holds = (at: number) => (one: { start: number; bytes: number }) =>
          at >= one.start && at < one.start + one.bytes;
        for (const at of [...looked, ...steps.flatMap((step) => ("fill" in step ? [step.fill] : []))]) {
          expect(unit.lookup(at) >= 0).toBe(leaves.some(holds(at)));
          const leaf = table.leafBytes(at) === gibibyte ? 3 : table.leafBytes(at) === 2 * mebibyte ? 2 : 1;
          const lowest = Math.min(5, ...entries.filter(holds(at)).map(({ level }) => level));
          if (table.leafBytes(at) > 0) expect(unit.walk(at).depth).toBe(lowest - leaf);
        }
      }),
      { numRuns: 300 },
    );
  });
});
