import { PageTableError } from "../page-table.js";
import { checkLayout, type EntryLayout, mostCount, WIDE_LAYOUT } from "./entry.js";

/** What a second map of a page that is already mapped does. */
export type Sharing =
  /** It raises the use count in the entry; a full count falls back. */
  | "count"
  /** It falls back to the allocator of addresses above memory, as the thread has it. */
  | "fallback";

/** What becomes of tables that map nothing any more. */
export type Cleanup =
  /** They stay until the domain ends. */
  | "never"
  /** A table goes when one unmap covers everything that it can map, as in Linux. */
  | "covering"
  /** The entry that points to a table counts its live entries; at zero the table goes. */
  | "live-count"
  /** Each flush looks through the tables that it concerns, and takes those that are empty. */
  | "swept";

/**
 * What makes the programs right. Each can be left out, to see what for it is there; a design for use has them all.
 */
export interface Safeguards {
  /** A leaf counts its maps, and only the last unmap clears it. */
  readonly useCount: boolean;
  /** live-count: an entry is counted in its table before it is stored, not after. */
  readonly countFirst: boolean;
  /** A table is given back after the flush that follows its unlinking, not before. */
  readonly flushBeforeFree: boolean;
  /** covering, swept: who has stored a leaf looks again whether the table is still linked. */
  readonly recheck: boolean;
  /** An unlinked table is given back only when every operation under way has ended. */
  readonly gracePeriod: boolean;
  /** The mark on a table that is being closed says who closes it. */
  readonly owner: boolean;
  /** A table that is being closed keeps its place in the parent, not present, until the flush: no other can be linked there meanwhile. */
  readonly holdPlace: boolean;
  /** The flush that follows an unlinking reaches the paging-structure caches, too. */
  readonly walkCaches: boolean;
}

/** Every safeguard in place. */
export const SAFE: Safeguards = {
  useCount: true,
  countFirst: true,
  flushBeforeFree: true,
  recheck: true,
  gracePeriod: true,
  owner: true,
  holdPlace: true,
  walkCaches: true,
};

/** A way to do dynamic 1:1. */
export interface Design {
  /** Levels of tables, 2 to 5. Hardware of the thread's time has four. */
  readonly levels: number;
  /** Entries of a table as a power of two: 9 on hardware, fewer in proofs. */
  readonly slotBits: number;
  readonly layout: EntryLayout;
  readonly sharing: Sharing;
  /** Maps that a leaf can count, at most what its bits hold. */
  readonly mostUses: number;
  readonly cleanup: Cleanup;
  readonly safeguards: Safeguards;
}

/**
 * A design, with what is not given filled in.
 * @throws PageTableError naming the field, the value and what is accepted; for bits that are not software's it names record K17
 * @example dynamicDesign({ cleanup: "live-count" }).mostUses // 1023
 */
export function dynamicDesign(given: Partial<Design> = {}): Design {
  const layout = given.layout ?? WIDE_LAYOUT;
  checkLayout(layout);
  const design: Design = {
    levels: 4,
    slotBits: 9,
    sharing: "count",
    mostUses: mostCount(layout),
    cleanup: "live-count",
    safeguards: SAFE,
    ...given,
    layout,
  };
  const { levels, slotBits, mostUses, cleanup } = design;
  const whole = (name: string, value: number, from: number, to: number): void => {
    if (!Number.isInteger(value) || value < from || value > to)
      throw new PageTableError(`${name}: ${value}; a whole number from ${from} to ${to} is accepted`);
  };
  whole("levels", levels, 2, 5);
  whole("slotBits", slotBits, 1, 9);
  whole("mostUses", mostUses, 1, mostCount(layout));
  if (cleanup === "live-count" && mostCount(layout) < 2 * (1 << slotBits) - 1)
    throw new PageTableError(
      `layout.count: ${layout.count.length} bits count to ${mostCount(layout)}; live counts of tables of ${1 << slotBits} entries, with those being made, need ${slotBits + 1} bits`,
    );
  return design;
}

/** A page table of a design: where its root is. */
export interface DynamicTable {
  readonly design: Design;
  /** Page number of the root table. */
  readonly root: number;
}

/** Page bits of an IOVA that a 1:1 address spends on the page number; the two above them say what the device may do. */
const ALIAS_AT = 0x4_0000_0000;

/**
 * The IOVA page of a memory page under 1:1: the page number, with R in bit 46 and W in bit 47 of the address. A page so has up to three
 * aliases, and mappings with different rights never share an entry. Alias 0 is never used: there, above memory, is the fallback's range.
 * @throws PageTableError where the page lies beyond the 46 bits that are left, or the permission is none
 */
export function aliasOf(frame: number, permission: number): number {
  if (!Number.isInteger(frame) || frame < 0 || frame >= ALIAS_AT)
    throw new PageTableError(`memory page ${frame}: with two bits for permissions, 46 bits of address are left`);
  if (permission < 1 || permission > 3)
    throw new PageTableError(`permission: ${permission}; 1 (read), 2 (write) and 3 (both) are accepted`);
  return permission * ALIAS_AT + frame;
}

/** Whether an IOVA page is an alias of a memory page (and no address from the fallback's range). */
export function isAlias(iova: number): boolean {
  return iova >= ALIAS_AT;
}
