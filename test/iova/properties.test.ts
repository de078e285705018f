import { describe, expect, it } from "vitest";
import { type Behaviour, ready } from "../../src/engine/index.js";
import {
  type Cpu,
  DeferredQueue,
  type IovaAllocator,
  MagazineAllocator,
  MergedTreeAllocator,
  noPfn,
  operation,
  PoolAllocator,
  poolOfCpu,
  RbTreeAllocator,
  Rcache6Allocator,
  topPfn,
} from "../../src/iova/index.js";
import { fc } from "../support/property.js";
import { PagesInUse } from "./pages-in-use.js";

/** A request, or the unmap of the live range with this rank (modulo their number). */
type Step = { pages: number; limit: number; cpu: number } | { free: number; cpu: number };

/** A small space, so that it fragments and runs out. */
const dma32 = 255;

const steps = (powersOfTwo: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({
        pages: powersOfTwo ? fc.constantFrom(1, 1, 1, 2, 4, 8, 16, 32, 64) : fc.integer({ min: 1, max: 40 }),
        limit: fc.constantFrom(dma32, dma32, dma32, 200, 400, 70),
        cpu: fc.integer({ min: 0, max: 3 }),
      }),
      fc.record({ free: fc.nat(200), cpu: fc.integer({ min: 0, max: 3 }) }),
    ),
    { maxLength: 60 },
  );

/** The naive model: a list of [lo, hi], and the rules of the search written as plainly as they can be. */
class NaiveTree {
  ranges: { lo: number; hi: number }[] = [];
  remembered: { lo: number; hi: number } | undefined;
  /** Nodes that the last request examined. */
  visits = 0;

  constructor(
    readonly remembering: number = dma32,
    readonly startPfn = 1,
  ) {}

  allocate(pages: number, limit: number): number {
    const period = 2 ** Math.ceil(Math.log2(pages));
    const down = [...this.ranges].sort((a, b) => b.lo - a.lo);
    let top = limit;
    let at = 0;
    this.visits = 0;
    if (limit === this.remembering && this.remembered) {
      at = down.indexOf(this.remembered) + 1;
      top = this.remembered.lo - 1;
    }
    const padding = () => (((top + 1 - pages) % period) + period) % period;
    let found = false;
    for (; at < down.length && !found; at++) {
      this.visits++;
      if (top < down[at].lo) continue;
      if (top >= down[at].hi && down[at].hi + pages + padding() <= top) found = true;
      else top = down[at].lo - 1;
    }
    if (!found && this.startPfn + pages + padding() > top) return noPfn;
    const lo = top - pages - padding() + 1;
    const range = { lo, hi: lo + pages - 1 };
    this.ranges.push(range);
    if (limit === this.remembering) this.remembered = range;
    return lo;
  }

  free(pfn: number): void {
    const freed = this.ranges.find((range) => range.lo <= pfn && pfn <= range.hi);
    if (!freed) throw new Error("nothing there");
    if (this.remembered && freed.lo >= this.remembered.lo) {
      const above = this.ranges.filter((range) => range.lo > freed.lo).sort((a, b) => a.lo - b.lo)[0];
      this.remembered = above && above.lo < this.remembering ? above : undefined;
    }
    this.ranges = this.ranges.filter((range) => range !== freed);
  }
}

/** Runs the steps and checks after each that nothing is live twice. */
function play(allocator: IovaAllocator, sequence: Step[], after?: (pages: PagesInUse) => void): number[] {
  const pages = new PagesInUse();
  const answers: number[] = [];
  for (const step of sequence) {
    if ("free" in step) {
      const range = pages.take(step.free);
      if (range && !allocator.free(range[0], range[1], step.cpu)) throw new Error(`${range[0]} was not there to free`);
    } else {
      const pfn = allocator.allocate(step.pages, step.limit, step.cpu);
      answers.push(pfn);
      if (pfn !== noPfn) pages.add(pfn, step.pages, step.limit);
    }
    after?.(pages);
  }
  return answers;
}

const runs = (numRuns: number) => ({ numRuns, seed: 20151115 });

