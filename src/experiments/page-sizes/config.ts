/** The configuration of the page-size experiment. */
import { z } from "zod";
import { basisOf, type Facts } from "../../facts/index.js";
import { hostNames, pageHost } from "./hosts.js";

const mebibyte = 1_048_576;
const gibibyte = 1_073_741_824;
const tebibyte = 1_099_511_627_776;

const whole = (low: number, high: number, unit: string) =>
  z.number().int().min(low, `at least ${low} ${unit}`).max(high, `at most ${high} ${unit}`);
const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1, "at least one value");
const oneOf = <const T extends readonly [string, ...string[]]>(...names: T) => z.enum(names);

/** The thread's test in the ranges that it leaves open, unless the configuration says otherwise. */
export const threadRanges: {
  readonly dmaBytes: readonly number[];
  readonly windows: readonly number[];
  readonly devices: readonly number[];
  readonly tags: readonly number[];
} = {
  dmaBytes: [64, 256, 512, 1024, 2048, 4096],
  windows: [64 * mebibyte, gibibyte, 16 * gibibyte, 128 * gibibyte, tebibyte],
  devices: [1, 2, 4],
  tags: [32, 256],
};

/** The configuration's fields, each with its default, unit and bounds. */
const Fields = z.strictObject({
  parts: listOf(oneOf("published", "thread", "grid"))
    .default(["published", "thread"])
    .describe(
      "published: every published row of the hosts; thread: the thread's test on x16 links over what it leaves open; grid: every combination of the fields below",
    ),
  hosts: listOf(z.enum(hostNames))
    .default(["hsw", "hsw2", "ivb", "ivb-remote", "snb", "bdw"])
    .describe("measured hosts; the thread part runs on the first"),
  pages: listOf(oneOf("off", "4K", "2M", "1G"))
    .default(["off", "4K", "2M", "1G"])
    .describe("leaf size of the 1:1 table; off: no translation"),
  directions: listOf(oneOf("read", "write")).default(["read", "write"]).describe("DMA direction, seen from the device"),
  dmaBytes: listOf(whole(64, mebibyte, "bytes").multipleOf(64, "aligned DMA only: a multiple of 64 bytes"))
    .nullable()
    .default(null)
    .describe("bytes of a DMA, which starts at a multiple of its size; null: as published, or the part's own range"),
  windows: listOf(whole(4096, 16 * tebibyte, "bytes").multipleOf(4096, "whole pages: a multiple of 4096 bytes"))
    .nullable()
    .default(null)
    .describe("bytes that the DMAs are spread over, from address 0; null: as published, or the part's own range"),
  memoryBytes: whole(mebibyte, 16 * tebibyte, "bytes")
    .multipleOf(4096, "whole pages: a multiple of 4096 bytes")
    .default(tebibyte)
    .describe("bytes of DRAM that the 1:1 tables can cover; a table covers the window in whole gibibytes"),
  mappedBytes: whole(4096, 16 * tebibyte, "bytes")
    .multipleOf(4096, "whole pages: a multiple of 4096 bytes")
    .nullable()
    .default(null)
    .describe("grid: the 1:1 table ends here; a DMA beyond it is a recorded fault; null: all of memory is mapped"),
  pattern: oneOf("random", "sequential").default("random").describe("order of the addresses"),
  warmth: oneOf("device", "host", "cold")
    .nullable()
    .default(null)
    .describe("who warmed the window; null: as published, and cold in the other parts"),
  devices: listOf(whole(1, 16, "devices"))
    .nullable()
    .default(null)
    .describe("devices, each on its own link"),
  tags: listOf(whole(1, 1024, "reads in flight"))
    .nullable()
    .default(null)
    .describe("reads in flight a device; null: as fitted (published, grid), 32 and 256 (thread)"),
  walkers: whole(1, 64, "walks at a time")
    .nullable()
    .default(null)
    .describe("null: as fitted on Haswell, where each begins so long after the one before"),
  generation: z
    .union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)])
    .nullable()
    .default(null)
    .describe("PCIe generation of the links; null: the host's (published, grid), 3 (thread)"),
  width: z
    .union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16)])
    .nullable()
    .default(null)
    .describe("lanes of a link; null: the host's (published, grid), 16 (thread)"),
  completions: oneOf("mps", "rcb", "short")
    .default("short")
    .describe(
      "read data merged up to MPS (mps), in pieces of RCB (rcb), or in pieces for requests of at most MPS only (short)",
    ),
  iotlbEntries: whole(1, 65536, "entries")
    .nullable()
    .default(null)
    .describe("null: as calibrated on the host's latency"),
  iotlbWays: whole(1, 65536, "ways").nullable().default(null).describe("null: fully associative"),
  iotlbBySize: oneOf("shared", "separate").default("shared").describe("one IOTLB for all page sizes, or one each"),
  replacement: oneOf("lru", "fifo", "random").default("lru").describe("of the IOTLB and the paging-structure caches"),
  structureEntries: whole(0, 65536, "entries")
    .nullable()
    .default(null)
    .describe("paging-structure cache entries a level; null: the host's assumption"),
  tableCacheBytes: whole(0, gibibyte, "bytes")
    .nullable()
    .default(null)
    .describe("last-level cache bytes that table lines can use; null: all of it"),
  coherentWalks: z
    .boolean()
    .nullable()
    .default(null)
    .describe("walks find table lines in the caches; null: the host's"),
  hitUnderMiss: z.boolean().default(false).describe("reads that hit pass reads that wait for a walk; writes never do"),
  units: oneOf("shared", "per-device").default("shared").describe("one remapping unit for all devices, or one each"),
  deviceTlbEntries: whole(0, 1_048_576, "entries")
    .default(0)
    .describe("ATS: entries of a device's own translation cache"),
  postedHeaders: whole(1, 4096, "credits").nullable().default(null).describe("posted header credits; null: the host's"),
  postedData: whole(16, 65536, "credits")
    .nullable()
    .default(null)
    .describe("posted data credits of 16 bytes; null: the host's"),
  fidelity: oneOf("quick", "full")
    .default("quick")
    .describe("quick: about 5,000 packets a point; full: ten times that"),
  seed: whole(0, Number.MAX_SAFE_INTEGER, "").default(1).describe("seed of the random addresses"),
  check: z.boolean().default(false).describe("compare every translation with a real page table"),
});

