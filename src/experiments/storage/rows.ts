import { variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { simulateIo } from "../../host/index.js";
import { machineConfig } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import { mostWaitedFor } from "../frame/locks.js";
import type { ColumnName } from "../frame/rows.js";
import type { StoragePoint } from "./config.js";

const pageKiB = 4;

/** Runs one point. */
export function simulate({ load, report, role, pages, run, io }: StoragePoint, { facts }: Basis) {
  const result = simulateIo(run, io, facts);
  const cycles = result.elapsedNs * machineConfig(facts, run.machine).gigahertz * run.cores;
  const tree = result.locks.find(({ name }) => name === "iova_rbtree_lock");
  return [
    {
      ...(report === "" ? {} : { report, role }),
      host: run.machine,
      load,
      policy: run.variant,
      title: variant(run.variant).title,
      cores: run.cores,
      sizeKiB: pages * pageKiB,
      linkGbps: io.link?.gbps ?? 0,
      rate: result.rate,
      gbps: (result.rate * pages * pageKiB * 1024 * 8) / 1e9,
      busyCores: run.cores * (1 - result.parts.waiting),
      mapNs: result.mapNs,
      unmapNs: result.unmapNs,
      hardwareShare: result.hardwareShare,
      invalidations: result.counts.invalidations / result.requests,
      treeLocks: (tree?.acquisitions ?? 0) / result.requests,
      visits: result.visits,
      depotsAtStart: result.depotsAtStart,
      depots: result.depots,
      memory: result.magazines,
      ...mostWaitedFor(result.locks, cycles),
      stalePages: result.stalePages,
      windowMean: result.windowNs / 1000,
      windowMost: result.windowMostNs / 1000,
      aged: io.aged?.requests ?? 0,
      failedMaps: result.counts.failedMaps,
    },
  ];
}

/** A row of the table. */
export type StorageRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<StorageRow>, Column>> = {
  report: { unit: "", description: "public report" },
  role: { unit: "", description: "the fault, or its cure" },
  host: { unit: "", description: "simulated host" },
  load: { unit: "", description: "load" },
  policy: { unit: "", description: "way of mapping" },
  title: { unit: "", description: "the same, as figures name it" },
  cores: { unit: "cores", description: "cores that make requests" },
  sizeKiB: { unit: "KiB", description: "size of a request" },
  linkGbps: { unit: "Gb/s", description: "rate of the device's link" },
  rate: { unit: "1/s", description: "requests completed" },
  gbps: { unit: "Gb/s", description: "the same in data" },
  busyCores: { unit: "cores", description: "cores that are not idle, on average" },
  mapNs: { unit: "ns", description: "mapping a request" },
  unmapNs: { unit: "ns", description: "unmapping it, waits and flushes included" },
  hardwareShare: { unit: "share", description: "of the unmaps' time: waiting for an invalidation itself" },
  invalidations: { unit: "", description: "invalidations for each request" },
  treeLocks: { unit: "", description: "acquisitions of the tree's lock for each request" },
  visits: { unit: "nodes", description: "nodes of the tree that a search steps on, for each request" },
  depotsAtStart: { unit: "magazines", description: "in the depots when the measurement begins" },
  depots: { unit: "magazines", description: "in the depots when it ends" },
  memory: { unit: "KiB", description: "magazines that exist, of a KiB each" },
  lock: { unit: "", description: "lock that is waited for most" },
  lockShare: { unit: "share", description: "cores' time waiting for it" },
  stalePages: { unit: "pages", description: "in the device's reach after their unmap, mean at a time" },
  windowMean: { unit: "µs", description: "from an unmap's return to its invalidation, mean" },
  windowMost: { unit: "µs", description: "the same, longest" },
  aged: { unit: "requests", description: "served before, outside simulated time" },
  failedMaps: { unit: "", description: "maps that got no address" },
};
