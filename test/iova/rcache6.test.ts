import { describe, expect, it } from "vitest";
import { type Behaviour, ready } from "../../src/engine/index.js";
import {
  type Cpu,
  LineCounter,
  noPfn,
  operation,
  Rcache6Allocator,
  type Rcache6Options,
} from "../../src/iova/index.js";
import { fc } from "../support/property.js";
import { PagesInUse } from "./pages-in-use.js";

const d32 = 1 << 20;
/** A small space below 4 GiB, so that it fragments and runs out, and a little above it. */
const space = 48;
const startPfn = d32 - space;
const limits = [d32 - 1, d32 - 1, d32 - 1, d32 - 10, d32 + 15, d32 - 30];
const cpus = 3;
const runs = (numRuns: number) => ({ numRuns, seed: 20251126 });

type Step =
  | { do: "map"; pages: number; limit: number; cpu: number; mayDrain: boolean }
  | { do: "unmap"; rank: number; cpu: number }
  | { do: "trim"; bin: number }
  | { do: "offline" | "online"; cpu: number };

const cpu = fc.integer({ min: 0, max: cpus - 1 });
const map = fc.record({
  do: fc.constant("map" as const),
  pages: fc.constantFrom(1, 1, 1, 1, 2, 3, 4, 7, 8, 33, 40),
  limit: fc.constantFrom(...limits),
  cpu,
  mayDrain: fc.boolean(),
});
const unmap = fc.record({ do: fc.constant("unmap" as const), rank: fc.nat(200), cpu });
const steps = fc.array(
  fc.oneof(
    { arbitrary: map, weight: 10 },
    { arbitrary: unmap, weight: 9 },
    { arbitrary: fc.record({ do: fc.constant("trim" as const), bin: fc.integer({ min: 0, max: 3 }) }), weight: 1 },
    { arbitrary: fc.record({ do: fc.constantFrom("offline" as const, "online" as const), cpu }), weight: 1 },
  ),
  { maxLength: 90 },
);

const rounded = (pages: number) => 2 ** Math.ceil(Math.log2(pages));

/** The rules of the tree, written as plainly as they can be: a list of ranges, sorted anew for each search. */
class NaiveTree {
  ranges: [number, number][] = [];
  c32 = Number.POSITIVE_INFINITY;
  c64 = Number.POSITIVE_INFINITY;
  max32 = d32;
  visits = 0;

  allocate(size: number, limit: number): number {
    const lim = limit + 1;
    if (lim <= d32 && size >= this.max32) return noPfn;
    const start = lim <= d32 ? this.c32 : this.c64;
    let pfn = this.search(start, lim, startPfn, size);
    const above = this.ranges.find(([lo]) => lo === start)?.[1];
    if (pfn === noPfn && above !== undefined && above < lim) {
      // Again from the top of what the limit allows: the lowest range at or above it, as no range lies across one here.
      const from =
        lim > d32 ? Number.POSITIVE_INFINITY : Math.min(...this.ranges.map(([lo]) => lo).filter((lo) => lo >= lim));
      pfn = this.search(from, lim, above + 1, size);
    }
    if (pfn === noPfn) {
      this.max32 = size;
      return noPfn;
    }
    this.ranges.push([pfn, pfn + size - 1]);
    if (pfn + size - 1 < d32) this.c32 = pfn;
    else this.c64 = pfn;
    return pfn;
  }

  private search(start: number, limit: number, floor: number, size: number): number {
    const below = this.ranges.filter(([lo]) => lo < start).sort((a, b) => b[0] - a[0]);
    let top = Math.min(limit, start);
    for (const [lo, hi] of [...below, [-1, -1]]) {
      const candidate = Math.floor((top - size) / rounded(size)) * rounded(size);
      if (lo >= 0) this.visits++;
      if (candidate < floor) return noPfn;
      if (candidate > hi) return candidate;
      top = Math.min(top, lo);
    }
    return noPfn;
  }

  free(pfn: number): void {
    const [lo, hi] = this.ranges.find((range) => range[0] <= pfn && pfn <= range[1]) as [number, number];
    const next = Math.min(...this.ranges.map((range) => range[0]).filter((other) => other > lo));
    if (lo === this.c32 || (hi < d32 && lo >= this.c32)) this.c32 = next;
    if (lo < d32) this.max32 = d32;
    if (lo >= this.c64) this.c64 = next;
    this.ranges = this.ranges.filter((range) => range[0] !== lo);
  }
}

/** The rules of the caches, with arrays of arrays. */
class NaiveCaches {
  tree = new NaiveTree();
  online = new Set([0, 1, 2]);
  loaded: number[][];
  previous: number[][];
  depots: number[][][];
  hit = false;
  private readonly bins: number;

