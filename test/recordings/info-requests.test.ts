import { expect, test } from "vitest";
import { RbTreeAllocator } from "../../src/iova/index.js";
import {
  importTrace,
  RecordingSummary,
  rankQuantile,
  stepsOf,
  TextReader,
  type TraceInfo,
} from "../../src/recordings/index.js";
import { fc } from "../support/property.js";

/*
 * A recording's summary speaks of requests. The page table tells of scatter lists piece by piece: here are workloads whose requests are known, and
 * every number is held against a plain count of the requests.
 */

const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;

/** What a driver asked for: the maps by their lowest page, with the time of the first piece. */
interface Asked {
  map: boolean;
  pfn: number;
  pages: number;
  cpu: number;
  us: number;
  mapCpu: number;
}

interface Shape {
  requests: number;
  /** Requests in flight. */
  depth: number;
  seed: number;
  /** Requests whose list never ends, from the first on. */
  kept?: number;
}

/**
 * Requests of up to 24 pieces on four CPUs, whose events lie between each other's. Nothing is left open but what is kept, which has one piece
 * each. The second half comes at a tenth of the rate.
 */
function workload({ requests, depth, seed, kept = 0 }: Shape): { text: string; asked: Asked[] } {
  let state = seed;
  const below = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const space = new RbTreeAllocator({ cpus: 4 });
  const lines: string[] = [];
  const asked: Asked[] = [];
  let us = 5_000_000;
  const event = (cpu: number, text: string, slow: boolean): number => {
    us += slow ? 30 : 3;
    lines.push(`   fio-900   [00${cpu}] ..... ${(us / 1e6).toFixed(6)}: ${text}\n`);
    return us;
  };
  const flying: { pfn: number; pages: number; cpu: number }[] = [];
  const complete = (slow: boolean): void => {
    const [{ pfn, pages, cpu: mapCpu }] = flying.splice(below(flying.length), 1);
    const size = pages * 4096;
    const cpu = below(4);
    const range = `iova=${page(pfn)} - ${page(pfn + pages)}`;
    const at = event(cpu, `unmap: IOMMU: ${range} size=${size} unmapped_size=${size}`, slow);
    asked.push({ map: false, pfn, pages, cpu, us: at, mapCpu });
    space.free(pfn, pages, 0);
  };
  for (let i = 0; i < kept; i++) {
    const pfn = space.allocate(2, undefined, 0);
    const at = event(
      0,
      `map: IOMMU: iova=${page(pfn + 1)} - ${page(pfn + 2)} paddr=${page(9)} size=4096`,
      2 * i > requests,
    );
    asked.push({ map: true, pfn: pfn + 1, pages: 1, cpu: 0, us: at, mapCpu: 0 });
  }
  for (let i = 0; i < requests; i += 4) {
    const slow = 2 * i > requests;
    const batch = [0, 1, 2, 3].map((cpu) => {
      const runs = Array.from({ length: 1 + below(24) }, () => 1 + below(3));
      const pages = runs.reduce((sum, run) => sum + run, 0);
      return { cpu, pages, runs, begun: false, pfn: space.allocate(pages, undefined, 0), at: 0 };
    });
    for (const one of batch) one.at = one.pfn;
    while (batch.some(({ runs }) => runs.length > 0)) {
      const one = batch[below(4)];
      const run = one.runs.shift();
      if (run === undefined) continue;
      const { cpu, pfn, pages, at } = one;
      const text = `map: IOMMU: iova=${page(at)} - ${page(at + run)} paddr=${page(9)} size=${run * 4096}`;
      const time = event(cpu, text, slow);
      if (!one.begun) asked.push({ map: true, pfn, pages, cpu, us: time, mapCpu: cpu });
      one.begun = true;
      one.at += run;
    }
    flying.push(...batch);
    while (flying.length > depth) complete(slow);
  }
  while (flying.length > 0) complete(true);
  return { text: lines.join(""), asked };
}

function infoOf(text: string): TraceInfo {
  const summary = new RecordingSummary();
  const reader = new TextReader({ file: "x" }, summary);
  for (let i = 0; i < text.length; i += 65_536) reader.pushText(text.slice(i, i + 65_536));
  reader.end();
  return summary.info({ name: "x", kernel: "", mode: "" });
}

/** The same numbers by a plain count. */
function counted(asked: readonly Asked[]) {
  const cpus = [0, 1, 2, 3].map((cpu) => ({
    cpu,
    maps: asked.filter((one) => one.map && one.cpu === cpu).length,
    unmaps: asked.filter((one) => !one.map && one.cpu === cpu).length,
  }));
  const unmappedAt = new Map<number, number>();
  const distances: number[] = [];
  let [maps, live, most, firstUses] = [0, 0, 0, 0];
  for (const { map, pfn } of asked) {
    live += map ? 1 : -1;
    most = Math.max(most, live);
    if (map) maps++;
    const before = unmappedAt.get(pfn);
    if (!map) unmappedAt.set(pfn, maps);
    else if (before === undefined) firstUses++;
    else {
      distances.push(maps - before);
      unmappedAt.delete(pfn);
    }
  }
  const unmaps = asked.filter(({ map }) => !map);
  const same = unmaps.filter(({ cpu, mapCpu }) => cpu === mapCpu).length / unmaps.length;
  return { cpus, distances, maps, live, most, firstUses, same };
}

