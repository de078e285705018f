/**
 * A PCI Express link: how many bits a second are left for transaction-layer packets (TLPs).
 *
 * Raw rate: transfers a second × lanes × line code. Off that go the data-link packets that the specification recommends (one ACK and
 * one flow-control update an "ACK limit" of bytes) and the SKIP ordered sets for clock compensation. Records PCIE1 and PCIE4.
 */

/** Generation of the link: 1 to 5. */
export type PcieGeneration = 1 | 2 | 3 | 4 | 5;
/** Lanes. */
export type PcieWidth = 1 | 2 | 4 | 8 | 16;

/** A link and the limits negotiated on it. Sizes in bytes. */
export interface LinkConfig {
  generation: PcieGeneration;
  width: PcieWidth;
  /** Maximum payload size: of a write, and of a completion. */
  mps: number;
  /** Maximum read request size. */
  mrrs: number;
  /** Read completion boundary: a completion may end only there, or at the request's end. */
  rcb: number;
  /** Size of the addresses in request headers. */
  addressBits: 32 | 64;
  /** An end-to-end checksum of 4 bytes a TLP. */
  ecrc: boolean;
  /**
   * Whether the root complex merges read data up to MPS, or returns it in pieces of RCB; "short": in pieces of RCB for requests of at most MPS,
   * which it answers line by line as they come, and merged for longer ones, whose lines wait for the link.
   */
  completions: "mps" | "rcb" | "short";
}

/** The link of the published model: 64-bit addresses, no ECRC, MPS 256, MRRS 512, RCB 64, completions of up to MPS (record PCIE2). */
export function pcieLink(
  generation: PcieGeneration,
  width: PcieWidth,
  overrides: Partial<Omit<LinkConfig, "generation" | "width">> = {},
): LinkConfig {
  const link: LinkConfig = {
    mps: 256,
    mrrs: 512,
    rcb: 64,
    addressBits: 64,
    ecrc: false,
    completions: "mps",
    ...overrides,
    generation,
    width,
  };
  for (const [field, value, accepted] of [
    ["mps", link.mps, payloadSizes],
    ["mrrs", link.mrrs, payloadSizes],
    ["rcb", link.rcb, [64, 128]],
  ] as const) {
    if (!(accepted as readonly number[]).includes(value)) {
      throw new RangeError(`${field}: ${value} bytes; accepted are ${accepted.join(", ")}`);
    }
  }
  return link;
}

/** The sizes that MPS and MRRS may have, in bytes. */
export const payloadSizes: readonly number[] = [128, 256, 512, 1024, 2048, 4096];

const gigatransfers: Record<PcieGeneration, number> = { 1: 2.5, 2: 5, 3: 8, 4: 16, 5: 32 };

/** The raw rate of one direction, in Gb/s, after the line code (8b/10b up to Gen2, 128b/130b from Gen3). */
export function rawGbps(link: LinkConfig): number {
  const code = link.generation <= 2 ? 8 / 10 : 128 / 130;
  return gigatransfers[link.generation] * code * link.width;
}

/** Internal delay in symbol times by generation: PCIe base specification, the tables of ACK transmission latency limits. */
const internalDelay: Record<PcieGeneration, number> = { 1: 19, 2: 70, 3: 115, 4: 115, 5: 115 };

/** The ACK factor of the same tables: how many packets may share one ACK, by width and payload. */
function ackFactor(width: PcieWidth, mps: number): number {
  if (width <= 4) return mps <= 256 ? 1.4 : 1;
  if (width === 8) return mps <= 256 ? 2.5 : 1;
  return mps <= 256 ? 3 : 2;
}

/**
 * Bytes of TLPs between two ACKs, and between two flow-control updates: (MPS + 28) × factor / lanes + internal delay, rounded down.
 * @example ackLimitBytes(pcieLink(3, 8)) // 203
 */
export function ackLimitBytes(link: LinkConfig): number {
  const bytes = ((link.mps + 28) * ackFactor(link.width, link.mps)) / link.width + internalDelay[link.generation];
  return Math.floor(bytes);
}

/** Data-link packets: 6 bytes and 2 of physical framing. One SKIP set of 4 symbols every 1538. */
const dllpBytes = 8;
const skipShare = 4 / 1538;

/** What TLPs can use of one direction, in Gb/s: raw, less ACKs, flow-control updates and SKIP sets. Record PCIE1. */
export function tlpGbps(link: LinkConfig): number {
  return rawGbps(link) * (1 - (2 * dllpBytes) / ackLimitBytes(link) - skipShare);
}

/** Picoseconds that some bytes of TLPs occupy one direction of the link, rounded to a whole picosecond (at least one). */
export function wirePs(link: LinkConfig, bytes: number): number {
  return psAt(tlpGbps(link), bytes);
}

/** The same at a rate in Gb/s that {@link tlpGbps} has given. */
export function psAt(gbps: number, bytes: number): number {
  return Math.max(1, Math.round((bytes * 8000) / gbps));
}
