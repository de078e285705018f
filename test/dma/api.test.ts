import { describe, expect, it } from "vitest";
import { DmaError, dmaCosts, variants } from "../../src/dma/index.js";
import { published } from "../support/facts.js";
import { fc } from "../support/property.js";
import { config, domain } from "./domain.js";

describe("the DMA API", () => {
  it("after every operation page table and allocator agree, whatever the order", () => {
    const step = fc.record({
      maps: fc.boolean(),
      core: fc.integer({ min: 0, max: 1 }),
      pages: fc.integer({ min: 1, max: 5 }),
      pick: fc.nat(1000),
    });
    // A bounce pool maps its own buffers, once.
    const mapping = variants.filter(
      ({ allocator, oneToOne, reuse }) => allocator !== "none" && !oneToOne && reuse !== "bounce",
    );
    for (const { name } of mapping)
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), (sequence) => {
          const { api, mapped, map, unmap } = domain(name);
          const live: { pfn: number; pages: number; frame: number }[] = [];
          let frame = 1000;
          for (const { maps, core, pages, pick } of sequence) {
            if (maps || live.length === 0) {
              map(core, frame, pages);
              live.push({ pfn: mapped[core], pages, frame });
              frame += pages;
            } else {
              const [gone] = live.splice(pick % live.length, 1);
              unmap(core, gone.pfn, gone.pages);
              expect(api.pageTable.lookup(gone.pfn)).toBeUndefined();
            }
            expect(api.pageTable.leafCount).toBe(live.reduce((sum, l) => sum + l.pages, 0));
            for (const l of live)
              for (let i = 0; i < l.pages; i++) expect(api.pageTable.lookup(l.pfn + i)?.pfn).toBe(l.frame + i);
            expect(api.allocator!.statistics().live).toBe(live.length + api.deferred);
          }
        }),
        { numRuns: 8, seed: 11 },
      );
  });

  it("the ninth deferred unmap pays for the flush of a table of eight, and is queued itself", () => {
    const { api, mapped, map, unmap } = domain("deferred");
    const pfns: number[] = [];
    for (let i = 0; i < 9; i++) {
      map(0, 100 + i, 1);
      pfns.push(mapped[0]);
    }
    const costs = pfns.map((pfn) => {
      return unmap(0, pfn, 1);
    });
    expect(api.deferred).toBe(1);
    expect(api.counts.flushes).toBe(1);
    expect(api.counts.invalidations).toBe(1);
    expect(costs[8]).toBeGreaterThan(2 * Math.max(...costs.slice(0, 8)));
  });

  it("a strict unmap's invalidation takes about what was published (record RI1: a calibration)", () => {
    const { api, simulation, mapped, map, unmap } = domain("strict");
    for (let i = 0; i < 6; i++) {
      // The first ones find the queue's lines cold.
      if (i === 5) api.reset();
      map(0, 1, 1);
      unmap(0, mapped[0], 1);
    }
    api.accounts.settle(simulation.now);
    const spent = api.accounts
      .byStep()
      .filter((s) => s.step.startsWith("qi_submit_sync"))
      .reduce((sum, s) => sum + s.cycles, 0);
    expect(Math.abs(spent / 2127 - 1)).toBeLessThan(0.25);
  });

  it("with ATS a strict unmap sends two invalidations, and waits for both", () => {
    const plain = domain("strict");
    const ats = domain("strict", { ats: true });
    const cycles = [plain, ats].map(({ mapped, map, unmap }) => {
      map(0, 1, 1);
      return unmap(0, mapped[0], 1);
    });
    expect([plain.api.counts.invalidations, ats.api.counts.invalidations]).toEqual([1, 2]);
    expect(cycles[1] - cycles[0]).toBeGreaterThan(2900);
  });

  it("the hint that the paging-structure caches may stay never reaches the queue, as in every kernel of that time", () => {
    for (const name of ["strict", "thread-strict"]) {
      const { api, mapped, map, unmap } = domain(name);
      const sent: unknown[] = [];
      const submit = api.unit.submit.bind(api.unit);
      api.unit.submit = (request) => {
        sent.push(request);
        return submit(request);
      };
      map(0, 1, 1);
      unmap(0, mapped[0], 1);
      expect(sent).toEqual([{ kind: "pages", domain: 0, pfn: mapped[0], order: 0, leafOnly: false }]);
    }
  });

  it("a page table that is not snooped costs a flush for each changed line", () => {
    const cycles = [true, false].map((coherent) => {
      const { map } = domain("strict", { coherent });
      let last = 0;
      for (let i = 0; i < 3; i++) {
        last = map(0, 1 + i, 1);
      }
      return last;
    });
    expect(cycles[1] - cycles[0]).toBeGreaterThan(dmaCosts(published, config).clflushCycles * 0.9);
  });

  it.each([
    "strict",
    "thread-strict",
    "merged-strict",
    "merged-thread-strict",
  ])("an unmap of what is not mapped warns, as v4.3 does, and changes nothing (%s)", (name) => {
    const { api, mapped, map, unmap } = domain(name);
    map(0, 7, 1);
    const pfn = mapped[0];
    unmap(0, pfn - 5, 1);
    expect(api.counts.strayUnmaps).toBe(1);
    expect(api.pageTable.lookup(pfn)?.pfn).toBe(7);
    unmap(0, pfn, 1);
    unmap(0, pfn, 1);
    expect(api.counts.strayUnmaps).toBe(2);
  });

  it("an exhausted space fails the map; what is mapped stays", () => {
    const { api, mapped, map } = domain("strict", { deviceBits: 16 });
    const results: number[] = [];
    for (let i = 0; i < 17; i++) {
      map(0, 100 + i, 1);
      results.push(mapped[0]);
    }
    expect(results.filter((pfn) => pfn < 0).length).toBe(3);
    expect(api.counts.failedMaps).toBe(3);
    expect(api.pageTable.leafCount).toBe(14);
  });

  /** Maps ranges of these sizes; returns where, and how to unmap and what is mapped. */
  function withRanges(name: string, sizes: number[]) {
    const { api, mapped, map, unmap } = domain(name);
    const pfns = sizes.map((pages, i) => {
      map(0, 100 * (i + 1), pages);
      return mapped[0];
    });
    return {
      api,
      pfns,
      unmap: (pfn: number, pages: number) => void unmap(0, pfn, pages),
      entries: () => api.pageTable.leafCount,
    };
  }
  const ownLengths = ["merged-strict", "merged-deferred", "magazines-strict", "magazines-deferred", "pools-4"];

  it.each(ownLengths)("a part of a range is not unmapped, and nothing is changed (%s)", (name) => {
    const { pfns, unmap, entries } = withRanges(name, [1, 8, 1]);
    for (const [pfn, pages, message] of [
      [pfns[1], 2, /unmap of 2 pages at IOVA page \d+, where 8 were mapped: nothing was changed/],
      [pfns[1], 16, /where 8 were mapped/],
      [pfns[1] + 3, 1, /unmap of 1 page at IOVA page \d+, where no mapping begins/],
    ] as const) {
      expect(() => unmap(pfn, pages)).toThrow(DmaError);
      expect(() => unmap(pfn, pages)).toThrow(message);
    }
    expect(entries()).toBe(10);
    unmap(pfns[1], 8);
    expect(entries()).toBe(2);
  });

  it.each([
    "deferred",
    "thread-deferred",
    ...ownLengths.filter((name) => name !== "merged-strict"),
  ])("an unmap whose range was unmapped before is an error where Linux would free it twice (%s)", (name) => {
    const { pfns, unmap, entries } = withRanges(name, [1, 1]);
    unmap(pfns[0], 1);
    expect(() => unmap(pfns[0], 1)).toThrow(DmaError);
    expect(entries()).toBe(1);
  });

  it("a number of pages that no map can have is refused before anything happens", () => {
    for (const name of ["off", "strict", "merged-strict", "pools-4"]) {
      const { api, map, unmap } = domain(name);
      for (const pages of [0, -1, 1.5, Number.NaN, 2 ** 32]) {
        expect(() => map(0, 1, pages), `${name}, ${pages}`).toThrow(/pages: a whole number from 1 to 2\^31/);
        expect(() => unmap(0, 1, pages), `${name}, ${pages}`).toThrow(/pages: .* got/);
      }
      expect(api.counts.maps + api.counts.unmaps).toBe(0);
    }
  });

  it.each([
    "strict",
    "merged-strict",
    "magazines-strict",
    "pools-4",
  ])("a scatter list gets one range for the sum of its pieces, and its unmap releases it (%s)", (name) => {
    const { api, mapped, map, mapList, unmap, unmapList } = domain(name);
    const list = [
      { frame: 700, pages: 3 },
      { frame: 900, pages: 1 },
      { frame: 40, pages: 2 },
    ];
    map(0, 1, 1);
    mapList(0, list);
    const pfn = mapped[0];
    const frames = Array.from({ length: 6 }, (_, i) => api.pageTable.lookup(pfn + i)?.pfn);
    expect(frames).toEqual([700, 701, 702, 900, 40, 41]);
    // v4.3 is told the first piece's address only, and takes the length from its node; the others need the sum, rounded to 8.
    if (name === "strict") unmap(0, pfn, list[0].pages);
    else {
      expect(() => unmap(0, pfn, list[0].pages)).toThrow(/of 4 pages .* where 8 were mapped/);
      unmapList(0, pfn, list);
    }
    expect(api.pageTable.leafCount).toBe(1);
    expect(api.allocator!.statistics().live).toBe(1);
  });

  it("counts a flush in the thread's wording, which has no whole flush, as well", () => {
    const { api, unmap, pfns } = withRanges("thread-deferred", Array(9).fill(1));
    for (const pfn of pfns) unmap(pfn, 1);
    expect(api.counts.flushes).toBe(1);
    expect(api.counts.invalidations).toBe(8);
  });
});
