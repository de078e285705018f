import type { Facts } from "../facts/index.js";
import type { MachineConfig } from "../machine/index.js";

/** What the DMA code costs beyond its memory accesses and locks. All in core cycles unless named otherwise. */
export interface DmaCosts {
  /** Checks and arithmetic of a map or unmap call around its parts. */
  apiCycles: number;
  /** Instructions of `__domain_mapping` for one page, beyond its memory accesses. */
  pteMapCycles: number;
  /** Instructions of `dma_pte_clear_level` for one page, beyond its memory accesses. */
  pteClearCycles: number;
  /** Instructions around each access of the tree, the pools, the page table and the queues. */
  instructionCycles: number;
  /** Stores that wait in a core's store buffer at most. */
  storesBuffered: number;
  /** Lines that the stores in a core's buffer ask for at the same time. */
  storesAtOnce: number;
  /** From the tail register to the status word, for a page-selective or global invalidation. */
  invalidationCycles: number;
  /** The same for a device's translation cache (ATS). */
  deviceInvalidationCycles: number;
  /** Share of that time for which the IOMMU takes up nothing else, 0 to 1. */
  serialShare: number;
  /** SMMUv3: of the compare-exchanges that find another value, the share whose next try comes before another core takes the line away, 0 to 1. */
  retriesInPlace: number;
  /** Write of the queue's tail register. */
  tailWriteCycles: number;
  /** Read of the fault status register that each turn of the poll makes (`qi_check_fault`), under the lock. */
  faultReadCycles: number;
  /** `cpu_relax` between two turns of the poll. */
  relaxCycles: number;
  /** clflush of a line beyond the later miss. */
  clflushCycles: number;
}

/** Where a cost comes from, and over which range it is swept. */
export interface CostSource {
  field: keyof DmaCosts;
  unit: string;
  source: string;
  assumption: boolean;
  low: number;
  high: number;
}

/** Warm accesses of a one-page map and unmap of the page table: three and four entries read, one written. */
const warmMapAccesses = 4;
const warmClearAccesses = 5;

/**
 * The costs of a host, from the records where there are any.
 *
 * The page-table figures (JG1, JG2, JG4) were taken on another processor: they are inputs, the same nanoseconds here, and swept. RI1 is
 * second-hand: swept too. PE2 is not used anywhere in this file.
 */
export function dmaCosts(
  facts: Facts,
  machine: Pick<MachineConfig, "gigahertz" | "l1Cycles" | "dramLocalCycles">,
): DmaCosts {
  const cycles = (ns: number): number => Math.round(ns * machine.gigahertz);
  const instructionCycles = 4;
  const warm = machine.l1Cycles + instructionCycles;
  const [map] = facts.numbers("JG1");
  const [unmap] = facts.numbers("JG2");
  const [strict] = facts.numbers("RI1");
  const [flushed, kept] = facts.numbers("JG4");
  const tailWriteCycles = 100;
  return {
    apiCycles: 44,
    pteMapCycles: Math.max(0, cycles(map) - warmMapAccesses * warm),
    pteClearCycles: Math.max(0, cycles(unmap) - warmClearAccesses * warm),
    instructionCycles,
    storesBuffered: 36,
    storesAtOnce: 10,
    invalidationCycles: Math.round(strict - tailWriteCycles),
    deviceInvalidationCycles: cycles(1000),
    serialShare: 0.5,
    retriesInPlace: 0.5,
    tailWriteCycles,
    faultReadCycles: 300,
    relaxCycles: 10,
    // JG4: from 60 to 250 ns an operation; the next operation's miss of the flushed line is charged by the cache model.
    clflushCycles: Math.max(0, cycles(flushed - kept) - machine.dramLocalCycles),
  };
}

/** The source and the swept range of every cost. */
export const costSources: readonly CostSource[] = [
  {
    field: "apiCycles",
    unit: "cycles",
    source: "as record RI4, which is unverified",
    assumption: true,
    low: 0,
    high: 200,
  },
  {
    field: "pteMapCycles",
    unit: "cycles",
    source: "record JG1 (65 ns on an i7-12700) less its warm accesses",
    assumption: false,
    low: 0,
    high: 600,
  },
  {
    field: "pteClearCycles",
    unit: "cycles",
    source: "record JG2 (87 ns on an i7-12700) less its warm accesses",
    assumption: false,
    low: 0,
    high: 600,
  },
  {
    field: "instructionCycles",
    unit: "cycles",
    source: "a compare and a branch that the loads do not hide",
    assumption: true,
    low: 0,
    high: 15,
  },
  {
    field: "storesBuffered",
    unit: "stores",
    source: "36 on Sandy Bridge, 42 on Haswell (from memory: Intel's optimization manual)",
    assumption: true,
    low: 8,
    high: 42,
  },
  {
    field: "storesAtOnce",
    unit: "lines",
    source:
      "random stores beyond the caches took 15 to 20 cycles each where a load takes 200, and 5 to 6 where it takes 35 (T. Downs, 2019-03-19, a later core); 1: one line after another, as where some stores hit",
    assumption: true,
    low: 1,
    high: 12,
  },
  {
    field: "invalidationCycles",
    unit: "cycles",
    source: "record RI1 (2,127 cycles an unmap) less the tail write",
    assumption: false,
    low: 500,
    high: 4000,
  },
  {
    field: "deviceInvalidationCycles",
    unit: "cycles",
    source: "1 µs: a round trip over the link and the device's answer",
    assumption: true,
    low: 1450,
    high: 14500,
  },
  {
    field: "serialShare",
    unit: "share",
    source: "how much of an invalidation's latency occupies the unit is not published",
    assumption: true,
    low: 0.1,
    high: 1,
  },
  {
    field: "retriesInPlace",
    unit: "share",
    source:
      "not published: from 0 (each try waits for the line once more, and one in as many succeeds as there are cores) to 1 (one failure at most)",
    assumption: true,
    low: 0,
    high: 1,
  },
  {
    field: "tailWriteCycles",
    unit: "cycles",
    source: "an uncached posted write",
    assumption: true,
    low: 20,
    high: 300,
  },
  {
    field: "faultReadCycles",
    unit: "cycles",
    source: "an uncached read of an on-die register",
    assumption: true,
    low: 0,
    high: 800,
  },
  {
    field: "relaxCycles",
    unit: "cycles",
    source: "a pause instruction, about ten cycles on hosts of that time",
    assumption: true,
    low: 0,
    high: 50,
  },
  {
    field: "clflushCycles",
    unit: "cycles",
    source: "record JG4 (60 to 250 ns an operation) less the later miss",
    assumption: false,
    low: 50,
    high: 600,
  },
];
