/**
 * The order of use of a set-associative cache, one cache for each of several cores: true least recently used.
 *
 * Layout: eight tags a set (unused ways hold -1) and one 32-bit word a set that lists the ways from most to least recently used, four
 * bits a way. Using a way moves it to the front of that word in a handful of integer operations without a branch, whatever the number of
 * ways. Which way holds a line is the machine's business (it keeps it by core and line), so that nothing is ever searched;
 * `npm run bench:engine` shows the cost of a hit. Empty ways are always at the back, so they are filled first.
 */
export const maxPrivateWays = 8;

const identityOrder = 0x76543210;

export class SetAssociative {
  /** The line in each way of each set of each core; -1 where it is empty. */
  private readonly tags: Int32Array;
  private readonly order: Int32Array;
  private readonly setMask: number;
  private readonly lruShift: number;
  private readonly keepMask: number;
  private readonly oldMask: number;
  /** The line that the last {@link fill} evicted, or -1. */
  victim = -1;

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

  /** The line is in this way and was used: it becomes the most recently used of its set. */
  use(core: number, line: number, way: number): void {
    const set = core * this.sets + (line & this.setMask);
    const order = this.order[set];
    // The nibble that equals `way` becomes 0 in `x`; no nibble exceeds 7, so adding 7 sets bit 3 of every other one without a carry.
    const x = order ^ Math.imul(way, 0x11111111);
    const bit = (~(x + 0x77777777) & 0x88888888) >>> 3;
    this.order[set] = (order & -(bit << 4)) | ((order & (bit - 1)) << 4) | way;
  }

  /** Puts a line into the least recently used way of its set; returns the way, and leaves the line evicted in `victim`. */
  fill(core: number, line: number): number {
    const set = core * this.sets + (line & this.setMask);
    const order = this.order[set];
    const way = (order >>> this.lruShift) & 7;
    this.order[set] = (order & this.oldMask) | ((order & this.keepMask) << 4) | way;
    const slot = (set << 3) + way;
    this.victim = this.tags[slot];
    this.tags[slot] = line;
    return way;
  }

  /** Empties the way that holds a line; it becomes the first to be filled. */
  remove(core: number, line: number, way: number): void {
    const set = core * this.sets + (line & this.setMask);
    this.tags[(set << 3) + way] = -1;
    const order = this.order[set];
    const x = order ^ Math.imul(way, 0x11111111);
    const bit = (~(x + 0x77777777) & 0x88888888) >>> 3;
    // The ways used longer ago move up by one place, and this one goes to the last.
    const newer = order & (bit - 1);
    const older = order & this.lastMask & -(bit << 4);
    this.order[set] = (order & this.oldMask) | newer | (older >>> 4) | (way << this.lruShift);
  }

  /** The nibbles of the ways that exist. */
  private get lastMask(): number {
    return ~this.oldMask;
  }
}
