import { describe, expect, it } from "vitest";
import { ready } from "../../src/engine/index.js";
import {
  atOnce,
  type Cpu,
  formatPfn,
  LineCounter,
  MergedTreeAllocator,
  noPfn,
  operation,
  RbTreeAllocator,
  roundUpPages,
  runToEnd,
  topPfn,
} from "../../src/iova/index.js";

const dma32 = 0xfffff;

/** Allocates each size in turn and gives the pfns. */
const take = (a: RbTreeAllocator, sizes: number[], limit = dma32) => sizes.map((size) => a.allocate(size, limit));

/** Allocates one size and gives [pfn, nodes visited]. */
const visit = (a: RbTreeAllocator, size: number, limit = dma32) => [a.allocate(size, limit), a.last.visits];

describe("the tree of Linux v4.3", () => {
  it("hands out addresses top-down, aligned to their size, and leaves the padding free", () => {
    const a = new RbTreeAllocator();
    expect(take(a, [1, 1, 4, 3, 1])).toEqual([1048575, 1048574, 1048568, 1048564, 1048563]);
    a.free(1048574);
    // Nothing is remembered now: 1048575 lies above the freed page but not strictly below the limit.
    expect(visit(a, 2)).toEqual([1048572, 2]);
    expect(visit(a, 1)).toEqual([1048567, 2]);
  });

  it("never hands out the start pfn, and fails at the bottom", () => {
    const a = new RbTreeAllocator({ dma32: 15 });
    expect(take(a, [4, 4, 4, 1, 1, 1], 15)).toEqual([12, 8, 4, 3, 2, noPfn]);
    a.free(8);
    expect(take(a, [2, 2], 15)).toEqual([10, 8]);
    a.free(12);
    expect(take(a, [2], 15)).toEqual([14]);
  });

  it("fails although a hole above the remembered node is free", () => {
    const a = new RbTreeAllocator({ dma32: 31 });
    expect(take(a, [1, 1, 1, 8, 8, 4, 1, 1, 1, 1], 31)).toEqual([31, 30, 29, 16, 8, 4, 3, 2, noPfn, noPfn]);
    a.free(31);
    expect(take(a, [1], 31)).toEqual([31]);
  });

  it("searches from the top for any other limit, and remembers nothing of it", () => {
    const a = new RbTreeAllocator();
    take(a, [1, 1, 1]);
    a.free(1048575);
    expect(visit(a, 2, 1048574)).toEqual([1048570, 2]);
    expect(visit(a, 1)).toEqual([1048575, 1]);
    expect(visit(a, 1, 1048574)).toEqual([1048572, 4]);
    expect(visit(a, 1, 68719476735)).toEqual([68719476735, 1]);
    expect(visit(a, 1)).toEqual([1048569, 4]);
  });

  it("extends a node downwards for an overlapping reservation, and keeps abutting ones apart", () => {
    const a = new RbTreeAllocator();
    for (const [lo, hi] of [
      [1040, 1049],
      [1020, 1029],
      [1025, 1044],
      [1060, 1060],
      [1050, 1055],
    ])
      a.reserve(lo, hi);
    expect(a.tree.ranges()).toEqual([
      [1020, 1029],
      [1030, 1049],
      [1050, 1055],
      [1060, 1060],
    ]);
    expect(a.allocate(4, 1060)).toBe(1056);
    expect(visit(a, 1, 1060)).toEqual([1019, 5]);
    expect(a.allocate(1, 1056)).toBe(1018);
    expect(visit(a, 16, 1055)).toEqual([992, 7]);
  });

  it("wraps to the top of the 64-bit space below a reservation that starts at 0", () => {
    const a = new RbTreeAllocator({ dma32: 15 });
    a.reserve(0, 7);
    expect(take(a, [4, 4, 4], 15).map(formatPfn)).toEqual(["12", "8", "18446744073709551612"]);
    a.tree.check();
    expect(take(a, [4], 15).map(formatPfn)).toEqual(["18446744073709551608"]);
    a.tree.check();
  });

  it("stops, where Linux would hand out pages in use, with a sentence that says so", () => {
    const a = new RbTreeAllocator();
    expect(formatPfn(a.allocate(1, topPfn))).toBe("18446744073709551615");
    expect(() => a.allocate(1, topPfn)).toThrow(/top of the 64-bit space.*give the request a limit/);
  });

  it("frees the whole node, whichever of its pages is named", () => {
    const a = new RbTreeAllocator();
    const pfn = a.allocate(8);
    expect(a.free(pfn + 5, 1)).toBe(true);
    expect(a.tree.size).toBe(0);
  });

  it("changes nothing when something is freed that is not mapped", () => {
    const a = new RbTreeAllocator();
    const pfn = a.allocate(1);
    expect(a.free(pfn - 1)).toBe(false);
    expect(a.free(pfn)).toBe(true);
    expect(a.free(pfn)).toBe(false);
    expect(a.statistics()).toMatchObject({ allocations: 1, frees: 1, live: 0, nodes: 0 });
  });

  it.each([
    0,
    -1,
    1.5,
    Number.NaN,
    2 ** 31 + 1,
    Number.POSITIVE_INFINITY,
  ])("refuses a request for %s pages", (pages) => {
    expect(() => new RbTreeAllocator().allocate(pages)).toThrow(/whole number from 1 to 2\^31/);
  });

  it("fails a request that is larger than the space below its limit", () => {
    const a = new RbTreeAllocator();
    expect(a.allocate(2 ** 31)).toBe(noPfn);
    expect(a.allocate(2 ** 20)).toBe(noPfn);
    expect(a.allocate(2 ** 19)).toBe(2 ** 19);
  });

  it("never changes its results for a memory that listens", () => {
    const quiet = new RbTreeAllocator();
    const heard = new RbTreeAllocator({ memory: new LineCounter() });
    for (let i = 0; i < 300; i++) {
      expect(visit(heard, 1 + (i % 7))).toEqual(visit(quiet, 1 + (i % 7)));
      if (i % 3 === 2) expect(heard.free(heard.last.pfn)).toBe(quiet.free(quiet.last.pfn));
    }
  });

  it("touches at least one line for each node that it visits", () => {
    const counter = new LineCounter();
    const a = new RbTreeAllocator({ memory: counter });
    for (let i = 0; i < 500; i++) a.allocate(1);
    counter.reset();
    a.allocate(1, 1000);
    expect(a.last.visits).toBe(500);
    expect(counter.lines).toBeGreaterThanOrEqual(500);
  });
});

