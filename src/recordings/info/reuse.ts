import { LogHistogram } from "./histogram.js";

const mostAddresses = 200_000;

/**
 * How soon an address is mapped again after its unmap, counted in requests: 1 is the next one that is mapped. A cache of n addresses can serve
 * distances up to n.
 *
 * Beyond 200,000 unmapped addresses only a share of them is followed, chosen by a hash of the address: constant memory, and the same
 * distribution.
 */
export class ReuseDistance {
  private readonly left = new Map<number, number>();
  private limit = 0x1_0000_0000;
  private maps = 0;
  readonly distances = new LogHistogram();
  /** Maps of followed addresses that had not been unmapped in the recording. */
  first = 0;

  /** Share of the addresses that is followed, 0 to 1. */
  get followed(): number {
    return this.limit / 0x1_0000_0000;
  }

  /** A request is mapped. */
  map(device: number, pfn: number): void {
    this.maps++;
    if (hash(device, pfn) >= this.limit) return;
    const key = keyOf(device, pfn);
    const unmapped = this.left.get(key);
    if (unmapped === undefined) {
      this.first++;
      return;
    }
    this.distances.add(this.maps - unmapped);
    this.left.delete(key);
  }

  /** A request is unmapped. */
  unmap(device: number, pfn: number): void {
    if (hash(device, pfn) >= this.limit) return;
    this.left.set(keyOf(device, pfn), this.maps);
    if (this.left.size <= mostAddresses) return;
    this.limit /= 2;
    for (const key of this.left.keys()) if (hashOf(key) >= this.limit) this.left.delete(key);
  }
}

/** Pages above 2^44 of different devices may share a key: such addresses are rare, and a distance is a statistic. */
const keyOf = (device: number, pfn: number): number => (device % 256) * 0x1000_0000_0000 + (pfn % 0x1000_0000_0000);
const hash = (device: number, pfn: number): number => hashOf(keyOf(device, pfn));

function hashOf(key: number): number {
  let h = Math.imul((key % 0x1_0000_0000) | 0, 0x9e3779b1) ^ Math.imul(Math.floor(key / 0x1_0000_0000), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}
