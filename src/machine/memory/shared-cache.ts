/**
 * The last-level cache of one socket: set-associative, true least recently used, any number of sets and ways.
 *
 * Where a line lies is kept by the directory (one slot number a line and socket), so that a hit needs no search. The order of use is a
 * stamp a line: a hit is one write, in an array as dense as the lines in use, and only an eviction looks at the whole set.
 */
export class SharedCache {
  /** The line in each slot, or -1. */
  readonly tags: Int32Array;
  /** When each line was last used here. A double counts further than any run. */
  private stamps: Float64Array = new Float64Array(0);
  private now = 0;

  constructor(
    readonly sets: number,
    readonly ways: number,
  ) {
    this.tags = new Int32Array(sets * ways).fill(-1);
  }

  /** Makes room for the stamps of this many lines of memory. */
  reserve(lines: number): void {
    const grown = new Float64Array(lines);
    grown.set(this.stamps);
    this.stamps = grown;
  }

  /** Marks a line that the cache holds as just used. */
  use(line: number): void {
    this.stamps[line] = ++this.now;
  }

  /** The slot that a new line takes: an empty one or the least recently used of its set, among the first `ways` ways. */
  victimSlot(line: number, ways: number): number {
    const first = (line % this.sets) * this.ways;
    const tags = this.tags;
    const stamps = this.stamps;
    let slot = first;
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = first; i < first + ways; i++) {
      const held = tags[i];
      if (held < 0) return i;
      if (stamps[held] < oldest) {
        oldest = stamps[held];
        slot = i;
      }
    }
    return slot;
  }

  /** Puts a line into a slot. */
  put(slot: number, line: number): void {
    this.tags[slot] = line;
    this.stamps[line] = ++this.now;
  }

  /** Empties a slot. */
  clear(slot: number): void {
    this.tags[slot] = -1;
  }
}