  constructor(
    readonly magazine: number,
    private readonly largest = 32,
  ) {
    this.bins = 1 + Math.log2(largest);
    this.loaded = Array.from({ length: cpus * this.bins }, () => []);
    this.previous = Array.from({ length: cpus * this.bins }, () => []);
    this.depots = Array.from({ length: this.bins }, () => []);
  }

  allocate(pages: number, limit: number, onCpu: number, mayDrain: boolean): number {
    this.tree.visits = 0;
    const bin = Math.ceil(Math.log2(pages));
    this.hit = false;
    if (pages <= this.largest) {
      const at = onCpu * this.bins + bin;
      if (this.loaded[at].length === 0) {
        if (this.previous[at].length > 0) this.swap(at);
        else if (this.depots[bin].length > 0) this.loaded[at] = this.depots[bin].pop() as number[];
      }
      const stack = this.loaded[at];
      const place = stack.findLastIndex((pfn) => pfn + 2 ** bin - 1 <= limit);
      if (place >= 0) {
        this.hit = true;
        const pfn = stack[place];
        stack[place] = stack.at(-1) as number;
        stack.pop();
        return pfn;
      }
    }
    const size = pages < this.largest ? rounded(pages) : pages;
    const pfn = this.tree.allocate(size, limit);
    if (pfn !== noPfn || !mayDrain) return pfn;
    for (const one of [...this.online].sort()) this.drain(one);
    for (const depot of this.depots)
      while (depot.length > 0) for (const freed of depot.pop() as number[]) this.tree.free(freed);
    return this.tree.allocate(size, limit);
  }

  free(pfn: number, pages: number, onCpu: number): void {
    if (pages > this.largest) {
      this.tree.free(pfn);
      return;
    }
    const bin = Math.ceil(Math.log2(pages));
    const at = onCpu * this.bins + bin;
    if (this.loaded[at].length === this.magazine) {
      if (this.previous[at].length < this.magazine) this.swap(at);
      else {
        this.depots[bin].push(this.loaded[at]);
        this.loaded[at] = [];
      }
    }
    this.loaded[at].push(pfn);
  }

  trim(bin: number): void {
    if (this.depots[bin]?.length > this.online.size)
      for (const pfn of this.depots[bin].pop() as number[]) this.tree.free(pfn);
  }

  offline(one: number): void {
    if (this.online.delete(one)) this.drain(one);
  }

  private drain(one: number): void {
    for (let at = one * this.bins; at < (one + 1) * this.bins; at++) {
      for (const pfn of [...this.loaded[at], ...this.previous[at]]) this.tree.free(pfn);
      this.loaded[at] = [];
      this.previous[at] = [];
    }
  }

  private swap(at: number): void {
    [this.loaded[at], this.previous[at]] = [this.previous[at], this.loaded[at]];
  }
}

/** Runs the steps, with the naive model beside it where one is given, and checks after each that nothing was lost and nothing is live twice. */
function play(allocator: Rcache6Allocator, sequence: Step[], naive?: NaiveCaches): PagesInUse {
  const pages = new PagesInUse(startPfn);
  for (const step of sequence) {
    if (step.do === "map") {
      const pfn = allocator.allocate(step.pages, step.limit, step.cpu, step.mayDrain);
      if (naive) {
        expect(pfn).toBe(naive.allocate(step.pages, step.limit, step.cpu, step.mayDrain));
        expect([allocator.last.hit === 1, allocator.last.visits]).toEqual([naive.hit, naive.tree.visits]);
      }
      if (pfn !== noPfn) pages.add(pfn, step.pages, step.limit);
    } else if (step.do === "unmap") {
      const range = pages.take(step.rank);
      if (!range) continue;
      expect(allocator.free(range[0], range[1], step.cpu)).toBe(true);
      naive?.free(range[0], range[1], step.cpu);
    } else if (step.do === "trim" && step.bin < allocator.bins) {
      allocator.trim(step.bin);
      naive?.trim(step.bin);
    } else if (step.do === "offline") {
      allocator.offline(step.cpu);
      naive?.offline(step.cpu);
    } else if (step.do === "online") {
      allocator.online(step.cpu);
      naive?.online.add(step.cpu);
    }
    const { nodes, cached, live } = allocator.statistics();
    expect(live).toBe(pages.live.size);
    expect(nodes).toBe(live + cached);
  }
  return pages;
}

const make = (options: Rcache6Options = {}) => new Rcache6Allocator({ startPfn, cpus, magazineSize: 2, ...options });

