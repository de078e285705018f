import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type PacketResult, simulatePackets } from "../../host/index.js";
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
