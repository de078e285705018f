/**
 * The last-level cache of one socket: set-associative, true least recently used, any number of sets and ways.
 *
 * Where a line lies is kept by the directory (one slot number a line and socket), so that a hit needs no search; the order of use is a
 * stamp a slot, so that a hit is one write and only an eviction looks at the whole set. An empty slot has stamp 0 and is filled first.
 */
export class SharedCache {
  /** The line in each slot, or -1. */
  readonly tags: Int32Array;
  /** When each slot was last used; 0 where it is empty. A double counts further than any run. */
  readonly stamps: Float64Array;
  private now = 0;

  constructor(
    readonly sets: number,
    readonly ways: number,
  ) {
    this.tags = new Int32Array(sets * ways).fill(-1);
    this.stamps = new Float64Array(sets * ways);
  }

  /** Marks a slot as just used. */
  use(slot: number): void {
    this.stamps[slot] = ++this.now;
  }

  /** The slot that a new line takes: the least recently used one of its set, among the first `ways` ways. */
  victimSlot(line: number, ways: number): number {
    const first = (line % this.sets) * this.ways;
    const stamps = this.stamps;
    let slot = first;
    let oldest = stamps[first];
    for (let i = first + 1; i < first + ways; i++) {
      if (stamps[i] < oldest) {
        oldest = stamps[i];
        slot = i;
      }
    }
    return slot;
  }

  /** Puts a line into a slot. */
  put(slot: number, line: number): void {
    this.tags[slot] = line;
    this.stamps[slot] = ++this.now;
  }

  /** Empties a slot. */
  clear(slot: number): void {
    this.tags[slot] = -1;
    this.stamps[slot] = 0;
  }
}