/** The configuration's schema: its fields, and what they must be together on the hosts of these facts. */
export const pageSizesSchema = (facts: Facts): typeof Fields =>
  Fields.superRefine((config, context) => {
    const basis = basisOf(facts);
    const refuse = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    for (const [i, bytes] of (config.windows ?? []).entries()) {
      if (bytes > config.memoryBytes)
        refuse(["windows", i], `the window is larger than memory (memoryBytes = ${config.memoryBytes})`);
      for (const size of config.dmaBytes ?? [])
        if (size > bytes) refuse(["windows", i], `the window does not hold one DMA of ${size} bytes`);
    }
    if (config.mappedBytes !== null && config.mappedBytes > config.memoryBytes)
      refuse(["mappedBytes"], `more is mapped than there is memory (memoryBytes = ${config.memoryBytes})`);
    if (config.iotlbWays !== null) {
      for (const host of config.hosts) {
        const entries = config.iotlbEntries ?? pageHost(host, basis).iotlbEntries;
        if (entries % config.iotlbWays !== 0)
          refuse(["iotlbWays"], `${config.iotlbWays} ways do not divide the ${entries} IOTLB entries of ${host}`);
      }
    }
    for (const part of config.parts) {
      if (part === "published") continue;
      const hosts = part === "thread" ? config.hosts.slice(0, 1) : config.hosts;
      for (const [i, page] of config.pages.entries()) {
        for (const name of hosts) {
          if (page === "off" || pageHost(name, basis).pageSizes.includes(page)) continue;
          refuse(
            ["pages", i],
            `${name} has no ${page} pages; it has off, ${pageHost(name, basis).pageSizes.join(", ")}`,
          );
        }
      }
    }
  });

/** A configuration as it is written: every field may be left out. @public */
export type PageSizesInput = z.input<typeof Fields>;
/** A configuration with its defaults filled in. */
export type PageSizesSettings = z.output<typeof Fields>;
