import { afterEach, describe, expect, test, vi } from "vitest";
import { variants } from "../../src/dma/index.js";
import { basisOf } from "../../src/facts/index.js";
import { freshOf, Image } from "../../src/host/image.js";
import { type HostRun, hostRun, hostRunDefaults, simulateHost } from "../../src/host/index.js";
import { notInTheBeginning } from "../../src/host/simulate.js";
import { published } from "../support/facts.js";

const small: HostRun = {
  ...hostRunDefaults(published),
  cores: 2,
  threads: 12,
  staticMaps: 300,
  rxRing: 32,
  warmup: 20,
  transactions: 40,
  slices: 2,
};
const text = (value: unknown): string => JSON.stringify(value);

afterEach(() => vi.restoreAllMocks());

describe("a host that is ready is kept", () => {
  test("every way of mapping gives the same bytes with a copy as without, also where chance enters the beginning", () => {
    const copies = vi.spyOn(Image.prototype, "putInto");
    const chance: Partial<HostRun> = {
      holes: 0.1,
      twoPageShare: 0.4,
      rxMaps: 1.5,
      flushEntries: 20,
      pages: "free lists",
    };
    for (const { name, allocator } of variants) {
      const basis = basisOf(published);
      const first = { ...small, ...chance, variant: name, agedSeed: 3, seed: 3 };
      const second = { ...first, seed: 4 };
      copies.mockClear();
      hostRun(first, basis);
      expect(text(hostRun(second, basis)), name).toBe(text(simulateHost(second, published)));
      expect(copies, name).toHaveBeenCalledTimes(allocator === "none" ? 0 : 1);
    }
  });

  test("a copy of a lazy host has the timer that its boot asked for", () => {
    const run = { ...small, variant: "v6.18-lazy", flushMilliseconds: 0.1, transactions: 400 };
    const basis = basisOf(published);
    hostRun(run, basis);
    const copy = hostRun({ ...run, seed: 2 }, basis);
    expect(copy.counts.timerFlushes).toBeGreaterThan(0);
    expect(text(copy)).toBe(text(simulateHost({ ...run, seed: 2 }, published)));
  });

  test("a host that is copied gives what it would have given", () => {
    for (const variant of ["strict", "magazines-deferred", "one-to-one-covering"]) {
      const run = { ...small, variant, agedSeed: 3 };
      expect(text(hostRun(run, basisOf(published))), variant).toBe(text(simulateHost(run, published)));
    }
  });

  test("what enters with the first event may differ between a host and the copy that it takes", () => {
    const others: Required<Pick<HostRun, (typeof notInTheBeginning)[number]>> = {
      seed: 9,
      threads: 30,
      lock: "ticket",
      handoffCycles: 40,
      shuffleCompletions: true,
      flows: "hashed",
      stackCycles: 9000,
      stackLines: 16,
      offIdle: 0.1,
      otherWork: 0.05,
      receiveShare: 0.6,
      workSpread: 0,
      pollBudget: 4,
      refillBatch: 3,
      peerMicroseconds: 15,
      transmitMicroseconds: 40,
      interruptGapMicroseconds: 50,
      ats: true,
      flushMilliseconds: 0.1,
      machine: "broadwell-ep",
      machineOverrides: { footprintLines: 512, coherentWalks: 1 },
      costs: { apiCycles: 7, pteMapCycles: 90 },
      touchedAfterMicroseconds: [0, 3],
      warmup: 60,
      transactions: 70,
      slices: 1,
    };
    for (const variant of ["deferred", "merged-strict"]) {
      const basis = basisOf(published);
      const run = { ...small, variant, agedSeed: 2, twoPageShare: 0.3 };
      hostRun(run, basis);
      const copies = vi.spyOn(Image.prototype, "putInto");
      for (const field of notInTheBeginning) {
        const other = { ...run, [field]: others[field] };
        copies.mockClear();
        expect(text(hostRun(other, basis)), field).toBe(text(simulateHost(other, published)));
        expect(copies, field).toHaveBeenCalledTimes(1);
      }
    }
  });

  test("another ageing is another beginning; the same one under another seed is not", () => {
    const copies = vi.spyOn(Image.prototype, "putInto");
    const basis = basisOf(published);
    let seed = 5;
    for (const agedSeed of [1, 2, 1, 2]) hostRun({ ...small, agedSeed, seed: seed++ }, basis);
    expect(copies).toHaveBeenCalledTimes(2);
    const throughput = (agedSeed: number) => hostRun({ ...small, agedSeed, seed: 4 }, basis).throughput;
    expect(throughput(1)).not.toBe(throughput(2));
  });

  test("a run that was run already, under whatever name, is not run again", () => {
    const basis = basisOf(published);
    const once = hostRun({ ...small, variant: "strict" }, basis);
    const { variant: _, ...rest } = small;
    expect(hostRun({ variant: "strict", ...rest }, basis)).toBe(once);
    expect(hostRun({ ...small, variant: "strict", seed: 2 }, basis)).not.toBe(once);
  });
});

describe("an image", () => {
  class Inner {
    list: number[] = [];
    readonly table = new Map<number, { at: number; bytes: Int32Array }>();
  }
  class Outer {
    readonly inner = new Inner();
    words = new Int32Array(4);
    doubles = new Float64Array(this.words.buffer);
    same: Inner | undefined;
    big = new Float64Array(20_000);
    clock = { now: 0 };
    hear: (() => number) | undefined = () => 1;
  }
  const filled = (): Outer => {
    const one = new Outer();
    one.inner.list.push(3, 4);
    one.inner.table.set(7, { at: 1, bytes: new Int32Array([5]) });
    one.words = new Int32Array(new ArrayBuffer(80_000));
    one.doubles = new Float64Array(one.words.buffer);
    one.words[19_999] = 6;
    one.same = one.inner;
    one.big[9000] = 2.5;
    return one;
  };

  test("puts what objects hold into others, with the references among them and what two views share", () => {
    const one = filled();
    const image = new Image([one], new Set([one.clock]), freshOf([], new Set()));
    const other = new Outer();
    const { clock, hear, inner } = other;
    image.putInto([other]);
    one.words[0] = 99;
    one.inner.list.push(5);
    expect(other.inner).toBe(inner);
    expect(other.same).toBe(inner);
    expect(inner.list).toEqual([3, 4]);
    expect(inner.table.get(7)).toEqual({ at: 1, bytes: new Int32Array([5]) });
    expect(other.words[0]).toBe(0);
    expect(other.words[19_999]).toBe(6);
    expect(other.big[9000]).toBe(2.5);
    expect(other.doubles.buffer).toBe(other.words.buffer);
    expect(other.clock).toBe(clock);
    expect(other.hear).toBe(hear);
    // Each copy is one of its own.
    const third = new Outer();
    image.putInto([third]);
    third.inner.table.get(7)!.bytes[0] = 0;
    expect(inner.table.get(7)!.bytes[0]).toBe(5);
  });

  test("leaves what is as it was when the objects were made: another may have been made with another value", () => {
    const made = (coherent: boolean) =>
      new (class Table {
        readonly coherent = coherent;
        entries = 0;
      })();
    const one = made(true);
    const fresh = freshOf([one], new Set());
    one.entries = 3;
    const other = made(false);
    new Image([one], new Set(), fresh).putInto([other]);
    expect(other).toMatchObject({ coherent: false, entries: 3 });
  });

  test("says which class it cannot place", () => {
    const one = { list: [new Inner()] };
    expect(() => new Image([one], new Set(), freshOf([], new Set())).putInto([{ list: [] }])).toThrow("holds a Inner");
  });
});
