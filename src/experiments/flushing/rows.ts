import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type PacketResult, simulatePackets } from "../../host/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { FlushingPoint } from "./config.js";
import { countersOf, inferMissNs } from "./counters.js";

/** The number of others that half of the addresses that came back had waited for, at most. */
function medianBetween({ again, between }: PacketResult["reuse"]): number {
  let seen = 0;
  for (const [bucket, count] of between.entries()) {
    seen += count ?? 0;
    if (seen * 2 >= again && again > 0) return bucket === 0 ? 0 : (1 << bucket) - 1;
  }
  return 0;
}

/** Runs a point and makes its row. */
export function simulate({ run, replication }: FlushingPoint, { facts }: Basis) {
  const result = simulatePackets(run, facts);
  const { nic, port, counts, parts, reuse } = result;
  const packets = Math.max(1, nic.received + nic.sent);
  const misses = port ? port.misses[0] + port.misses[1] : 0;
  const depth = (reads: number): number =>
    result.unit && result.before ? result.unit.walksByDepth[reads] - result.before.walksByDepth[reads] : 0;
  const walks = Math.max(1, depth(1) + depth(2) + depth(3) + depth(4));
  const counters = countersOf(result);
  return [
    {
      variant: run.host.variant,
      title: variant(run.host.variant).title,
      ats: run.host.ats,
      gbps: run.nic.gbps,
      cores: run.host.cores,
      replication,
      offered: result.offeredGbps,
      inGbps: result.inGbps,
      outGbps: result.outGbps,
      lost: 1 - result.inGbps / Math.max(1e-9, result.offeredGbps),
      lostInCard: nic.lostInCard / Math.max(1, nic.arrived),
      lostWithoutBuffer: nic.lostWithoutBuffer / Math.max(1, nic.arrived),
      ringMisses: port ? port.misses[0] / packets : 0,
      bufferMisses: port ? port.misses[1] / packets : 0,
      walkReads: port ? (depth(1) + 2 * depth(2) + 3 * depth(3) + 4 * depth(4)) / walks : 0,
      walks1: depth(1) / packets,
      walks2: depth(2) / packets,
      walks3: depth(3) / packets,
      walks4: depth(4) / packets,
      walkNs: port && port.walks > 0 ? port.walkPs / port.walks / 1000 : 0,
      missNs: misses > 0 && port ? port.missPs / misses / 1000 : 0,
      transferNs: nic.transferPs / Math.max(1, nic.ringTransfers + nic.bufferTransfers) / 1000,
      stalled: nic.stalledPs / (result.nanoseconds * 1000),
      invalidations: counts.invalidations / packets,
      invalidating: parts.invalidation,
      spinning: parts.spinning,
      waiting: parts.waiting,
      again: reuse.again / Math.max(1, reuse.maps),
      between: medianBetween(reuse),
      stale: port?.stale ?? 0,
      faults: port?.faults ?? 0,
      stalePages: result.staleMean,
      pinnedMean: result.pinned.mean,
      tableKiB: result.tableCount * 4,
      transfers: nic.ringTransfers + nic.bufferTransfers,
      ...counters,
      ...inferMissNs(counters, run),
    },
  ];
}

/** A row of the table. */
export type FlushingRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<FlushingRow>, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  ats: { unit: "", description: "the card caches translations" },
  gbps: { unit: "Gb/s", description: "rate of the wire" },
  cores: { unit: "cores", description: "cores, each with a queue" },
  replication: { unit: "", description: "number of the independent run" },
  offered: { unit: "Gb/s", description: "packets' data that came over the wire" },
  inGbps: { unit: "Gb/s", description: "received" },
  outGbps: { unit: "Gb/s", description: "sent" },
  lost: { unit: "1", description: "share of what was offered that was not received" },
  lostInCard: { unit: "1", description: "share of packets lost because the card was full" },
  lostWithoutBuffer: { unit: "1", description: "share of packets lost because the ring had no buffer" },
  ringMisses: { unit: "1", description: "misses of descriptor rings, per packet in either direction" },
  bufferMisses: { unit: "1", description: "misses of buffers, per packet" },
  walkReads: { unit: "1", description: "table entries read by a walk, mean" },
  walks1: { unit: "1", description: "walks of one read, per packet" },
  walks2: { unit: "1", description: "walks of two reads, per packet" },
  walks3: { unit: "1", description: "walks of three reads, per packet" },
  walks4: { unit: "1", description: "walks of four reads, per packet" },
  walkNs: { unit: "ns", description: "time of a walk, mean" },
  missNs: { unit: "ns", description: "time from a miss to its translation, mean" },
  transferNs: { unit: "ns", description: "time of a transfer, from the card and back, mean" },
  stalled: { unit: "1", description: "share of the time in which the card waited for the link's credits" },
  invalidations: { unit: "1", description: "invalidations per packet" },
  invalidating: { unit: "1", description: "share of the cores' time in invalidations and their polls" },
  spinning: { unit: "1", description: "share of the cores' time spinning on locks" },
  waiting: { unit: "1", description: "share of the cores' time with nothing to do" },
  again: { unit: "1", description: "share of maps whose address was mapped before in the run" },
  between: { unit: "maps", description: "other maps between two of one address: half have at most so many" },
  stale: { unit: "", description: "cached translations used that the table did not have any more" },
  faults: { unit: "", description: "requests whose page was not mapped" },
  stalePages: { unit: "pages", description: "unmapped pages not yet flushed, mean at a time" },
  pinnedMean: { unit: "pages", description: "pages held after their owner gave them up, mean at a time" },
  tableKiB: { unit: "KiB", description: "memory of the page tables at the end" },
  transfers: { unit: "", description: "DMA transfers in the measurement" },
  iommu_clocks: { unit: "ns", description: "counter: time" },
  iotlb_lookup: { unit: "", description: "counter: IOTLB lookups" },
  iotlb_hit: { unit: "", description: "counter: of them, hits" },
  ss_nonleaf_lookup: { unit: "", description: "counter: lookups of the paging-structure caches" },
  ss_nonleaf_hit: { unit: "", description: "counter: of them, hits" },
  iommu_mrds: { unit: "", description: "counter: reads of memory by walks" },
  pw_occupancy: { unit: "ns", description: "counter: walks under way, summed over time" },
  inferredByReads: { unit: "ns", description: "cost of a miss: reads times the time of one" },
  inferredByOccupancy: { unit: "ns", description: "cost of a miss: walk occupancy over walks" },
  inferredWithQueue: { unit: "ns", description: "the same, with the wait for a walker" },
};
