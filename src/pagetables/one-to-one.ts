/**
 * Second-level page tables of software 1:1 mode: every physical address maps to itself, with leaves of 4 KiB, 2 MiB or 1 GiB.
 *
 * A table over a terabyte in 4 KiB leaves is 2 GiB, so it is kept as arithmetic: the frames of each level lie one after another
 * (root, then all third-level frames, then all second-level, then all first-level ones, each in address order), and the address of any
 * entry follows. `materialise` writes the same table out, entry for entry; a test compares the two.
 * The layout of an entry is record K17: R bit 0, W bit 1, page size bit 7, address 51:12. Four levels, 48 bits (record CAP1).
 */

/** Bytes of a leaf page. */
export type PageBytes = 4096 | 2097152 | 1073741824;

/** The page sizes by name, in bytes. */
export const pageBytes: { readonly "4K": 4096; readonly "2M": 2097152; readonly "1G": 1073741824 } = {
  "4K": 4096,
  "2M": 2097152,
  "1G": 1073741824,
};

/** A part of the address space with leaves of one size. Starts and ends at multiples of 2 MiB, but for the last one's end. */
export interface Region {
  start: number;
  bytes: number;
  page: PageBytes;
}

/** Bytes covered by one entry of a level (1 = leaf table … 4 = root). */
const span = [0, 4096, 2097152, 1073741824, 549755813888] as const;
/** Four levels: 48 bits. */
const addressLimit = 281_474_976_710_656;
const entryBytes = 8;
const tableBytes = 4096;

/** A run of blocks whose tables are numbered one after another. */
interface Run {
  first: number;
  end: number;
  rank: number;
}

const runsOf = (intervals: { first: number; end: number }[]): Run[] => {
  const runs: Run[] = [];
  let rank = 0;
  for (const { first, end } of intervals) {
    const last = runs.at(-1);
    const from = last ? Math.max(first, last.end) : first;
    if (from >= end) continue;
    if (last && from === last.end) last.end = end;
    else runs.push({ first: from, end, rank });
    rank += end - from;
  }
  return runs;
};

const rankIn = (runs: readonly Run[], block: number): number => {
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i];
    if (block < run.first) return -1;
    if (block < run.end) return run.rank + (block - run.first);
  }
  return -1;
};

const countOf = (runs: readonly Run[]): number => {
  const last = runs.at(-1);
  return last ? last.rank + last.end - last.first : 0;
};

/** A 1:1 table as arithmetic. */
export class OneToOneTable {
  /** Regions in address order, tails cut into the largest leaves that fit. */
  readonly regions: readonly Region[];
  /** Leaf sizes in use, smallest first. */
  readonly sizes: readonly PageBytes[];
  /** Where the root table lies; the other frames follow it. */
  readonly base: number;
  /** Size of the whole table. */
  readonly bytes: number;
  private readonly secondRuns: Run[];
  private readonly firstRuns: Run[];
  private readonly thirdBase: number;
  private readonly secondBase: number;
  private readonly firstBase: number;
  private readonly thirdCount: number;
  /** The regions again as plain lists: asked for at every translation. */
  private readonly starts: number[];
  private readonly ends: number[];
  private readonly leaves: PageBytes[];

  /**
   * @param regions what is mapped, and with which leaves; in address order, without overlap
   * @param base physical address of the root table; by default the first 2 MiB boundary above everything mapped
   * @throws RangeError naming the region that overlaps, is misaligned or lies beyond 48 bits
   */
  constructor(regions: readonly Region[], base?: number) {
    const cutRegions: Region[] = [];
    let end = 0;
    for (const [i, region] of regions.entries()) {
      const bad = (why: string): RangeError => new RangeError(`regions[${i}] at ${region.start}: ${why}`);
      if (region.bytes <= 0 || region.bytes % 4096 !== 0) throw bad(`${region.bytes} bytes; a multiple of 4096 needed`);
      const last = i === regions.length - 1;
      if (region.start % region.page !== 0 || region.start % span[2] !== 0) throw bad("start not aligned to its pages");
      if (!last && (region.start + region.bytes) % span[2] !== 0) throw bad("end not aligned to 2 MiB");
      if (region.start < end) throw bad("overlaps the region before it");
      end = region.start + region.bytes;
      if (end > addressLimit) throw bad("ends beyond 48 bits");
      let at = region.start;
      for (const page of [span[3], span[2], span[1]] as PageBytes[]) {
        if (page > region.page) continue;
        const whole = Math.floor((end - at) / page) * page;
        if (whole > 0) cutRegions.push({ start: at, bytes: whole, page });
        at += whole;
      }
    }
    this.regions = cutRegions;
    this.starts = cutRegions.map((region) => region.start);
    this.ends = cutRegions.map((region) => region.start + region.bytes);
    this.leaves = cutRegions.map((region) => region.page);
    this.sizes = ([4096, 2097152, 1073741824] as PageBytes[]).filter((size) => cutRegions.some((r) => r.page === size));
    const blocks = (level: 2 | 3, largest: number) =>
      cutRegions
        .filter((r) => r.page <= largest)
        .map((r) => ({ first: Math.floor(r.start / span[level]), end: Math.ceil((r.start + r.bytes) / span[level]) }));
    this.secondRuns = runsOf(blocks(3, span[2]));
    this.firstRuns = runsOf(blocks(2, span[1]));
    this.thirdCount = Math.ceil(end / span[4]);
    this.base = base ?? Math.ceil(end / span[2]) * span[2];
    this.thirdBase = this.base + tableBytes;
    this.secondBase = this.thirdBase + this.thirdCount * tableBytes;
    this.firstBase = this.secondBase + countOf(this.secondRuns) * tableBytes;
    this.bytes = this.firstBase + countOf(this.firstRuns) * tableBytes - this.base;
  }