describe("the trees", () => {
  // The same small space at the bottom, and with its last page just below 4 GiB, where the tree's index of pages ends.
  it.each([0, 0xfff00])("agree with a naive set, pfn by pfn and visit by visit, above pfn %d", (bottom) => {
    fc.assert(
      fc.property(steps(false), (sequence) => {
        const tree = new RbTreeAllocator({ dma32: bottom + dma32, startPfn: bottom + 1 });
        const naive = new NaiveTree(bottom + dma32, bottom + 1);
        const pages = new PagesInUse();
        for (const step of sequence) {
          if ("free" in step) {
            const range = pages.take(step.free);
            if (!range) continue;
            tree.free(range[0] + (step.free % range[1]));
            naive.free(range[0]);
          } else {
            const limit = bottom + step.limit;
            const pfn = tree.allocate(step.pages, limit);
            const wanted = naive.allocate(step.pages, limit);
            if (pfn !== wanted || tree.last.visits !== naive.visits)
              expect([pfn, tree.last.visits]).toEqual([wanted, naive.visits]);
            if (pfn !== noPfn) pages.add(pfn, step.pages, limit);
          }
        }
        tree.tree.check();
        const expected = naive.ranges.map(({ lo, hi }) => [lo, hi]).sort((a, b) => a[0] - b[0]);
        expect(tree.tree.ranges()).toEqual(expected);
      }),
      runs(7000),
    );
  });

  it("hand out identical addresses merged and unmerged, and the merged one holds the same pages in no abutting ranges", () => {
    fc.assert(
      fc.property(steps(false), fc.array(fc.nat(300), { maxLength: 3 }), (sequence, reserved) => {
        const plain = new RbTreeAllocator({ dma32 });
        const merged = new MergedTreeAllocator({ dma32 });
        for (const lo of reserved) for (const tree of [plain, merged]) tree.reserve(lo + 1, lo + 3);
        expect(play(merged, sequence)).toEqual(play(plain, sequence));
        merged.tree.check();
        const joined: [number, number][] = [];
        for (const [lo, hi] of plain.tree.ranges()) {
          const last = joined.at(-1);
          if (last && last[1] === lo - 1) last[1] = hi;
          else joined.push([lo, hi]);
        }
        expect(merged.tree.ranges()).toEqual(joined);
      }),
      runs(3000),
    );
  });

  it("keep their invariants after every single operation", () => {
    fc.assert(
      fc.property(steps(true), (sequence) => {
        for (const tree of [new RbTreeAllocator({ dma32 }), new MergedTreeAllocator({ dma32 })]) {
          play(tree, sequence, () => tree.tree.check());
        }
      }),
      runs(500),
    );
  });
});

describe("the magazines and the pools", () => {
  it("never hand out a page twice, and magazines give back what they cached when the tree is exhausted", () => {
    fc.assert(
      fc.property(steps(true), (sequence) => {
        play(new MagazineAllocator({ dma32, cpus: 4 }), sequence);
      }),
      runs(1000),
    );
  });

  it("never hand out a page twice from any shape of table", () => {
    const shape = fc.record({
      entries: fc.integer({ min: 8, max: 300 }),
      pools: fc.constantFrom(1, 2, 4, 8, 16),
      largePool: fc.boolean(),
      aligned: fc.boolean(),
      flushCallback: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, steps(false), (options, sequence) => {
        play(new PoolAllocator(options), sequence);
      }),
      runs(1500),
    );
  });
});

