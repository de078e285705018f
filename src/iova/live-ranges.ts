/**
 * Which ranges are handed out: the check that an allocator which keeps no record of its own needs, so that a wrong unmap is an error and
 * never a wrong result. It is no part of what Linux does, touches no simulated memory and costs no simulated time.
 */
import { IovaError } from "./allocator.js";

const chunkBits = 12;
const chunkSize = 1 << chunkBits;

export class LiveRanges {
  private readonly chunks = new Map<number, Int32Array>();
  private lastKey = -1;
  private lastChunk: Int32Array = new Int32Array(0);

  /** Ranges in it. */
  live = 0;
  peak = 0;

  /** Enters a range. */
  add(pfn: number, pages: number): void {
    const chunk = this.chunk(pfn);
    const at = pfn % chunkSize;
    if (chunk[at] !== 0) throw new IovaError(`pfn ${pfn} was handed out twice: the allocator's data is broken.`);
    chunk[at] = pages;
    if (++this.live > this.peak) this.peak = this.live;
  }

  /**
   * Strikes a range out.
   * @returns false where no range starts at the pfn
   * @throws IovaError where the range that starts there has another length
   */
  remove(pfn: number, pages: number): boolean {
    const chunk = this.chunk(pfn);
    const at = pfn % chunkSize;
    const mapped = chunk[at];
    if (mapped === 0) return false;
    if (mapped !== pages) {
      throw new IovaError(
        `An unmap of ${pages} pages at pfn ${pfn}, where ${mapped} were mapped: nothing was changed. ` +
          "This allocator keeps no lengths and needs the one that was mapped.",
      );
    }
    chunk[at] = 0;
    this.live--;
    return true;
  }

  private chunk(pfn: number): Int32Array {
    const key = Math.floor(pfn / chunkSize);
    if (key === this.lastKey) return this.lastChunk;
    let chunk: Int32Array | undefined = this.chunks.get(key);
    if (!chunk) this.chunks.set(key, (chunk = new Int32Array(chunkSize)));
    this.lastKey = key;
    this.lastChunk = chunk;
    return chunk;
  }
}

/** Counts what is handed out and believes the caller: for a replay, which knows what it mapped and how long it is. */
export class CountedRanges extends LiveRanges {
  override add(): void {
    if (++this.live > this.peak) this.peak = this.live;
  }

  override remove(): boolean {
    this.live--;
    return true;
  }
}