  /** The bytes of the leaf that maps an address, or 0 where nothing is mapped. */
  leafBytes(address: number): PageBytes | 0 {
    const ends = this.ends;
    for (let i = 0; i < ends.length; i++) if (address < ends[i]) return address >= this.starts[i] ? this.leaves[i] : 0;
    return 0;
  }

  /** Where an address leads: the number of its page, of its leaf's size. Under 1:1 that is the address's own. */
  frame(address: number): number {
    return Math.floor(address / (this.leafBytes(address) || 4096));
  }

  /**
   * The physical address of the entry that a walk reads at a level (4 = root … 1), or -1 where the walk has already ended: at a leaf
   * above, or at an entry that is not present.
   */
  entryAddress(level: 1 | 2 | 3 | 4, address: number): number {
    const third = Math.floor(address * (1 / 549755813888));
    if (level === 4) return address < addressLimit ? this.base + third * entryBytes : -1;
    if (third >= this.thirdCount) return -1;
    if (level === 3) return this.thirdBase + Math.floor(address * (1 / 1073741824)) * entryBytes;
    const block = Math.floor(level === 2 ? address * (1 / 1073741824) : address * (1 / 2097152));
    const rank = rankIn(level === 2 ? this.secondRuns : this.firstRuns, block);
    if (rank < 0) return -1;
    const inside = Math.floor((address - block * span[level + 1]) * (level === 2 ? 1 / 2097152 : 1 / 4096));
    return (level === 2 ? this.secondBase : this.firstBase) + rank * tableBytes + inside * entryBytes;
  }

  /** The table written out: the eight-byte entries that are present, by their physical address. For checking, and for small tables. */
  materialise(): Map<number, bigint> {
    const memory = new Map<number, bigint>();
    const readWrite = 3n;
    for (const { start, bytes, page } of this.regions) {
      const leaf = page === span[1] ? 1 : page === span[2] ? 2 : 3;
      for (let address = start; address < start + bytes; address += page) {
        for (const level of [4, 3, 2] as const) {
          if (level <= leaf) break;
          const child = Math.floor(this.entryAddress((level - 1) as 1 | 2 | 3, address) / tableBytes) * tableBytes;
          memory.set(this.entryAddress(level, address), BigInt(child) | readWrite);
        }
        const large = leaf > 1 ? 1n << 7n : 0n;
        memory.set(this.entryAddress(leaf, address), BigInt(address) | large | readWrite);
      }
    }
    return memory;
  }
}

/** A 1:1 table over all of memory with leaves of one size (and of smaller ones for a tail that they do not fill). */
export function oneToOne(memoryBytes: number, page: PageBytes): OneToOneTable {
  return new OneToOneTable([{ start: 0, bytes: memoryBytes, page }]);
}

/** The fault reasons of VT-d that a DMA can meet here: "write access not allowed" and "read access not allowed" by the entries. */
export const faultReason: { readonly write: 0x5; readonly read: 0x6 } = { write: 0x5, read: 0x6 };

/**
 * Walks a table that was written out, as the hardware does: from the root, entry by entry.
 * @returns the translated address and the bytes of the leaf, or the level at which an entry was not present
 * @public
 */
export function walkEntries(
  memory: ReadonlyMap<number, bigint>,
  root: number,
  address: number,
): { address: number; leafBytes: number } | { faultLevel: number } {
  let table = root;
  for (const level of [4, 3, 2, 1] as const) {
    const index = Math.floor(address / span[level]) % 512;
    const entry = memory.get(table + index * entryBytes) ?? 0n;
    if ((entry & 3n) === 0n) return { faultLevel: level };
    const target = Number(entry & 0x000f_ffff_ffff_f000n);
    if (level === 1 || (entry & 0x80n) !== 0n)
      return { address: target + (address % span[level]), leafBytes: span[level] };
    table = target;
  }
  return { faultLevel: 1 };
}