describe("operations of several CPUs, interleaved lock by lock", () => {
  /** Runs four CPUs' operations in an order that the test chooses, with real mutual exclusion; returns what is live at the end. */
  function interleave(allocator: IovaAllocator, order: number[], sizes: number[]): void {
    const holder = new Map<number, number>();
    const pages = new PagesInUse();
    const cpus = [0, 1, 2, 3].map((id) => {
      const state = {
        op: operation(id),
        waits: -1,
        frees: false,
        program: undefined as Behaviour | undefined,
        mine: [] as number[][],
      };
      const cpu: Cpu = {
        acquire: (lock) => {
          state.waits = lock;
          return ready;
        },
        release: (lock) => {
          if (holder.get(lock) !== id) throw new Error(`CPU ${id} releases lock ${lock}, which is not its own`);
          holder.delete(lock);
          return ready;
        },
        settle: () => ready,
      };
      return { state, cpu };
    });
    let turn = 0;
    for (const choice of order) {
      const { state, cpu } = cpus[choice];
      const { op, mine } = state;
      if (state.waits >= 0) {
        if (holder.has(state.waits)) continue;
        holder.set(state.waits, choice);
        state.waits = -1;
      } else if (state.program === undefined) {
        turn++;
        state.frees = mine.length > 0 && turn % 3 !== 0;
        if (state.frees) {
          [op.pfn, op.pages] = mine.pop() as [number, number];
          state.program = allocator.__free_iova(op, cpu);
          for (const [i, [pfn]] of [...pages.live].entries()) if (pfn === op.pfn) pages.take(i);
        } else {
          op.pages = sizes[turn % sizes.length];
          op.limit = dma32;
          state.program = allocator.alloc_iova(op, cpu);
        }
      }
      if (!state.program?.next().done) continue;
      state.program = undefined;
      if (state.frees) expect(op.found).toBe(true);
      else if (op.pfn !== noPfn) {
        pages.add(op.pfn, op.pages, dma32);
        mine.push([op.pfn, op.pages]);
      }
    }
  }

  it.each([
    ["rbtree", () => new RbTreeAllocator({ dma32 })],
    ["rbtree-merged", () => new MergedTreeAllocator({ dma32 })],
    ["magazines", () => new MagazineAllocator({ dma32, cpus: 4 })],
    ["pools", () => new PoolAllocator({ entries: 256, pools: 4 })],
    ["rcache6", () => new Rcache6Allocator({ cpus: 4 })],
  ])("never hand out a page twice (%s)", (_, make) => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 50, maxLength: 400 }),
        fc.array(fc.constantFrom(1, 2, 4, 8, 16, 32), { minLength: 1, maxLength: 5 }),
        (order, sizes) => interleave(make(), order, sizes),
      ),
      runs(300),
    );
  });
});

describe("what keeps no lengths", () => {
  it.each([
    new MergedTreeAllocator(),
    new MagazineAllocator(),
    new PoolAllocator(),
  ])("refuses an unmap of another length than was mapped, and changes nothing ($name)", (allocator) => {
    const pfn = allocator.allocate(4);
    const other = allocator.allocate(4);
    expect(() => allocator.free(pfn, 8)).toThrow(
      /unmap of 8 pages at pfn \d+, where 4 were mapped: nothing was changed/,
    );
    expect(() => allocator.free(pfn, 2)).toThrow(/where 4 were mapped/);
    expect(allocator.free(pfn + 1, 2)).toBe(false);
    expect(allocator.free(other, 4)).toBe(true);
    expect(allocator.free(other, 4)).toBe(false);
    expect(allocator.free(pfn, 4)).toBe(true);
    expect(allocator.statistics()).toMatchObject({ allocations: 2, frees: 2, live: 0 });
  });
});

