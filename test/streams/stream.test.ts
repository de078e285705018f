import { describe, expect, test } from "vitest";
import { linkGbps, pcieLink } from "../../src/machine/index.js";
import { oneToOne, pageBytes } from "../../src/pagetables/index.js";
import { runDmaStream, runDmaStreamReference, type StreamConfig } from "../../src/streams/index.js";
import { fc } from "../support/property.js";
import { aDevice, anyStream, aStream, aTranslation } from "./stream-configs.js";

const wholeGbps = (run: ReturnType<typeof runDmaStream>) => (run.whole.bytes * 8000) / run.whole.endPs;

describe("a stream of DMA, by example", () => {
  test("one read in flight takes the fixed times, the wire and nothing else", () => {
    const run = runDmaStream(aStream({ devices: [aDevice("a", { tags: 1 })], translation: null, windowBytes: 4096 }));
    const wires = Math.round((24 * 8000) / 57.876) + Math.round((84 * 8000) / 57.876);
    expect(run.latencyNs.mean * 1000).toBeCloseTo(400_000 + wires, -2);
  });

  test("a miss adds one walk; a table line in DRAM makes it longer", () => {
    const alone = { devices: [aDevice("a", { tags: 1 })], windowBytes: 16 * 1_048_576, primed: 2000 };
    const host = { ...aStream().host, dramExtraPs: 0 };
    const hit = runDmaStream(aStream({ ...alone, host, translation: null }));
    const cached = runDmaStream(aStream({ ...alone, host }));
    const bare = { coherent: false, cachePs: 200_000, dramPs: 250_000, cacheBytes: 0 };
    const uncached = runDmaStream(aStream({ ...alone, host, translation: aTranslation({ memory: bare }) }));
    const missShare = cached.misses / cached.packets;
    expect(missShare).toBeGreaterThan(0.95);
    expect(cached.walkDepthMean).toBe(1);
    expect(cached.latencyNs.mean - hit.latencyNs.mean).toBeCloseTo(200 * missShare, 3);
    expect(uncached.walkNs).toBe(250);
  });

  test("large reads fill the link, large writes too", () => {
    for (const direction of ["read", "write"] as const) {
      const run = runDmaStream(aStream({ direction, dmaBytes: 4096, translation: null, transfers: 500 }));
      expect(run.gbps).toBeCloseTo(linkGbps(pcieLink(3, 8), direction, 4096), 0);
    }
  });

  test("few posted credits limit writes by the time of their way back", () => {
    const run = runDmaStream(
      aStream({ direction: "write", translation: null, devices: [aDevice("a", { postedHeaders: 4 })] }),
    );
    expect(run.gbps).toBeLessThan((4 * 64 * 8) / 400);
    expect(run.gbps).toBeGreaterThan(0.9 * ((4 * 64 * 8) / (400 + 12.2)));
  });

  test("a DMA to a page that is not mapped is a recorded fault, and the stream goes on", () => {
    const translation = aTranslation({ table: oneToOne(1_048_576, pageBytes["4K"]) });
    const run = runDmaStream(aStream({ translation, windowBytes: 4 * 1_048_576, check: true }));
    expect(run.faults).toBeGreaterThan(run.transfers / 2);
    expect(run.firstFaults[0].reason).toBe(6);
    expect(run.firstFaults[0].address).toBeGreaterThanOrEqual(1_048_576);
    expect(run.firstFaults[0].device).toBe("a");
    const write = runDmaStream(aStream({ translation, direction: "write" }));
    expect(write.firstFaults[0].reason).toBe(5);
  });

  test("a device TLB that covers the window spares the unit every lookup", () => {
    const run = runDmaStream(aStream({ devices: [aDevice("a", { deviceTlbEntries: 1024 })] }));
    expect(run.deviceTlbHits / run.packets).toBeGreaterThan(0.99);
    expect(run.walks).toBeLessThan(run.packets / 100);
  });

  test("without hit-under-miss, a few misses hold up the hits behind them", () => {
    const config = { windowBytes: 70 * 4096, transfers: 3000 };
    const free = runDmaStream(aStream(config));
    const ordered = runDmaStream(aStream({ ...config, translation: aTranslation({ hitUnderMiss: false }) }));
    expect(ordered.gbps).toBeLessThan(0.9 * free.gbps);
  });

  test("what cannot be used is named", () => {
    expect(() => runDmaStream(aStream({ devices: [aDevice("a", { tags: 0 })] }))).toThrow("tags: 0");
    expect(() => runDmaStream(aStream({ devices: [aDevice("a"), aDevice("a")] }))).toThrow("same name");
    expect(() => runDmaStream(aStream({ windowBytes: 32 }))).toThrow("windowBytes");
  });
});

