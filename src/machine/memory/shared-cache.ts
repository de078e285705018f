/**
 * The last-level cache of one socket: set-associative, true least recently used, any number of sets and ways.
 *
 * Where a line lies is kept by the directory (one slot number a line and socket), so that a hit needs no search. The order of use is a
 * stamp a slot: a hit is one write, and only an eviction looks at the whole set, whose tags and stamps lie together.
 */
export class SharedCache {
  /** The line in each slot, or -1. */
  readonly tags: Int32Array;
  /** When each slot's line was last used. A double counts further than any run. */
  private readonly stamps: Float64Array;
  private now = 0;

  constructor(
    readonly sets: number,
    readonly ways: number,
  ) {
    this.tags = new Int32Array(sets * ways).fill(-1);
    this.stamps = new Float64Array(sets * ways);
  }

  /** Marks a slot's line as just used. */
  use(slot: number): void {
    this.stamps[slot] = ++this.now;
  }

  /** The slot that a new line takes: an empty one or the least recently used of its set, among the first `ways` ways. */
  victimSlot(line: number, ways: number): number {
    const first = (line % this.sets) * this.ways;
    const tags = this.tags;
    const stamps = this.stamps;
    let slot = first;
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = first; i < first + ways; i++) {
      if (tags[i] < 0) return i;
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
  }
}
