/**
 * A stream of DMAs: devices, each on its own link, that read or write random or sequential addresses of a window as fast as their tags or
 * credits allow, through a remapping unit or past it. This file says what a stream is and what a run of it reports; `dma-stream-run.ts`
 * runs it fast, `reference.ts` runs the same model as an ordinary event-driven program, and a test holds them equal.
 *
 * One packet's way: issue (a tag or credit is free) → up the link → translation (IOTLB; on a miss a walk, one of `walkers` at a time, that
 * others for the same page join) → memory → completions down the link, or the credit back → done.
 */

import type { TranslationCounters, TranslationUnitConfig, WalkMemoryConfig } from "../iommu/index.js";
import type { DmaDirection, LinkConfig } from "../machine/index.js";
import type { OneToOneTable } from "../pagetables/index.js";

/** A device and its link. */
export interface StreamDevice {
  /** Names its random stream: results depend on names, never on the order of devices. */
  name: string;
  link: LinkConfig;
  /** Read requests in flight. */
  tags: number;
  /** Shortest time between two posted writes of the device, picoseconds (default 0): what a request costs the card. */
  writeIntervalPs?: number;
  /** Posted credits: header credits, and data credits of 16 bytes. */
  postedHeaders: number;
  postedData: number;
  /** Entries of the device's own translation cache (ATS); 0 where it has none. */
  deviceTlbEntries: number;
}

/** Fixed times between link and memory, picoseconds. */
export interface StreamHost {
  /** From the end of a request on the wire to the remapping unit. */
  toUnitPs: number;
  /** From translation to data at the root complex (or to a write's commitment), data in the last-level cache. */
  memoryPs: number;
  /** What a read adds when its data is in DRAM. */
  dramExtraPs: number;
  /** The last so many bytes of the window are in the last-level cache; the rest is in DRAM. Reads by devices do not change that. */
  residentBytes: number;
  /** From the end of the completion on the wire to the device; and a credit's way back. */
  toDevicePs: number;
}

/** How addresses are translated. */
export interface StreamTranslation {
  table: OneToOneTable;
  unit: TranslationUnitConfig;
  memory: WalkMemoryConfig;
  /** One remapping unit for all devices (one domain), or one for each. */
  units: "shared" | "per-device";
  /** A read that hits passes reads that wait for a walk. Without it, translations leave in the order of arrival; writes always do. */
  hitUnderMiss: boolean;
}

/** A stream to run. */
export interface StreamConfig {
  devices: readonly StreamDevice[];
  host: StreamHost;
  /** null: the IOMMU is off. */
  translation: StreamTranslation | null;
  direction: DmaDirection;
  pattern: "random" | "sequential";
  /** Bytes of a DMA; each starts at a multiple of its size from the window's start. */
  dmaBytes: number;
  /** Where the window starts, and how many bytes it has. */
  windowStart: number;
  windowBytes: number;
  /** Translations a device that fill the caches before time starts. */
  primed: number;
  /** DMAs measured, and DMAs before them until the flow is steady (all devices together). */
  transfers: number;
  warmup: number;
  seed: number;
  /** Compare every translation with a real page table (SecondLevelPageTable). */
  check: boolean;
}

/** A fault as the remapping hardware records it. */
export interface StreamFault {
  device: string;
  address: number;
  /** VT-d fault reason: 5 a write, 6 a read that the entries do not allow. */
  reason: number;
  timePs: number;
}

/** A resource's accounts: Little's law says that occupancy = rate × residence. */
export interface LittleRow {
  resource: "tags" | "uplink" | "translation" | "walk queue" | "walkers" | "memory" | "downlink";
  /** Mean number inside, integrated over time. */
  occupancy: number;
  /** Arrivals a nanosecond. */
  ratePerNs: number;
  /** Mean stay, from each one's own arrival and departure, nanoseconds. */
  residenceNs: number;
  /** Relative difference between occupancy and rate × residence. */
  gap: number;
}

/** What a run reports. Rates and means are of the measured part; `whole` is the run from first issue to last completion. */
export interface StreamResult {
  gbps: number;
  /** 95 % interval of gbps, from ten batches. */
  low: number;
  high: number;
  latencyNs: { mean: number; p50: number; p99: number; max: number };
  perDevice: Record<string, number>;
  transfers: number;
  packets: number;
  lookups: number;
  misses: number;
  /** Misses that joined a walk in flight. */
  merged: number;
  walks: number;
  walkReads: number;
  walkDepthMean: number;
  walkNs: number;
  cacheReads: number;
  dramReads: number;
  walkersBusy: number;
  walkQueue: number;
  tagsBusy: number;
  deviceTlbHits: number;
  linkBusyShare: number;
  iotlbUsed: number;
  counters: TranslationCounters[];
  /** The rooflines, Gb/s: no run can be above any of them. */
  roof: { link: number; tags: number; walkers: number };
  faults: number;
  firstFaults: StreamFault[];
  checked: number;
  little: LittleRow[];
  whole: { bytes: number; endPs: number; unloadedPs: number; walks: number; walkPs: number; packets: number };
}