describe("rcache6", () => {
  it.each([
    [32, 2500],
    [4, 600],
    [64, 600],
  ])("agrees with a naive model of its rules, with caches up to %i pages: every pfn, hit and visit, and what lies in the tree at the end", (largestCached, count) => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const allocator = make({ largestCached });
        const naive = new NaiveCaches(2, largestCached);
        play(allocator, sequence, naive);
        allocator.tree.check();
        expect(allocator.tree.ranges()).toEqual(naive.tree.ranges.sort((a, b) => a[0] - b[0]));
        expect(allocator.statistics().depots).toEqual(naive.depots.map((depot) => depot.length));
      }),
      runs(count),
    );
  });

  it("keeps a range of 512 pages where its caches are that large, and names a size that they cannot have", () => {
    const visits = (largestCached: number) => {
      const allocator = new Rcache6Allocator({ largestCached });
      const pfn = allocator.allocate(300);
      allocator.free(pfn, 300);
      return [allocator.allocate(300) === pfn, allocator.last.hit, allocator.tree.nodes];
    };
    expect(visits(512)).toEqual([true, 1, 1]);
    expect(visits(32)).toEqual([true, 0, 1]);
    expect(() => make({ largestCached: 48 })).toThrow("largestCached is 48 pages; a power of two from 1 to 32768");
  });

  it("answers the same where every access is charged and each operation runs step by step", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const plain = make();
        const charged = make({ memory: new LineCounter(), base: 1 << 20 });
        play(plain, sequence);
        play(charged, sequence);
        expect(charged.statistics()).toEqual(plain.statistics());
        expect(charged.tree.ranges()).toEqual(plain.tree.ranges());
      }),
      runs(500),
    );
  });

  it("loses nothing: what all caches held can be mapped again after everything is unmapped and drained", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const allocator = make();
        const pages = play(allocator, sequence);
        for (const [pfn, length] of pages.live) allocator.free(pfn, length, 0);
        for (let one = 0; one < cpus; one++) allocator.online(one);
        expect(allocator.allocate(1 << 20, d32 - 1)).toBe(noPfn);
        expect(allocator.statistics()).toMatchObject({ nodes: 0, cached: 0, live: 0 });
        expect(allocator.allocate(32, d32 - 1)).toBe(d32 - 32);
      }),
      runs(500),
    );
  });

  it("walks a long way to the same place and count by the index as node by node", () => {
    const sizes = fc.constantFrom(1, 2, 4, 8, 16, 32, 33, 64, 100, 128);
    const wide = fc.array(fc.tuple(sizes, fc.nat(9), fc.constantFrom(d32 - 1, d32 - 1, d32 - 700, d32 + 100)), {
      minLength: 60,
      maxLength: 250,
    });
    fc.assert(
      fc.property(wide, (sequence) => {
        const plain = make({ startPfn: d32 - 2048 });
        const charged = make({ startPfn: d32 - 2048, memory: new LineCounter() });
        const live: [number, number][] = [];
        for (const [pages, choice, limit] of sequence) {
          if (choice < 4 && live.length > 0) {
            const [pfn, length] = live.splice((choice * 7919) % live.length, 1)[0];
            for (const allocator of [plain, charged]) allocator.free(pfn, length, choice % cpus);
            continue;
          }
          const pfn = plain.allocate(pages, limit);
          expect([charged.allocate(pages, limit), charged.last.visits]).toEqual([pfn, plain.last.visits]);
          if (pfn !== noPfn) live.push([pfn, pages]);
        }
        expect(charged.statistics()).toEqual(plain.statistics());
        plain.tree.check();
      }),
      runs(300),
    );
  });

  it("keeps the lock order when CPUs, the depots' works and a CPU going offline interleave, and hands out no page twice", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 50, maxLength: 500 }),
        fc.array(fc.constantFrom(1, 1, 2, 8, 33), { minLength: 1, maxLength: 5 }),
        (order, sizes) => interleave(make({ cpus: 5 }), order, sizes),
      ),
      runs(400),
    );
  });

  it("gives an offline CPU's ranges back to the tree, leaves the depots, and skips the CPU in a drain", () => {
    const allocator = make();
    const pfns = Array.from({ length: 9 }, () => allocator.allocate(1));
    for (const pfn of pfns) allocator.free(pfn, 1, 2);
    expect(allocator.statistics()).toMatchObject({ cached: 9, depots: [3, 0, 0, 0, 0, 0] });
    expect(allocator.offline(2)).toBe(3);
    expect(allocator.offline(2)).toBeUndefined();
    expect(allocator.statistics()).toMatchObject({ cached: 6, nodes: 6, treeInCpu: 12 });
    allocator.allocate(1 << 20);
    expect(allocator.statistics()).toMatchObject({ cached: 0, nodes: 0, treeInCpu: 12 + 24, treeInDepot: 3 });
  });

  it("says that a depot's work is due at the first push only, and again after a trim", () => {
    const armed: number[] = [];
    const allocator = make({ cpus: 1, onArm: (bin) => armed.push(bin) });
    const pfns = Array.from({ length: 11 }, () => allocator.allocate(2));
    for (const pfn of pfns) allocator.free(pfn, 2);
    expect([armed, allocator.depotSize(1)]).toEqual([[1], 4]);
    expect([allocator.trim(1), armed]).toEqual([2, [1, 1]]);
    expect([allocator.trim(1), allocator.trim(1), allocator.trim(1)]).toEqual([2, 2, 0]);
    expect([armed, allocator.depotSize(1)]).toEqual([[1, 1, 1, 1], 1]);
  });

  it("gives what is over to the tree where a depot is bounded", () => {
    const allocator = make({ cpus: 1, depotLimit: 1 });
    const pfns = Array.from({ length: 9 }, () => allocator.allocate(1));
    for (const pfn of pfns) allocator.free(pfn, 1);
    expect(allocator.statistics()).toMatchObject({ depots: [1, 0, 0, 0, 0, 0], cached: 5, nodes: 5, removed: 4 });
  });

  it("refuses an unmap of another length, a limit-breaking rule and a range above what a device reaches", () => {
    const allocator = make();
    const pfn = allocator.allocate(4);
    expect(() => allocator.free(pfn, 8)).toThrow(
      /unmap of 8 pages at pfn \d+, where 4 were mapped: nothing was changed/,
    );
    expect(allocator.free(pfn + 1, 2)).toBe(false);
    expect(() => make({ magazineSize: 129 })).toThrow(/magazineSize is 129; a whole number from 1 to 128/);
    expect(() => allocator.reserve(5, 2 ** 52)).toThrow(/reaches above 2\^52 - 1/);
    expect(() => allocator.allocate(0)).toThrow(/for 0 pages/);
  });
});

