/** What a link can carry at best, by arithmetic: the published model of PCIe (records PCIE1 to PCIE3). */
import { type LinkConfig, tlpGbps } from "./link.js";
import { completionBytes, postedWrites, readRequestBytes, readRequests, writeOverhead } from "./tlp.js";

/** Which way the data goes, seen from the device: a read fetches from memory, a write posts to it. */
export type DmaDirection = "read" | "write";

/**
 * The highest data rate in Gb/s of back-to-back aligned DMAs of one size in one direction, nothing else on the link.
 * @example linkGbps(pcieLink(3, 16), "write", 64) // 82.69
 */
export function linkGbps(link: LinkConfig, direction: DmaDirection, bytes: number): number {
  const rate = tlpGbps(link);
  if (direction === "write") {
    const wire = postedWrites(link, 0, bytes).reduce((sum, tlp) => sum + tlp.bytes + writeOverhead(link), 0);
    return (rate * bytes) / wire;
  }
  const requests = readRequests(link, 0, bytes);
  const down = requests.reduce((sum, request) => sum + completionBytes(link, request), 0);
  const up = requests.length * readRequestBytes(link);
  return (rate * bytes) / Math.max(down, up);
}

/** The highest data rate in Gb/s with `tags` reads of `bytes` in flight and `latencyNs` from request to last byte (Little's law). */
export function tagsGbps(tags: number, bytes: number, latencyNs: number): number {
  return (tags * bytes * 8) / latencyNs;
}
