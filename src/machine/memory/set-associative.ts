/**
 * A set-associative cache with true least-recently-used replacement, one for each of several cores, holding line numbers only.
 *
 * Layout: eight tags a set (unused ways hold -1) and one 32-bit word a set that lists the ways from most to least recently used, four
 * bits a way. Touching a line moves its way to the front of that word with a handful of integer operations, whatever the number of ways;
 * `npm run bench:engine` shows the cost of a hit. Invalid ways are always at the back, so they are filled first.
 */
export const maxPrivateWays = 8;

const identityOrder = 0x76543210;

export class SetAssociative {
  /** Tags by core, set and way; -1 where nothing is held. */
  readonly tags: Int32Array;
  private readonly order: Int32Array;
  private readonly setMask: number;
  private readonly lruShift: number;
  private readonly keepMask: number;
  private readonly oldMask: number;

  /**
   * @param cores how many private caches
   * @param sets sets of each, a power of two
   * @param ways lines a set, 1 to 8
   */
  constructor(
    cores: number,
    readonly sets: number,
    readonly ways: number,
  ) {
    this.tags = new Int32Array(cores * sets * maxPrivateWays).fill(-1);
    this.order = new Int32Array(cores * sets).fill(identityOrder);
    this.setMask = sets - 1;
    this.lruShift = 4 * (ways - 1);
    this.keepMask = (1 << this.lruShift) - 1;
    this.oldMask = ways === maxPrivateWays ? 0 : -1 << (4 * ways);
  }

  /** Whether the core's cache holds the line; a line that is held becomes the most recently used of its set. */
  touch(core: number, line: number): boolean {
    const set = core * this.sets + (line & this.setMask);
    const order = this.order[set];
    const tags = this.tags;
    const base = set << 3;
    if (tags[base + (order & 7)] === line) return true;
    let way: number;
    if (tags[base] === line) way = 0;
    else if (tags[base + 1] === line) way = 1;
    else if (tags[base + 2] === line) way = 2;
    else if (tags[base + 3] === line) way = 3;
    else if (tags[base + 4] === line) way = 4;
    else if (tags[base + 5] === line) way = 5;
    else if (tags[base + 6] === line) way = 6;
    else if (tags[base + 7] === line) way = 7;
    else return false;
    // The nibble that equals `way` becomes 0 in `x`; no nibble exceeds 7, so adding 7 sets bit 3 of every other one without a carry.
    const x = order ^ (way * 0x11111111);
    const bit = (~(x + 0x77777777) & 0x88888888) >>> 3;
    this.order[set] = (order & -(bit << 4)) | ((order & (bit - 1)) << 4) | way;
    return true;
  }

  /** Whether the core's cache holds the line, without touching it. */
  has(core: number, line: number): boolean {
    const tags = this.tags;
    const base = (core * this.sets + (line & this.setMask)) << 3;
    return (
      tags[base] === line ||
      tags[base + 1] === line ||
      tags[base + 2] === line ||
      tags[base + 3] === line ||
      tags[base + 4] === line ||
      tags[base + 5] === line ||
      tags[base + 6] === line ||
      tags[base + 7] === line
    );
  }

  /** Puts a line that is not held into the place of the least recently used one; returns the line evicted, or -1. */
  fill(core: number, line: number): number {
    const set = core * this.sets + (line & this.setMask);
    const order = this.order[set];
    const way = (order >>> this.lruShift) & 7;
    this.order[set] = (order & this.oldMask) | ((order & this.keepMask) << 4) | way;
    const slot = (set << 3) + way;
    const victim = this.tags[slot];
    this.tags[slot] = line;
    return victim;
  }

  /** Removes a line if it is held; its way becomes the first to be filled. */
  remove(core: number, line: number): boolean {
    const set = core * this.sets + (line & this.setMask);
    const base = set << 3;
    for (let way = 0; way < this.ways; way++) {
      if (this.tags[base + way] !== line) continue;
      this.tags[base + way] = -1;
      const order = this.order[set];
      let kept = 0;
      let place = 0;
      for (let p = 0; p < this.ways; p++) {
        const w = (order >>> (4 * p)) & 7;
        if (w !== way) kept |= w << (4 * place++);
      }
      this.order[set] = (order & this.oldMask) | kept | (way << (4 * place));
      return true;
    }
    return false;
  }
}