test("CPUs, reuse, rates and what is mapped at a time are counted in requests, however many pieces they have", () => {
  const { text, asked } = workload({ requests: 2000, depth: 200, seed: 11 });
  const truth = counted(asked);
  const info = infoOf(text);
  expect(info.account.joined).toBeGreaterThan(20_000);
  expect(info).toMatchObject({ maps: 2000, unmaps: 2000, live: 0, liveSet: { peakRequests: truth.most } });
  expect(info.cpus.byCpu).toEqual(truth.cpus);
  expect(info.cpus.unmappedWhereMapped).toBeCloseTo(truth.same, 12);
  const { distances } = truth;
  expect(info.reuse).toMatchObject({ count: distances.length, firstUses: truth.firstUses, followed: 1 });
  expect(info.reuse.mean).toBeCloseTo(distances.reduce((sum, n) => sum + n, 0) / distances.length, 9);
  expect(info.reuse.max).toBe(Math.max(...distances));
  for (const [share, got] of [
    [0.5, info.reuse.p50],
    [0.9, info.reuse.p90],
    [0.99, info.reuse.p99],
  ])
    expect(Math.abs(got / rankQuantile(distances, share) - 1)).toBeLessThan(0.016);
  // The rate: all bins together hold the requests, and each phase its own.
  const { timeNs, mapsPerSecond } = info.rate;
  const width = timeNs[1] - timeNs[0];
  expect(mapsPerSecond.reduce((sum, rate) => sum + (rate * width) / 1e9, 0)).toBeCloseTo(2000, 6);
  expect(info.ratePhases.length).toBeGreaterThan(1);
  const [first] = asked;
  for (const { fromNs, toNs, mapsPerSecond: rate } of info.ratePhases) {
    const within = asked.filter(({ map, us }) => {
      const ns = (us - first.us) * 1000;
      return map && ns >= fromNs && ns < toNs;
    });
    expect((rate * (toNs - fromNs)) / 1e9).toBeCloseTo(within.length, 6);
  }
});

test("lists that live for more than 65,536 events are requests too", () => {
  // 6,000 lists of some 12 pieces in flight.
  const { text, asked } = workload({ requests: 10_000, depth: 6000, seed: 3, kept: 50 });
  const truth = counted(asked);
  const info = infoOf(text);
  expect(info).toMatchObject({ maps: 10_050, live: 50, liveSet: { peakRequests: truth.most } });
  expect(info.cpus.byCpu).toEqual(truth.cpus);
  expect(info.reuse).toMatchObject({ count: truth.distances.length, firstUses: truth.firstUses });
  expect(info.reuse.max / Math.max(...truth.distances)).toBeCloseTo(1, 1);
});

test("whatever is recorded, the parts of the summary sum up to its requests, and streamed or in memory it says the same", () => {
  const step = fc.record({
    cpu: fc.nat({ max: 2 }),
    runs: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    at: fc.nat({ max: 40 }),
    ends: fc.constantFrom("whole", "part", "never", "later"),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const lines: string[] = [];
      const later: string[] = [];
      for (const { cpu, runs, at, ends } of steps) {
        let pfn = 1000 + 8 * at;
        const first = pfn;
        const add = (what: string, to = lines): number =>
          to.push(`  x-1 [00${cpu}] ..... 5.${String(lines.length).padStart(6, "0")}: ${what}`);
        for (const run of runs) {
          add(`map: IOMMU: iova=${page(pfn)} - ${page(pfn + run)} paddr=${page(9)} size=${run * 4096}`);
          pfn += run;
        }
        const size = (ends === "part" ? 1 : pfn - first) * 4096;
        const unmap = `unmap: IOMMU: iova=${page(first)} size=${size} unmapped_size=${size}`;
        if (ends === "later") add(unmap, later);
        else if (ends !== "never") add(unmap);
        if (later.length > 5) lines.push(...later.splice(0, 2));
      }
      const text = [...lines, ...later].join("\n");
      const info = infoOf(text);
      const { trace } = importTrace(text, { file: "x" });
      const summary = new RecordingSummary();
      stepsOf(trace, summary);
      const again = summary.info({ name: "x", kernel: "", mode: "" });
      const sums = ({ cpus, rate, sizes, maps, unmaps, live, liveSet, lifetimesNs, perDevice }: TraceInfo) => {
        const width = rate.timeNs.length > 1 ? rate.timeNs[1] - rate.timeNs[0] : 1024;
        return {
          counts: { maps, live },
          byCpu: cpus.byCpu.reduce((sum, cpu) => sum + cpu.maps, 0) - maps,
          unmapsByCpu: cpus.byCpu.reduce((sum, cpu) => sum + cpu.unmaps, 0) - unmaps,
          sizes: sizes.count - maps,
          rate: Math.round(rate.mapsPerSecond.reduce((sum, value) => sum + (value * width) / 1e9, 0)) - maps,
          devices: Array.isArray(perDevice)
            ? [perDevice.reduce((sum, row) => sum + row.maps, 0) - maps, perDevice.map((row) => row.live)]
            : perDevice.withheld,
          live: Array.isArray(perDevice) ? perDevice.reduce((sum, row) => sum + row.live, 0) - live : 0,
          most: liveSet.peakRequests >= live,
          lifetimes: lifetimesNs.neverEnded - live,
        };
      };
      const zero = { byCpu: 0, unmapsByCpu: 0, sizes: 0, rate: 0, live: 0, most: true, lifetimes: 0 };
      expect(sums(info)).toMatchObject(zero);
      expect(sums(again)).toMatchObject({ ...zero, counts: sums(info).counts, devices: sums(info).devices });
      if (info.account.lostUnmaps === 0 && info.account.partialUnmaps === 0) {
        expect(again.cpus.byCpu).toEqual(info.cpus.byCpu);
        expect(again.liveSet.peakRequests).toBe(info.liveSet.peakRequests);
        expect(again.reuse).toEqual(info.reuse);
      }
    }),
    { numRuns: 200 },
  );
});
