import { describe, expect, test } from "vitest";
import {
  importTrace,
  LogHistogram,
  loadTrace,
  Op,
  RateBins,
  RecordingSummary,
  ReuseDistance,
  rankQuantile,
  stepsOf,
  TextReader,
  type Trace,
  type TraceInfo,
} from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { anyTrace } from "./any-trace.js";

function infoOf(trace: Trace): TraceInfo {
  const summary = new RecordingSummary();
  stepsOf(trace, summary);
  return summary.info(trace.about);
}

describe("a recording's summary", () => {
  test("igb: counts, the live set and lifetimes are those of the trace in memory", () => {
    const trace = loadTrace("igb");
    const info = infoOf(trace);
    const ended = trace.length - trace.maps;
    expect(info).toMatchObject({ maps: trace.maps, unmaps: ended, devices: 2, live: trace.maps - ended });
    expect(info.liveSet.peakRequests).toBe(mostLive(trace));
    const lifetimes: number[] = [];
    for (let i = 0; i < trace.length; i++)
      if (trace.op[i] === Op.unmap) lifetimes.push(trace.timeNs[i] - trace.timeNs[trace.partner[i]]);
    for (const [share, value] of [
      [0.5, info.lifetimesNs.p50],
      [0.99, info.lifetimesNs.p99],
    ])
      expect(Math.abs(value / rankQuantile(lifetimes, share) - 1)).toBeLessThan(0.016);
    expect(info.warnings).toEqual([]);
  });

  test("whatever the trace, maps, unmaps, live and the most at a time are a simple count's", () => {
    fc.assert(
      fc.property(anyTrace(), (trace) => {
        const info = infoOf(trace);
        const unmaps = trace.length - trace.maps;
        expect([info.maps, info.unmaps, info.live, info.liveSet.peakRequests]).toEqual([
          trace.maps,
          unmaps,
          trace.maps - unmaps,
          mostLive(trace),
        ]);
      }),
    );
  });

  test("the maps of a scatter list count once, in the sizes and at a time", () => {
    const line = (i: number, what: string) => `  x-1 [000] ..... 1.${String(i).padStart(6, "0")}: ${what}\n`;
    const address = (page: number) => `0x${(0xf0000 + page).toString(16)}000`;
    let text = "";
    for (let page = 0; page < 4; page++)
      text += line(page, `map: IOMMU: iova=${address(page)} paddr=0x${page + 1}000 size=4096`);
    text += line(9, `unmap: IOMMU: iova=${address(0)} size=16384 unmapped_size=16384`);
    const summary = new RecordingSummary();
    const reader = new TextReader({ file: "x" }, summary);
    reader.pushText(text);
    reader.end();
    const info = summary.info({ name: "x", kernel: "", mode: "" });
    expect(info).toMatchObject({
      maps: 1,
      unmaps: 1,
      live: 0,
      sizes: { p50: 4, count: 1 },
      liveSet: { peakRequests: 1, peakPages: 4 },
    });
  });

  test("above one per cent of guesses the results per device are withheld, with the reason", () => {
    const line = (time: number, what: string) => `  x-1 [000] ..... ${time}.0: ${what}\n`;
    const map = (time: number) => line(time, "map: IOMMU: iova=0x1000 paddr=0x5000 size=4096");
    const unmap = (time: number) => line(time, "unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=4096");
    const info = infoOf(importTrace(map(1) + map(2) + unmap(3) + unmap(4), { file: "x" }).trace);
    expect(info.guessedShare).toBe(0.25);
    expect(info.perDevice).toEqual({ withheld: expect.stringMatching(/25\.0 % .*dma:\*/) });
  });
});

function mostLive(trace: Trace): number {
  let live = 0;
  let most = 0;
  for (const op of trace.op) {
    live += op === Op.map ? 1 : -1;
    most = Math.max(most, live);
  }
  return most;
}

test("a histogram's quantiles are exact below 128 and within 1.6 % above", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2 ** 31 - 1), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const histogram = new LogHistogram();
        for (const value of values) histogram.add(value);
        const exact = rankQuantile(values, share);
        const got = histogram.quantile(share);
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(exact < 128 ? 0 : exact * 0.016);
      },
    ),
  );
});

test("phases are found where the rate changes, and not where it does not", () => {
  const bins = new RateBins();
  for (let i = 0; i < 1000; i++) bins.add(i * 1e6);
  for (let i = 0; i < 10_000; i++) bins.add(1e9 + i * 1e5);
  const phases = bins.phases();
  expect(phases).toHaveLength(2);
  expect(Math.abs(phases[0].toNs / 1e9 - 1)).toBeLessThan(0.02);
  expect(Math.abs(phases[1].mapsPerSecond / 10_000 - 1)).toBeLessThan(0.05);
  const even = new RateBins();
  for (let i = 0; i < 10_000; i++) even.add(i * 12_345);
  expect(even.phases()).toHaveLength(1);
});

test("the reuse distance counts the maps from an unmap to the next map of the address", () => {
  const reuse = new ReuseDistance();
  reuse.map(0, 5);
  reuse.unmap(0, 5);
  reuse.map(0, 6);
  reuse.map(0, 5);
  expect([reuse.first, reuse.distances.count, reuse.distances.max]).toEqual([2, 1, 2]);
});
