import { describe, expect, test } from "vitest";
import {
  distinctAddresses,
  ExtentCounter,
  envelope,
  holdings,
  lifetimes,
  liveMaps,
  loadTrace,
  mergeAbutting,
  Op,
  occupancy,
  phaseRange,
  rankQuantile,
  type Trace,
} from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { anyTrace } from "./any-trace.js";

/** Runs of set pages, counted page by page: what merging must come to. */
const runs = (pages: ReadonlySet<number>): number => [...pages].filter((page) => !pages.has(page - 1)).length;

/** The pages of a device that are mapped after each of its operations, the slow way. */
function naiveHistory(trace: Trace, device: number): { op: number; live: number; pages: Set<number> }[] {
  const live = new Map<number, number>();
  const history = [];
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    if (trace.op[op] === Op.map) live.set(trace.iovaPfn[op], trace.pages[op]);
    else live.delete(trace.iovaPfn[op]);
    const pages = new Set([...live].flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)));
    history.push({ op, live: live.size, pages });
  }
  return history;
}

describe("merging", () => {
  test("ranges that abut become one interval, in any order; a gap of one page keeps them apart", () => {
    const ranges = [
      { iovaPfn: 5, pages: 1 },
      { iovaPfn: 3, pages: 2 },
      { iovaPfn: 7, pages: 1 },
    ];
    expect(mergeAbutting(ranges)).toEqual([
      { iovaPfn: 3, pages: 3, maps: 2 },
      { iovaPfn: 7, pages: 1, maps: 1 },
    ]);
    expect(mergeAbutting([])).toEqual([]);
  });

  test("filling a gap joins two intervals, and emptying it parts them again", () => {
    const counter = new ExtentCounter();
    counter.add({ iovaPfn: 1, pages: 1 });
    counter.add({ iovaPfn: 4, pages: 2 });
    expect([counter.live, counter.intervals]).toEqual([2, 2]);
    counter.add({ iovaPfn: 2, pages: 2 });
    expect([counter.live, counter.intervals]).toEqual([3, 1]);
    counter.remove({ iovaPfn: 2, pages: 2 });
    expect([counter.live, counter.intervals]).toEqual([2, 2]);
  });

  test("counting as ranges come and go agrees with counting runs of mapped pages, after every operation", () => {
    fc.assert(
      fc.property(anyTrace(), fc.nat(2), (trace, device) => {
        const history = naiveHistory(trace, device);
        const counted = occupancy(trace, device);
        expect([...counted.op]).toEqual(history.map(({ op }) => op));
        expect([...counted.live]).toEqual(history.map(({ live }) => live));
        expect([...counted.intervals]).toEqual(history.map(({ pages }) => runs(pages)));
      }),
    );
  });
});

describe("what is live", () => {
  test("live maps, their pages, intervals and gaps agree with a page-by-page replay at any moment", () => {
    fc.assert(
      fc.property(anyTrace(), fc.nat(2), fc.nat(), (trace, device, moment) => {
        const before = moment % (trace.length + 1);
        const past = naiveHistory(trace, device).filter(({ op }) => op < before);
        const pages = past.at(-1)?.pages ?? new Set<number>();
        const held = holdings(trace, before)[device];
        const live = liveMaps(trace, device, before);
        expect(held).toMatchObject({ maps: past.at(-1)?.live ?? 0, pages: pages.size, intervals: runs(pages) });
        expect(new Set(live.flatMap((m) => Array.from({ length: m.pages }, (_, i) => m.iovaPfn + i)))).toEqual(pages);
        if (pages.size > 0) expect(held.gapPages).toBe(held.endPfn - Math.min(...pages) - pages.size);
        expect(2 ** held.treeLevels).toBeGreaterThan(held.maps);
        if (held.treeLevels > 0) expect(2 ** (held.treeLevels - 1)).toBeLessThanOrEqual(held.maps);
      }),
    );
  });

  test("lifetimes are those of the maps made and ended in the range", () => {
    fc.assert(
      fc.property(anyTrace(), fc.nat(2), fc.nat(), fc.nat(), (trace, device, a, b) => {
        const [first, end] = [a % (trace.length + 1), b % (trace.length + 1)].sort((x, y) => x - y);
        const own = Array.from(trace.op, (_, op) => op).filter((op) => trace.device[op] === device);
        const ended = own.filter(
          (op) => op >= first && op < end && trace.op[op] === Op.unmap && trace.partner[op] >= first,
        );
        const { ns, ops } = lifetimes(trace, device, { first, end });
        expect([...ns]).toEqual(ended.map((op) => trace.timeNs[op] - trace.timeNs[trace.partner[op]]));
        expect([...ops]).toEqual(ended.map((op) => own.indexOf(op) - own.indexOf(trace.partner[op])));
      }),
    );
  });

  test("a quantile is an observed value, and no values are refused", () => {
    expect([0, 0.5, 0.9, 1].map((share) => rankQuantile([30, 10, 20], share))).toEqual([10, 20, 30, 30]);
    expect(() => rankQuantile([], 0.5)).toThrow("at least one value");
    expect(() => rankQuantile([1], 2)).toThrow("share: expected 0 to 1 (got 2).");
  });

  test("a device that is not in the trace is answered with those that are", () => {
    expect(() => liveMaps(loadTrace("igb"), "eth0", 0)).toThrow('no device "eth0"; it has 0000:00:03.0, 0000:00:07.0.');
    expect(() => occupancy(loadTrace("igb"), 2)).toThrow("no device 2;");
  });
});