/** Four CPUs' operations and a fifth that trims and goes offline, in an order that the test chooses, with real mutual exclusion. */
function interleave(allocator: Rcache6Allocator, order: number[], sizes: number[]): void {
  const holder = new Map<number, number>();
  const pages = new PagesInUse(startPfn);
  const actors = Array.from({ length: 5 }, (_, id) => {
    const state = { op: operation(id), waits: -1, ends: () => {}, mine: [] as number[][] };
    const cpu: Cpu = {
      acquire: (lock) => {
        // Whoever holds the tree's lock (0) asks for no other.
        expect(holder.get(0)).not.toBe(id);
        state.waits = lock;
        return ready;
      },
      release: (lock) => {
        expect(holder.get(lock)).toBe(id);
        holder.delete(lock);
        return ready;
      },
      settle: () => ready,
    };
    return { state, cpu, program: undefined as Behaviour | undefined };
  });
  let turn = 0;
  const begin = ({ state, cpu }: (typeof actors)[number]): Behaviour => {
    const { op, mine } = state;
    turn++;
    state.ends = () => {};
    if (op.cpu === 4) {
      if (turn % 4 === 0) allocator.online(4);
      return turn % 4 === 2 ? allocator.iova_cpuhp_dead(4, 4, cpu) : allocator.iova_depot_work(turn % 3, 4, cpu);
    }
    if (mine.length > 0 && turn % 3 !== 0) {
      [op.pfn, op.pages] = mine.pop() as [number, number];
      for (const [i, [pfn]] of [...pages.live].entries()) if (pfn === op.pfn) pages.take(i);
      state.ends = () => expect(op.found).toBe(true);
      return allocator.__free_iova(op, cpu);
    }
    op.pages = sizes[turn % sizes.length];
    op.limit = d32 - 1;
    state.ends = () => {
      if (op.pfn === noPfn) return;
      pages.add(op.pfn, op.pages, op.limit);
      mine.push([op.pfn, op.pages]);
    };
    return allocator.alloc_iova(op, cpu);
  };
  for (const choice of order) {
    const actor = actors[choice];
    const { state } = actor;
    if (state.waits >= 0) {
      if (holder.has(state.waits)) continue;
      holder.set(state.waits, choice);
      state.waits = -1;
    }
    actor.program ??= begin(actor);
    if (!actor.program.next().done) continue;
    actor.program = undefined;
    state.ends();
  }
}