describe("limits that hold in every stream", () => {
  test("the fast run and the event-queue run give the same result, field by field", () => {
    fc.assert(
      fc.property(anyStream, (config) => {
        expect(runDmaStream(config)).toEqual(runDmaStreamReference(config));
      }),
      { numRuns: 60 },
    );
  });

  test("never above the link, the tags over latency, or the walkers; Little's law closes; translations agree", () => {
    fc.assert(
      fc.property(anyStream, (config) => {
        const run = runDmaStream(config);
        const { whole } = run;
        const links = config.devices.reduce((sum, d) => sum + linkGbps(d.link, config.direction, 65536), 0);
        expect(wholeGbps(run)).toBeLessThanOrEqual(links * 1.001);
        const slots = config.devices.reduce(
          (sum, d) => sum + (config.direction === "read" ? d.tags : d.postedHeaders),
          0,
        );
        const boundary = config.direction === "read" ? 512 : 256;
        const inFlight = (slots * Math.min(config.dmaBytes, boundary) * 8000) / whole.unloadedPs;
        expect(wholeGbps(run)).toBeLessThanOrEqual(inFlight);
        if (config.translation) {
          const units = config.translation.units === "shared" ? 1 : config.devices.length;
          expect(whole.walkPs).toBeLessThanOrEqual(whole.endPs * units * config.translation.unit.walkers);
          expect(run.checked).toBe(run.counters.reduce((sum, c) => sum + c.lookups, 0));
        }
        for (const row of run.little) expect(row.gap, row.resource).toBeLessThan(1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test("results do not depend on the order of devices", () => {
    fc.assert(
      fc.property(anyStream, (config) => {
        const reversed: StreamConfig = { ...config, devices: [...config.devices].reverse() };
        expect(runDmaStream(reversed)).toEqual(runDmaStream(config));
      }),
      { numRuns: 30 },
    );
  });

  test("no misses after warm-up for contiguous pages within sets × ways and no other traffic", () => {
    const shape = fc.record({
      sets: fc.constantFrom(1, 3, 8, 16),
      ways: fc.constantFrom(1, 2, 4, 16),
      replacement: fc.constantFrom("lru" as const, "fifo" as const, "random" as const),
      share: fc.double({ min: 0.1, max: 1, noNaN: true }),
      pattern: fc.constantFrom("random" as const, "sequential" as const),
      start: fc.nat(100),
    });
    fc.assert(
      fc.property(shape, ({ sets, ways, replacement, share, pattern, start }) => {
        const pages = Math.max(1, Math.floor(sets * ways * share));
        const translation = aTranslation();
        const iotlb = { entries: sets * ways, ways, replacement };
        const run = runDmaStream(
          aStream({
            translation: { ...translation, unit: { ...translation.unit, iotlb } },
            pattern,
            dmaBytes: 4096,
            windowStart: start * 4096,
            windowBytes: pages * 4096,
            primed: 20 * sets * ways,
            transfers: 300,
          }),
        );
        expect(run.misses).toBe(0);
        expect(run.lookups).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test("the same seed gives the same result, another seed another", () => {
    expect(runDmaStream(aStream())).toEqual(runDmaStream(aStream()));
    expect(runDmaStream(aStream({ seed: 2 })).gbps).not.toBe(runDmaStream(aStream()).gbps);
  });
});
