import { pcieLink } from "../../src/machine/index.js";
import { oneToOne, pageBytes } from "../../src/pagetables/index.js";
import type { StreamConfig, StreamTranslation } from "../../src/streams/index.js";
import { fc } from "../support/property.js";

const mebibyte = 1_048_576;

/** A stream of 64-byte random reads through a small IOTLB, to be varied. */
export function aStream(overrides: Partial<StreamConfig> = {}): StreamConfig {
  return {
    devices: [aDevice("a")],
    host: { toUnitPs: 100_000, memoryPs: 200_000, dramExtraPs: 50_000, residentBytes: mebibyte, toDevicePs: 100_000 },
    translation: aTranslation(),
    direction: "read",
    pattern: "random",
    dmaBytes: 64,
    windowStart: 0,
    windowBytes: 4 * mebibyte,
    primed: 500,
    transfers: 1000,
    warmup: 100,
    seed: 1,
    check: false,
    ...overrides,
  };
}

export const aDevice = (name: string, overrides: Partial<StreamConfig["devices"][number]> = {}) => ({
  name,
  link: pcieLink(3, 8),
  tags: 32,
  postedHeaders: 32,
  postedData: 512,
  deviceTlbEntries: 0,
  ...overrides,
});

export function aTranslation(overrides: Partial<StreamTranslation> = {}): StreamTranslation {
  return {
    table: oneToOne(64 * mebibyte, pageBytes["4K"]),
    unit: {
      iotlb: { entries: 64, ways: 64, replacement: "lru" },
      iotlbBySize: "shared",
      structureCaches: { entries: 8, ways: 8, replacement: "lru" },
      walkers: 4,
      walkFixedPs: 0,
    },
    memory: { coherent: true, cachePs: 200_000, dramPs: 250_000, cacheBytes: 16 * mebibyte },
    units: "shared",
    hitUnderMiss: true,
    ...overrides,
  };
}

/** Any small stream: devices, links, tags, credits, caches, page sizes, orders, with holes and with device TLBs. */
export const anyStream: fc.Arbitrary<StreamConfig> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom("eth0", "eth1", "nvme0", "nvme1"), { minLength: 1, maxLength: 3 }),
    width: fc.constantFrom(1 as const, 8 as const, 16 as const),
    tags: fc.integer({ min: 1, max: 40 }),
    headers: fc.integer({ min: 1, max: 40 }),
    data: fc.integer({ min: 64, max: 256 }),
    tlb: fc.constantFrom(0, 0, 16),
    page: fc.constantFrom(pageBytes["4K"], pageBytes["2M"]),
    ways: fc.constantFrom(1, 4, 16),
    replacement: fc.constantFrom("lru" as const, "fifo" as const, "random" as const),
    bySize: fc.constantFrom("shared" as const, "separate" as const),
    structures: fc.constantFrom(0, 4),
    walkers: fc.integer({ min: 1, max: 6 }),
    walkInterval: fc.constantFrom(0, 51_000),
    writeInterval: fc.constantFrom(0, 21_000),
    completions: fc.constantFrom("mps" as const, "rcb" as const, "short" as const),
    coherent: fc.boolean(),
    cacheBytes: fc.constantFrom(0, 4096, 16 * mebibyte),
    units: fc.constantFrom("shared" as const, "per-device" as const),
    hitUnderMiss: fc.boolean(),
    off: fc.boolean(),
    direction: fc.constantFrom("read" as const, "write" as const),
    pattern: fc.constantFrom("random" as const, "sequential" as const),
    dmaBytes: fc.constantFrom(64, 192, 512, 4096, 65536),
    pages: fc.integer({ min: 16, max: 600 }),
    mapped: fc.constantFrom(64 * mebibyte, mebibyte),
    seed: fc.nat(1000),
  })
  .map((any) => ({
    devices: any.names.map((name, i) =>
      aDevice(name, {
        link: pcieLink(3, any.width, { completions: any.completions }),
        writeIntervalPs: any.writeInterval,
        tags: any.tags + i,
        postedHeaders: any.headers,
        postedData: any.data,
        deviceTlbEntries: any.tlb,
      }),
    ),
    host: { toUnitPs: 90_000, memoryPs: 150_000, dramExtraPs: 40_000, residentBytes: mebibyte, toDevicePs: 90_000 },
    translation: any.off
      ? null
      : {
          table: oneToOne(any.mapped, any.page),
          unit: {
            iotlb: { entries: 16, ways: any.ways, replacement: any.replacement },
            iotlbBySize: any.bySize,
            structureCaches: { entries: any.structures, ways: any.structures, replacement: any.replacement },
            walkers: any.walkers,
            walkIntervalPs: any.walkInterval,
            walkFixedPs: 5000,
          },
          memory: { coherent: any.coherent, cachePs: 150_000, dramPs: 210_000, cacheBytes: any.cacheBytes },
          units: any.units,
          hitUnderMiss: any.hitUnderMiss,
        },
    direction: any.direction,
    pattern: any.pattern,
    dmaBytes: any.dmaBytes,
    windowStart: 0,
    windowBytes: any.pages * 4096,
    primed: 20,
    transfers: 150,
    warmup: 20,
    seed: any.seed,
    check: true,
  }));
