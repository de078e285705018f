import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostResult, hostRun } from "../../host/index.js";
import type { Column } from "../frame/column.js";
import { mostWaitedFor } from "../frame/locks.js";
import type { TodayPoint } from "./config.js";
import { titleOf } from "./policies.js";

/** Bytes of a tree node in Linux's slab (struct iova: 40 bytes, in lines of 64), of a magazine, of a slot of a flush ring, of a page. */
const bytes = { node: 64, magazine: 1024, ring: 256 * 40, page: 4096 } as const;
/** The pools' bitmap: a bit for each page of 3 GiB. */
const bitmapBytes = (3 << 18) / 8;

/** Memory that the way of mapping keeps beside the buffers themselves, in KiB. */
function memoryKiB({ run }: TodayPoint, result: HostResult): number {
  const { allocator, policy, reuse } = variant(run.variant);
  if (allocator === "none") return 0;
  const held = result.allocator as (NonNullable<HostResult["allocator"]> & { magazines?: number }) | undefined;
  const tables = result.tableCount * bytes.page;
  const nodes = (held?.nodes ?? 0) * bytes.node;
  const magazines = (held?.magazines ?? (allocator === "magazines" ? 2 * 6 * run.cores : 0)) * bytes.magazine;
  const rings = policy === "lazy" || policy === "deferred-per-cpu" ? run.cores * bytes.ring : 0;
  const bitmap = allocator === "pools" ? bitmapBytes : 0;
  // Only what is copied through: the buffers themselves are needed either way.
  const copies = reuse === "bounce" ? result.liveMaps * bytes.page : 0;
  return (tables + nodes + magazines + rings + bitmap + copies) / 1024;
}

/** What the cores wait for, by kind of lock: those of CPUs and of rings together. */
function waitsByKind({ locks }: HostResult): { name: string; waittimeTotal: number }[] {
  const byKind = new Map<string, number>();
  for (const { name, waittimeTotal } of locks) {
    const kind = name
      .replace(/\[\d+\]/, "")
      .replace(/CPU \d+, /, "")
      .replace(/ lock \d+$/, " lock");
    byKind.set(kind, (byKind.get(kind) ?? 0) + waittimeTotal);
  }
  return [...byKind].map(([name, waittimeTotal]) => ({ name, waittimeTotal }));
}

/** Runs one point and makes its row. */
export function simulate(point: TodayPoint, basis: Basis) {
  const { run, replication } = point;
  const result = hostRun(run, basis);
  const { counts, gigahertz, stale, parts, locks, transactions, cycles } = result;
  const us = (time: number): number => time / (gigahertz * 1000);
  return [
    {
      host: run.machine,
      policy: run.variant,
      title: titleOf(run.variant),
      cores: run.cores,
      replication,
      throughput: result.throughput,
      perCore: result.throughput / run.cores,
      stack: parts.stack,
      spinning: parts.spinning,
      tree: parts.tree,
      pageTable: parts["page table"],
      invalidation: parts.invalidation,
      api: parts.api,
      waiting: parts.waiting,
      ...mostWaitedFor(waitsByKind(result), cycles * run.cores),
      acquisitions: locks.reduce((sum, one) => sum + one.acquisitions, 0) / transactions,
      visits: result.visitsPerMap,
      invalidations: counts.unmaps > 0 ? counts.invalidations / counts.unmaps : 0,
      stalePages: stale.meanLive,
      stalePeak: stale.maxLive,
      windowMean: us(stale.meanWindow),
      windowMax: us(stale.maxWindow),
      irqOffMax: us(locks.reduce((most, one) => Math.max(most, one.irqOffMax), 0)),
      memory: memoryKiB(point, result),
      failedMaps: counts.failedMaps,
      simulated: us(cycles),
    },
  ];
}

/** A row of the table. */
export type TodayRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<keyof TodayRow, Column>> = {
  host: { unit: "", description: "simulated host" },
  policy: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  cores: { unit: "cores", description: "cores that run the workload" },
  replication: { unit: "", description: "number of the independent run" },
  throughput: { unit: "1/s", description: "transactions answered" },
  perCore: { unit: "1/s", description: "the same for each core" },
  stack: { unit: "share", description: "cores' time in the network stack" },
  spinning: { unit: "share", description: "cores' time waiting for locks" },
  tree: { unit: "share", description: "cores' time in the IOVA allocator" },
  pageTable: { unit: "share", description: "cores' time in the page table, and copying" },
  invalidation: { unit: "share", description: "cores' time in invalidations and their queues" },
  api: { unit: "share", description: "cores' time in the calls' checks, and in page_pool" },
  waiting: { unit: "share", description: "cores' time with nothing to do" },
  lock: { unit: "", description: "kind of lock that is waited for most" },
  lockShare: { unit: "share", description: "cores' time waiting for that kind" },
  acquisitions: { unit: "", description: "locks taken for each transaction" },
  visits: { unit: "nodes", description: "nodes that an allocation looks at" },
  invalidations: { unit: "", description: "invalidations for each unmap" },
  stalePages: { unit: "pages", description: "in the device's reach after their unmap, mean at a time" },
  stalePeak: { unit: "pages", description: "the same, most" },
  windowMean: { unit: "µs", description: "from an unmap's return to its invalidation, mean" },
  windowMax: { unit: "µs", description: "the same, longest" },
  irqOffMax: { unit: "µs", description: "longest time with interrupts off under a lock" },
  memory: { unit: "KiB", description: "tables, nodes, caches, rings and copies, beside the buffers" },
  failedMaps: { unit: "", description: "maps that got no address" },
  simulated: { unit: "µs", description: "simulated time of the measurement" },
};
