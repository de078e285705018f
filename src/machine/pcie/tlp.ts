/**
 * Transaction-layer packets: how a DMA becomes requests, how its data comes back, and what each costs in bytes on the wire.
 * Header sizes are record PCIE4.
 */
import type { LinkConfig } from "./link.js";

/** Physical framing and data-link sequence number and checksum, a TLP. */
const framingBytes = 8;
/** The part of a TLP header common to all kinds. */
const headerBytes = 4;

const digest = (link: LinkConfig): number => (link.ecrc ? 4 : 0);
const requestHeader = (link: LinkConfig): number => (link.addressBits === 64 ? 12 : 8);

/** Bytes on the wire around the payload of a memory write (MWr). 24 with 64-bit addresses. */
export function writeOverhead(link: LinkConfig): number {
  return framingBytes + headerBytes + requestHeader(link) + digest(link);
}

/** Bytes on the wire of a memory read request (MRd), which carries no data. 24 with 64-bit addresses. */
export function readRequestBytes(link: LinkConfig): number {
  return framingBytes + headerBytes + requestHeader(link) + digest(link);
}

/** Bytes on the wire around the payload of a completion with data (CplD). */
export function completionOverhead(link: LinkConfig): number {
  return framingBytes + headerBytes + 8 + digest(link);
}

/** A piece of a DMA: where it starts and how long it is. */
export interface Piece {
  address: number;
  bytes: number;
}

/** Cuts a range at multiples of `boundary`, which never lets a piece cross a 4 KiB page (boundaries are at most 4096). */
function cut(address: number, bytes: number, boundary: number): Piece[] {
  const pieces: Piece[] = [];
  const end = address + bytes;
  for (let at = address; at < end; ) {
    const next = Math.min(end, at - (at % boundary) + boundary);
    pieces.push({ address: at, bytes: next - at });
    at = next;
  }
  return pieces;
}

/**
 * The read requests of a DMA: cut at MRRS, so that none crosses a 4 KiB boundary.
 * @throws RangeError when the DMA has no bytes.
 */
export function readRequests(link: LinkConfig, address: number, bytes: number): Piece[] {
  if (!(bytes > 0)) throw new RangeError(`bytes: a DMA of ${bytes} bytes; at least 1 is needed`);
  return cut(address, bytes, link.mrrs);
}

/**
 * The posted writes of a DMA: cut at MPS.
 * @throws RangeError when the DMA has no bytes.
 */
export function postedWrites(link: LinkConfig, address: number, bytes: number): Piece[] {
  if (!(bytes > 0)) throw new RangeError(`bytes: a DMA of ${bytes} bytes; at least 1 is needed`);
  return cut(address, bytes, link.mps);
}

/** The completions of one read request: pieces that end on MPS boundaries, or on RCB boundaries where the host does not merge. */
export function completionsOf(link: LinkConfig, request: Piece): Piece[] {
  const merged = link.completions === "mps" || (link.completions === "short" && request.bytes > link.mps);
  return cut(request.address, request.bytes, merged ? link.mps : link.rcb);
}

/** Bytes on the wire of all completions of one read request. */
export function completionBytes(link: LinkConfig, request: Piece): number {
  return request.bytes + completionsOf(link, request).length * completionOverhead(link);
}

/** Posted-credit cost of a write: one header credit, and a data credit for each 16 bytes begun. */
export function dataCredits(bytes: number): number {
  return Math.ceil(bytes / 16);
}
