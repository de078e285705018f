import { PageTableError } from "../page-table.js";

/**
 * An entry of a second-level table that carries software's own bits, as one exact number.
 *
 * The 64 bits of record K17 hold the device's permissions (bits 0 and 1), the page number (51:12), and the bits that the hardware ignores:
 * 10, 52–60 and 63. A count and a mark live there. Dynamic 1:1 uses nothing else, so an entry fits 53 bits with the others left out:
 *
 *     page number × 2^13 + count × 2^3 + mark × 2^2 + permission
 *
 * {@link toBits} and {@link fromBits} give the 64 bits that stand in memory. Compare-exchange compares whole entries: equal numbers are
 * equal 64-bit words, as long as one {@link EntryLayout} is used.
 */
export type Entry = number;

/** Nothing is mapped, nothing is counted: what a cleared entry and a fresh table hold. */
export const EMPTY: Entry = 0;

/** Where the count and the mark stand in the 64 bits. */
export interface EntryLayout {
  /** Bits of the count, least significant first; at most ten. */
  readonly count: readonly number[];
  /** The bit of the mark. */
  readonly mark: number;
}

/**
 * The bits that Linux takes for ignored at every level (record K17). Bit 62 has a meaning (a transient mapping); about 61 sources disagree: Linux
 * keeps off it, QEMU's model ignores it, so neither is among them. v4.3's driver takes bits 12 to 63 for the address and masks only the page
 * offset (record K16): a count up there would need a masked read.
 */
export const IGNORED_BITS: readonly number[] = [10, 52, 53, 54, 55, 56, 57, 58, 59, 60, 63];

/** Ten bits of count (52–60, then 10) and bit 63 as the mark. A table has 512 entries, so its count of live ones needs the tenth. */
export const WIDE_LAYOUT: EntryLayout = { count: [52, 53, 54, 55, 56, 57, 58, 59, 60, 10], mark: 63 };

/**
 * Refuses a layout whose bits are not software's own.
 * @throws PageTableError naming the bit, and record K17 with the bits that are free
 * @example checkLayout({ count: [61], mark: 63 }) // PageTableError: count: bit 61 is not safely software's …
 */
export function checkLayout(layout: EntryLayout): void {
  const { count, mark } = layout;
  if (count.length < 1 || count.length > 10)
    throw new PageTableError(`count: ${count.length} bits; a count takes 1 to 10`);
  for (const [name, bit] of [...count.map((bit) => ["count", bit] as const), ["mark", mark] as const])
    if (!IGNORED_BITS.includes(bit))
      throw new PageTableError(
        `${name}: bit ${bit} is not safely software's; free for it are 10, 52 to 60 and 63 (record K17)`,
      );
  if (new Set([...count, mark]).size !== count.length + 1)
    throw new PageTableError(`count [${count.join(", ")}] and mark ${mark}: each bit can be used once`);
}

/** The largest count that a layout can hold. */
export function mostCount(layout: EntryLayout): number {
  return (1 << layout.count.length) - 1;
}

const COUNT = 8;
const FRAME = 8192;
const FRAMES = 0x100_0000_0000;

/** Puts an entry together. Permission 0 makes it not present: the hardware then ignores every other bit. */
export function entryOf(frame: number, permission: number, count: number, mark = false): Entry {
  if (frame < 0 || frame >= FRAMES) throw new PageTableError(`page number ${frame}: an entry holds 40 bits of it`);
  return frame * FRAME + count * COUNT + (mark ? 4 : 0) + permission;
}

/** The page that an entry maps, or the table that it points to. */
export function frameOf(entry: Entry): number {
  return Math.floor(entry / FRAME);
}

/** R and W: what the device may do through this entry; 0 where it is not present. */
export function permissionOf(entry: Entry): number {
  return entry % 4;
}

/** The count in the entry's ignored bits. */
export function countOf(entry: Entry): number {
  return Math.floor(entry / COUNT) % 1024;
}

/** Whether the entry carries the mark. */
export function isMarked(entry: Entry): boolean {
  return entry % COUNT >= 4;
}

/** Whether a walk of the hardware goes through this entry. */
export function isPresent(entry: Entry): boolean {
  return entry % 4 !== 0;
}

/** The same entry with its count changed by `by`. */
export function addCount(entry: Entry, by: number): Entry {
  return entry + by * COUNT;
}

/** The 64 bits that stand in memory. */
export function toBits(entry: Entry, layout: EntryLayout): bigint {
  let bits = BigInt(permissionOf(entry)) | (BigInt(frameOf(entry)) << 12n);
  const count = countOf(entry);
  for (const [i, bit] of layout.count.entries()) if ((count >> i) & 1) bits |= 1n << BigInt(bit);
  if (isMarked(entry)) bits |= 1n << BigInt(layout.mark);
  return bits;
}

/** Reads an entry from its 64 bits. @public */
export function fromBits(bits: bigint, layout: EntryLayout): Entry {
  let count = 0;
  for (const [i, bit] of layout.count.entries()) if ((bits >> BigInt(bit)) & 1n) count += 1 << i;
  const frame = Number((bits >> 12n) & 0xff_ffff_ffffn);
  return entryOf(frame, Number(bits & 3n), count, ((bits >> BigInt(layout.mark)) & 1n) === 1n);
}
