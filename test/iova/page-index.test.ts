import { describe, expect, it } from "vitest";
import { PageIndex } from "../../src/iova/page-index.js";
import { fc } from "../support/property.js";

const none = 0;
const indexTop = 0xfffff;

/** The naive model: the ranges, and every answer by looking at each page. */
class Ranges {
  list: { node: number; lo: number; hi: number }[] = [];

  free(lo: number, hi: number): boolean {
    return this.list.every((range) => range.hi < lo || range.lo > hi);
  }
}

/** A piece of the space: near the top, over the end of the first arrays, at the bottom, and over the top. */
const bottoms = [indexTop - 130, indexTop - 4096 - 60, 0, indexTop - 60];

type Step = { lo: number; pages: number } | { remove: number } | { grow: number; down: number; up: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ lo: fc.nat(110), pages: fc.constantFrom(1, 1, 2, 3, 31, 32, 33, 64, 90) }),
    fc.record({ remove: fc.nat(50) }),
    fc.record({ grow: fc.nat(50), down: fc.integer({ min: -40, max: 40 }), up: fc.integer({ min: -40, max: 40 }) }),
  ),
  { maxLength: 25 },
);

describe("the page index", () => {
  it.each(bottoms)("answers as a look at every page does, from pfn %d on", (bottom) => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const index = new PageIndex(indexTop);
        const naive = new Ranges();
        let nodes = 0;
        for (const step of sequence) {
          if ("lo" in step) {
            const lo = bottom + step.lo;
            const hi = lo + step.pages - 1;
            if (!naive.free(lo, hi)) continue;
            naive.list.push({ node: ++nodes, lo, hi });
            index.add(nodes, lo, hi);
          } else if (naive.list.length === 0) {
          } else if ("remove" in step) {
            const [{ lo, hi }] = naive.list.splice(step.remove % naive.list.length, 1);
            index.remove(lo, hi);
          } else {
            const range = naive.list[step.grow % naive.list.length];
            const lo = Math.max(bottom, range.lo - step.down);
            const hi = range.hi + step.up;
            const others = naive.list.filter((other) => other !== range);
            if (lo > range.hi || hi < range.lo || hi < lo) continue;
            if (others.some((other) => other.hi >= lo && other.lo <= hi)) continue;
            index.resize(range.node, range.lo, range.hi, lo, hi);
            Object.assign(range, { lo, hi });
          }
        }
        const top = Math.min(indexTop, bottom + 240);
        // Page by page who holds it; below and above lies nothing.
        const holders = new Int32Array(top - bottom + 200);
        for (const { node, lo, hi } of naive.list) holders.fill(node, lo - bottom, hi + 1 - bottom);
        const holder = (pfn: number) => (pfn < bottom ? none : holders[pfn - bottom]);
        const isFree = (lo: number, size: number) => {
          for (let page = lo; page < lo + size; page++) if (holder(page) !== none) return false;
          return true;
        };
        for (let pfn = bottom; pfn <= top; pfn++) {
          let free = pfn;
          while (free >= 0 && holder(free) !== none) free--;
          const low = Math.max(bottom, pfn - 70);
          let used = pfn;
          while (used >= low && holder(used) === none) used--;
          let above = low + 1;
          while (above <= pfn && holder(above) === none) above++;
          let starts = 0;
          for (const { lo } of naive.list) if (lo >= low && lo <= pfn) starts++;
          const want = [holder(pfn), free, used < low ? -1 : used, above, starts];
          const got = [
            index.holding(pfn, none),
            index.freeBelow(pfn),
            index.usedBelow(pfn, low),
            index.usedAbove(low, pfn),
            index.countStarts(low, pfn),
          ];
          for (const size of [1, 2, 4, 8, 16, 32]) {
            let lo = pfn + 1 - size - ((((pfn + 1 - size) % size) + size) % size);
            while (lo >= 0 && !isFree(lo, size)) lo -= size;
            want.push(Math.max(-1, lo));
            got.push(Math.max(-1, index.blockBelow(size, pfn)));
          }
          if (got.some((value, i) => value !== want[i])) expect(got, `page ${pfn}`).toEqual(want);
        }
      }),
      { numRuns: 300, seed: 20151115 },
    );
  });

  it("leaves out what lies above its top", () => {
    const index = new PageIndex(indexTop);
    index.add(1, indexTop + 1, indexTop + 9);
    index.remove(indexTop + 1, indexTop + 9);
    index.add(2, indexTop - 3, indexTop + 9);
    expect(index.holding(indexTop, none)).toBe(2);
    expect(index.freeBelow(indexTop)).toBe(indexTop - 4);
  });

  it("finds no free page where all are in use", () => {
    const index = new PageIndex(indexTop);
    index.add(1, 0, indexTop);
    expect(index.freeBelow(indexTop)).toBe(-1);
    expect(index.holding(12345, none)).toBe(1);
  });
});
