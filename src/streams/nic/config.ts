import type { LinkConfig } from "../../machine/index.js";

/** A network card on its link, and how it works. */
export interface NicConfig {
  /** Rate of the wire, in each direction. */
  gbps: number;
  /** Bytes of a packet in memory. On the wire come {@link wireBytes} more. */
  packetBytes: number;
  /** Pairs of a receive and a transmit queue. */
  queues: number;
  link: LinkConfig;
  /** From the end of a request on the link to the remapping unit; from translation to data or commitment; from there to the device. */
  toUnitPs: number;
  memoryPs: number;
  toDevicePs: number;
  /** Read requests in flight; posted header credits; posted data credits of 16 bytes. */
  tags: number;
  postedHeaders: number;
  postedData: number;
  /** What waits in the card for the link: a packet that finds no room is lost. */
  fifoBytes: number;
  descriptorBytes: number;
  /** Descriptors that the card fetches at once, and that it reports at once. */
  fetchBatch: number;
  writeBackBatch: number;
  /** Entries of the card's own translation cache (ATS); 0 where it has none. */
  deviceTlbEntries: number;
  /** Packets come in at this share of the wire's rate; 0: none do. */
  offered: number;
  /** Packets come in for the first so many queues (default: all). */
  receivingQueues?: number;
}

/** Bytes of a packet that are on the wire and not in memory: preamble, checksum, gap (IEEE 802.3). */
export const wireBytes = 24;

/** Whom the card tells of its work. */
export interface NicDriver {
  /** So many packets of a receive queue lie in memory, and the ring says so. */
  received(queue: number, count: number): void;
  /** So many buffers of a transmit queue were fetched, and the ring says so. */
  sent(queue: number, count: number): void;
}

/** What a card did, since the last reset. */
export interface NicCounts {
  /** Packets that came over the wire, and those of them that were lost: no room in the card, no buffer in the ring. */
  arrived: number;
  lostInCard: number;
  lostWithoutBuffer: number;
  /** Packets whose data is in memory, and packets sent; their bytes. */
  received: number;
  sent: number;
  receivedBytes: number;
  sentBytes: number;
  /** DMA transfers: fetches and write-backs of descriptors, data of packets; translation requests (ATS). */
  ringTransfers: number;
  bufferTransfers: number;
  translationRequests: number;
  deviceTlbHits: number;
  /** Sum of the times from a transfer's issue to its end, picoseconds. */
  transferPs: number;
  /** Time for which something waited in the card for a posted credit. */
  stalledPs: number;
}

/** Counts of nothing. */
export const noNicCounts = (): NicCounts => ({
  arrived: 0,
  lostInCard: 0,
  lostWithoutBuffer: 0,
  received: 0,
  sent: 0,
  receivedBytes: 0,
  sentBytes: 0,
  ringTransfers: 0,
  bufferTransfers: 0,
  translationRequests: 0,
  deviceTlbHits: 0,
  transferPs: 0,
  stalledPs: 0,
});