describe("the locks of a map and its unmap", () => {
  it.each([
    new RbTreeAllocator(),
    new MergedTreeAllocator(),
  ])("are the tree's lock, three times ($name)", (allocator) => {
    const op = operation(3);
    const events: string[] = [];
    const cpu: Cpu = {
      acquire: (lock) => {
        events.push(`acquire ${lock}`);
        return ready;
      },
      release: (lock) => {
        events.push(`release ${lock}`);
        return ready;
      },
      settle: () => ready,
    };
    op.pages = 2;
    runToEnd(allocator.alloc_iova(op, cpu));
    expect(op.pfn).toBe(1048574);
    op.pfn += 1;
    runToEnd(allocator.find_iova(op, cpu));
    expect([op.found, op.lo, op.hi]).toEqual([true, 1048574, 1048575]);
    op.pfn = op.lo;
    runToEnd(allocator.__free_iova(op, cpu));
    expect(op.found).toBe(true);
    expect(events).toEqual(Array(3).fill(["acquire 0", "release 0"]).flat());
    expect(allocator.locks.map((lock) => lock.name)).toEqual(["iova_rbtree_lock"]);
    expect(allocator.statistics().nodes).toBe(0);
  });

  it("let two CPUs unmap one range only once", () => {
    const a = new RbTreeAllocator();
    const pfn = a.allocate(1);
    const ops = [operation(0), operation(1)];
    for (const op of ops) {
      op.pfn = pfn;
      runToEnd(a.find_iova(op, atOnce));
    }
    runToEnd(a.__free_iova(ops[0], atOnce));
    expect(() => runToEnd(a.__free_iova(ops[1], atOnce))).toThrow(/two CPUs/);
  });
});

describe("page counts", () => {
  it("round up to a power of two", () => {
    expect([1, 2, 3, 4, 5, 31, 33, 2 ** 30 + 1, 2 ** 31].map(roundUpPages)).toEqual([
      1,
      2,
      4,
      4,
      8,
      32,
      64,
      2 ** 31,
      2 ** 31,
    ]);
  });
});
