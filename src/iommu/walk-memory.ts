/**
 * What a page walk reads from: the host's memory, as the IOMMU sees it.
 * A coherent walker finds table entries in the last-level cache where they are; one that is not coherent goes to DRAM every time
 * (ecap bit C, record CAP2: not coherent on ordinary Xeon E5 servers of two generations).
 */

/** Reads of table entries, with the time that each takes. */
export interface WalkMemory {
  /** Picoseconds to read the eight bytes at this physical address; the line may then be cached. */
  readPs(address: number): number;
  /** How many reads so far found their line in the cache, and how many went to DRAM. */
  readonly cacheReads: number;
  readonly dramReads: number;
}

/** Times and sizes of a host's memory for walks. */
export interface WalkMemoryConfig {
  /** Walker reads snoop the caches. */
  coherent: boolean;
  /** A read that finds the line in the last-level cache, picoseconds. */
  cachePs: number;
  /** A read from DRAM, picoseconds. */
  dramPs: number;
  /** Bytes of the last-level cache that table lines can occupy. */
  cacheBytes: number;
}

const lineBytes = 64;
const ways = 16;

/**
 * A last-level cache of table lines: sets of 16 ways, random replacement.
 *
 * It starts in its steady state, so that no run has to read a table of hundreds of megabytes first: holding the whole table where it fits,
 * and otherwise full of lines of the table chosen at random (which is what random replacement under random DMA leaves).
 */
export function walkMemory(config: WalkMemoryConfig, table: { base: number; bytes: number }): WalkMemory {
  if (!config.coherent) return new Uncached(config.dramPs);
  if (table.bytes <= config.cacheBytes) return new AllCached(config.cachePs);
  return new LastLevelCache(config, table);
}

class Uncached implements WalkMemory {
  readonly cacheReads = 0;
  dramReads = 0;
  constructor(private readonly dramPs: number) {}
  readPs(): number {
    this.dramReads += 1;
    return this.dramPs;
  }
}

class AllCached implements WalkMemory {
  cacheReads = 0;
  readonly dramReads = 0;
  constructor(private readonly cachePs: number) {}
  readPs(): number {
    this.cacheReads += 1;
    return this.cachePs;
  }
}

class LastLevelCache implements WalkMemory {
  cacheReads = 0;
  dramReads = 0;
  private readonly lines: Int32Array;
  private readonly sets: number;
  private readonly base: number;
  private readonly cachePs: number;
  private readonly dramPs: number;
  private state = 0x1b873593;

  constructor(config: WalkMemoryConfig, table: { base: number; bytes: number }) {
    this.cachePs = config.cachePs;
    this.dramPs = config.dramPs;
    this.base = table.base;
    this.sets = Math.floor(config.cacheBytes / (lineBytes * ways));
    this.lines = new Int32Array(this.sets * ways).fill(-1);
    if (this.sets === 0) return;
    const rows = Math.floor(table.bytes / lineBytes / this.sets);
    for (let set = 0; set < this.sets; set++) {
      // Lines of a set are set, set + sets, set + 2 sets …: a random start and step pick different ones for its ways.
      const start = this.next() % rows;
      const step = Math.floor(rows / ways);
      for (let way = 0; way < ways && way < rows; way++) {
        const row = step > 0 ? (start + way * step + (this.next() % step)) % rows : way;
        const line = set + row * this.sets;
        let known = false;
        for (let other = 0; other < way; other++) known ||= this.lines[set * ways + other] === line;
        if (!known) this.lines[set * ways + way] = line;
      }
    }
  }

  private next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  readPs(address: number): number {
    if (this.sets === 0) {
      this.dramReads += 1;
      return this.dramPs;
    }
    const line = Math.floor((address - this.base) / lineBytes);
    const first = (line % this.sets) * ways;
    for (let way = first; way < first + ways; way++) {
      if (this.lines[way] === line) {
        this.cacheReads += 1;
        return this.cachePs;
      }
    }
    this.lines[first + (this.next() % ways)] = line;
    this.dramReads += 1;
    return this.dramPs;
  }
}