describe("the pools", () => {
  it("send a CPU always to the pool that its number hashes to: with four pools the first nine CPUs never use pool 2", () => {
    expect(Array.from({ length: 16 }, (_, cpu) => poolOfCpu(cpu, 16))).toEqual([
      0, 9, 3, 13, 7, 1, 11, 5, 15, 8, 2, 12, 6, 0, 10, 4,
    ]);
    expect(Array.from({ length: 16 }, (_, cpu) => poolOfCpu(cpu, 4))).toEqual([
      0, 1, 3, 1, 3, 1, 3, 1, 3, 0, 2, 0, 2, 0, 2, 0,
    ]);
  });

  it("reuse a freed entry only after a wrap, which flushes", () => {
    const pools = new PoolAllocator({ entries: 16, pools: 1 });
    const take = (pages: number) => [pools.allocate(pages), pools.last.flushes];
    for (let entry = 0; entry < 14; entry++) expect(take(1)).toEqual([entry, 0]);
    expect(take(1)).toEqual([noPfn, 0]);
    pools.free(3);
    pools.free(5);
    expect(take(1)).toEqual([3, 1]);
    expect(take(2)).toEqual([noPfn, 0]);
    expect(take(1)).toEqual([5, 1]);
    pools.free(0);
    pools.free(1);
    expect(take(2)).toEqual([0, 1]);
  });

  it("spill over every other pool before a request fails", () => {
    const pools = new PoolAllocator({ entries: 32, pools: 4 });
    const got = Array.from({ length: 24 }, () => pools.allocate(1));
    expect(got).toEqual([0, 8, 16, 24].flatMap((start) => [0, 1, 2, 3, 4, 5].map((i) => start + i)));
    expect(pools.allocate(1)).toBe(noPfn);
    pools.free(0);
    expect(pools.allocate(1, topPfn, 1)).toBe(0);
  });

  it("keep the top quarter for large requests, and refuse a table that Linux would not take", () => {
    const pools = new PoolAllocator({ entries: 4096, pools: 4, largePool: true });
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((cpu) => pools.allocate(1, topPfn, cpu))).toEqual([
      0, 768, 2304, 769, 2305, 770, 2306, 771,
    ]);
    expect([pools.allocate(15, topPfn, 3), pools.allocate(16), pools.allocate(1000), pools.allocate(100)]).toEqual([
      772,
      3072,
      3088,
      noPfn,
    ]);
    expect(() => new PoolAllocator({ pools: 3 })).toThrow(/pools is 3; 1, 2, 4, 8 or 16/);
    expect(() => new PoolAllocator({ entries: 0 })).toThrow(/entries is 0/);
  });
});

describe("the magazines", () => {
  it("never serve the page at the limit, and take a range back on the CPU that unmaps it", () => {
    const m = new MagazineAllocator({ cpus: 2 });
    const take = (pages: number, cpu = 0, limit = 1048575) => {
      const pfn = m.allocate(pages, limit, cpu);
      return m.last.hit === 1 ? `hit ${pfn}` : pfn;
    };
    expect([take(1), take(1), take(1)]).toEqual([1048575, 1048574, 1048573]);
    m.free(1048575, 1, 0);
    expect(take(1)).toBe(1048572);
    m.free(1048574, 1, 0);
    expect([take(1), take(1)]).toEqual(["hit 1048574", 1048571]);
    expect([take(1, 0, 2 ** 36 - 1), take(1, 0, 2 ** 36 - 1)]).toEqual(["hit 1048575", 68719476735]);
    m.free(1048573, 1, 1);
    expect([take(1, 0), take(1, 1)]).toEqual([1048570, "hit 1048573"]);
    expect(take(64)).toBe(1048448);
  });

  it("stay stuck on a magazine whose last range lies at the limit, with 128 ranges unused in the depot", () => {
    const m = new MagazineAllocator({ cpus: 2 });
    for (let i = 0; i < 300; i++) m.allocate(1);
    for (let i = 0; i < 300; i++) m.free(1048575 - i);
    const hits = Array.from({ length: 304 }, () => {
      m.allocate(1);
      return m.last.hit;
    });
    expect(hits.lastIndexOf(1)).toBe(170);
    expect(m.statistics()).toMatchObject({ hits: 171, nodes: 433 });
  });
});

describe("the deferred queue", () => {
  it("makes the 251st unmap pay, and lets the timer flush what is younger than it", () => {
    const queue = new DeferredQueue(1, 1000);
    for (let i = 0; i < 250; i++) {
      expect(queue.full).toBe(false);
      queue.append(0, { domain: 0, pfn: i, pages: 1 }, 0);
    }
    expect([queue.full, queue.timerUs]).toEqual([true, 10_000]);
    expect(queue.takeAll()[0].ranges.map((range) => range.pfn)).toEqual(Array.from({ length: 250 }, (_, i) => i));
    queue.append(0, { domain: 0, pfn: 250, pages: 1 }, 4500);
    expect([queue.count, queue.timerUs]).toEqual([1, 14_000]);
  });

  it("rounds its delay up to ticks", () => {
    const queue = new DeferredQueue(1, 250);
    queue.append(0, { domain: 0, pfn: 1, pages: 1 }, 0);
    expect(queue.timerUs).toBe(12_000);
  });
});