/*
 * The recorder's own summary of the two runs, made by another program: live maps and intervals sampled after every 200th operation of the
 * TCP_RR phase, lifetimes in microseconds.
 */
const golden = [
  {
    name: "igb",
    static: {
      maps: 32_776,
      pages: 32_896,
      intervals: 4,
      coherent: 16,
      lowestPfn: 0xb9278,
      endPfn: 0x100000,
      treeLevels: 16,
    },
    devices: [
      {
        live: [32_778, 32_916, 33_109],
        merged: [5, 5, 119, 204, 225],
        mean: 139.48076923076923,
        us: [884.8, 84_215.1, 1_208_482.4],
        short: 26_204,
        distinct: 1297,
      },
      {
        live: [32_776, 32_909, 33_083],
        merged: [5, 4, 110, 211, 229],
        mean: 134.4576923076923,
        us: [952.6, 83_350.1, 1_022_233.7],
        short: 25_857,
        distinct: 1276,
      },
    ],
  },
  {
    name: "vmxnet3",
    static: {
      maps: 6173,
      pages: 6284,
      intervals: 12,
      coherent: 28,
      lowestPfn: 0xbfa38,
      endPfn: 0x100000,
      treeLevels: 13,
    },
    devices: [
      {
        live: [6173, 6173, 6174],
        merged: [27, 27, 374, 376, 376],
        mean: 373.86018237082067,
        us: [500_284.2, 877_887.0, 2_514_459.4],
        short: 31_576,
        distinct: 1388,
      },
      {
        live: [6173, 6173, 6174],
        merged: [37, 37, 374, 376, 377],
        mean: 373.90881458966567,
        us: [510_981.2, 879_639.2, 2_852_123.5],
        short: 32_113,
        distinct: 1388,
      },
    ],
  },
];

describe.each(golden)("$name, against the recorder's summary", ({ name, static: atUp, devices }) => {
  const trace = loadTrace(name);
  const rr = phaseRange(trace, "rr");

  test("the static maps of both NICs", () => {
    for (const held of holdings(trace, phaseRange(trace, "up").first)) expect(held).toMatchObject(atUp);
  });

  test.each([0, 1])("the TCP_RR phase of NIC %i", (device) => {
    const all = occupancy(trace, device);
    const live: number[] = [];
    const merged: number[] = [];
    for (let op = rr.first + 199, i = 0; op < rr.end; op += 200) {
      while (i + 1 < all.op.length && all.op[i + 1] <= op) i++;
      live.push(all.live[i]);
      merged.push(all.intervals[i]);
    }
    const at = (values: number[], shares: number[]) => shares.map((share) => rankQuantile(values, share));
    const wanted = devices[device];
    expect(at(live, [0, 0.5, 1])).toEqual(wanted.live);
    expect([merged[0], ...at(merged, [0, 0.5, 0.99, 1])]).toEqual(wanted.merged);
    const half = merged.slice(merged.length >> 1);
    expect(half.reduce((sum, value) => sum + value, 0) / half.length).toBeCloseTo(wanted.mean, 9);
    const { ns } = lifetimes(trace, device, rr);
    expect(ns.length).toBe(wanted.short);
    const us = [0.01, 0.5, 1].map((share) => rankQuantile(ns, share) / 1000);
    for (const [i, value] of us.entries()) expect(Math.abs(value / wanted.us[i] - 1)).toBeLessThan(0.002);
    expect(distinctAddresses(trace, device, rr)).toBe(wanted.distinct);
  });
});

describe("a long series in few points", () => {
  test("every value lies in its bucket's bounds, and the means weigh up to the mean of all", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        (pairs, buckets) => {
          const sorted = pairs.sort((p, q) => p[0] - q[0]);
          const y = sorted.map((p) => p[1]);
          const seen = envelope(
            sorted.map((p) => p[0]),
            y,
            buckets,
          );
          expect(seen.x.length).toBeLessThanOrEqual(buckets);
          expect(Math.min(...seen.low)).toBe(Math.min(...y));
          expect(Math.max(...seen.high)).toBe(Math.max(...y));
          for (const [i, mean] of seen.mean.entries()) {
            expect(mean).toBeGreaterThanOrEqual(seen.low[i] - 1e-9);
            expect(mean).toBeLessThanOrEqual(seen.high[i] + 1e-9);
          }
        },
      ),
    );
    expect(envelope([], [], 3).x).toEqual([]);
    expect(envelope([0, 1, 3, 4], [1, 3, 5, 9], 2)).toEqual({ x: [1, 3], mean: [2, 7], low: [1, 5], high: [3, 9] });
  });
});
