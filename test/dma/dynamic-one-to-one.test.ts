import { describe, expect, it } from "vitest";
import { DmaError, variants } from "../../src/dma/index.js";
import { Streams } from "../../src/engine/index.js";
import { aliasOf, isAlias } from "../../src/pagetables/index.js";
import { fc } from "../support/property.js";
import { domain } from "./domain.js";

const names = variants.filter(({ oneToOne }) => oneToOne).map(({ name }) => name);
const strict = variants.filter(({ oneToOne, policy }) => oneToOne && policy === "strict").map(({ name }) => name);

describe("dynamic 1:1 behind the DMA API", () => {
  it("for example: a map's address is the page's alias, and the hardware finds the page there", () => {
    const { api, mapped, map, unmap } = domain("one-to-one-strict");
    map(0, 7, 1);
    expect(mapped[0]).toBe(aliasOf(7, 3));
    expect(api.entries!.walk(mapped[0])).toEqual({ frame: 7, permission: 3 });
    expect(api.tableUse()).toEqual({ tables: 4, empty: 0, leaves: 1 });
    unmap(0, mapped[0], 1);
    expect(api.entries!.walk(mapped[0])).toBeUndefined();
    expect(api.tableUse()).toEqual({ tables: 1, empty: 0, leaves: 0 });
  });

  it.each(
    names,
  )("after every operation what the hardware finds agrees with a naive count, also where pages are shared (%s)", (name) => {
    const step = fc.record({
      maps: fc.boolean(),
      core: fc.integer({ min: 0, max: 1 }),
      frame: fc.constantFrom(1000, 1001, 1002, 1023, 1024, 5000),
      pages: fc.constantFrom(1, 1, 2, 3),
      pick: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (sequence) => {
        const { api, mapped, map, unmap } = domain(name);
        const live: { pfn: number; pages: number; frame: number }[] = [];
        for (const { maps, core, frame, pages, pick } of sequence) {
          if (maps || live.length === 0) {
            map(core, frame, pages);
            live.push({ pfn: mapped[core], pages, frame });
          } else {
            const [gone] = live.splice(pick % live.length, 1);
            unmap(core, gone.pfn, gone.pages);
          }
          const reached = new Set<number>();
          for (const { pfn, pages: length, frame: first } of live)
            for (let i = 0; i < length; i++) {
              reached.add(pfn + i);
              expect(api.entries!.walk(pfn + i)).toEqual({ frame: first + i, permission: 3 });
            }
          expect(api.tableUse().leaves).toBe(reached.size);
        }
      }),
      { numRuns: 4, seed: 3 },
    );
  });

  it.each(names)("cores that map and unmap the same pages at once leave nothing behind (%s)", (name) => {
    const cores = 6;
    const { api, simulation, processes } = domain(name, { cores });
    const random = new Streams(7).stream("buffers");
    for (let core = 0; core < cores; core++)
      processes.begin(`core ${core}`, function* () {
        for (let turn = 0; turn < 30; turn++) {
          const frame = random.below(4);
          const pages = 1 + random.below(2);
          const pfn = yield* api.map(core, frame, pages, 3);
          const also = yield* api.map(core, frame + 1, 1, 3);
          yield* api.unmap(core, also, 1);
          for (let i = 0; i < pages; i++)
            expect(api.entries!.walk(pfn + i)).toEqual({ frame: frame + i, permission: 3 });
          yield* api.unmap(core, pfn, pages);
        }
      });
    simulation.run();
    expect(api.counts.maps).toBe(cores * 60);
    expect(api.tableUse().leaves).toBe(0);
    if (name === "one-to-one-strict") expect(api.tableUse().tables).toBe(1);
    expect(api.counts.sharedUnmaps > 0 || name === "one-to-one-fallback").toBe(true);
  });

  it.each(
    strict,
  )("strict: two pages that are not aligned to two are both flushed, or the unmap would throw (%s)", (name) => {
    const { api, mapped, map, unmap } = domain(name);
    for (const frame of [1001, 1023, 511, 7]) {
      map(0, frame, 2);
      unmap(0, mapped[0], 2);
    }
    expect(api.counts.invalidations).toBeGreaterThanOrEqual(4);
    expect(api.watch.report(0).pages).toBe(0);
  });

  it("an unmap of a page that somebody else maps has nothing to flush", () => {
    const { api, mapped, map, unmap } = domain("one-to-one-never");
    map(0, 7, 1);
    map(1, 7, 1);
    const alone = api.counts.invalidations;
    unmap(0, mapped[0], 1);
    expect([api.counts.invalidations - alone, api.counts.sharedUnmaps]).toEqual([0, 1]);
    unmap(1, mapped[1], 1);
    expect(api.counts.invalidations - alone).toBe(1);
  });

  it("without a count the second map of a page has an address above memory, which its unmap gives back", () => {
    const { api, mapped, map, unmap } = domain("one-to-one-fallback");
    map(0, 7, 1);
    map(1, 7, 1);
    expect(isAlias(mapped[1])).toBe(false);
    expect(api.entries!.walk(mapped[1])).toEqual({ frame: 7, permission: 3 });
    expect([api.counts.fallbacks, api.allocator!.statistics().live]).toEqual([1, 1]);
    unmap(1, mapped[1], 1);
    expect(api.allocator!.statistics().live).toBe(0);
    expect(() => unmap(1, mapped[1], 1)).toThrow(DmaError);
  });

  it("a scatter list whose pieces do not lie together has one address above memory", () => {
    const { api, mapped, mapList, unmapList } = domain("one-to-one-strict");
    const list = [
      { frame: 700, pages: 3 },
      { frame: 40, pages: 1 },
    ];
    mapList(0, list);
    const pfn = mapped[0];
    expect(Array.from({ length: 4 }, (_, i) => api.entries!.walk(pfn + i)?.frame)).toEqual([700, 701, 702, 40]);
    unmapList(0, pfn, list);
    expect(api.tableUse()).toEqual({ tables: 1, empty: 0, leaves: 0 });
    mapList(0, [
      { frame: 700, pages: 3 },
      { frame: 703, pages: 1 },
    ]);
    expect(mapped[0]).toBe(aliasOf(700, 3));
  });

  it("deferred: the queues' flush sweeps the tables of its pages", () => {
    const { api, mapped, map, unmap } = domain("one-to-one-deferred");
    const pfns: number[] = [];
    for (let i = 0; i < 9; i++) {
      map(0, 512 * i, 1);
      pfns.push(mapped[0]);
    }
    for (const pfn of pfns) unmap(0, pfn, 1);
    expect([api.counts.flushes, api.counts.invalidations, api.deferred]).toEqual([1, 1, 1]);
    // The ninth, queued itself, is not flushed yet: its table stays.
    expect(api.counts.freedTables).toBe(8);
    expect(api.tableUse().empty).toBe(1);
  });

  it("walks that do not snoop make every changed entry a flush of its line", () => {
    const cost = (coherent: boolean): number => {
      const { map, mapped, unmap } = domain("one-to-one-strict", { coherent });
      map(0, 7, 1);
      unmap(0, mapped[0], 1);
      return map(0, 8, 1);
    };
    expect(cost(false)).toBeGreaterThan(cost(true));
  });
});
