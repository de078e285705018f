import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOf } from "./claims.js";
import { Config, type FlushingPoint, points } from "./config.js";
import { delivered, missesFigure, timeFigure, visibility } from "./figures.js";
import { type FlushingRow, simulate } from "./rows.js";

export { type InferredMiss, inferMissNs, type MissCounters } from "./counters.js";
export type { FlushingPoint, FlushingRow };

// Question: what should a flush invalidate, if a card's own transfers go through the caches that it empties?

/** A card's packets through the real translation hardware, while cores map, unmap and invalidate by a rule. */
export const flushing: Experiment<typeof Config, FlushingPoint, FlushingRow> = defineExperiment({
  name: "flushing",
  place: [7, 3],
  title: "What to flush",
  question: "Page by page, joined ranges, the domain or everything: which flush lets a host take the most packets?",
  config: Config,
  points,
  label: ({ run, replication }) =>
    `${run.host.variant}${run.host.ats ? ", ATS" : ""}, ${run.nic.gbps} Gb/s, run ${replication + 1}`,
  simulate,
  columns: {
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
  },
  figures: {
    delivered: (rows) => delivered(rows, false),
    "delivered-ats": (rows) => delivered(rows, true),
    misses: missesFigure,
    time: timeFigure,
    visibility,
  },
  claims: (rows, _, facts) => claimsOf(rows, facts),
});
