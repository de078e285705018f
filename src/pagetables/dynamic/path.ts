import type { DynamicTable } from "./design.js";
import { countOf, EMPTY, type Entry, entryOf, frameOf, isMarked, isPresent } from "./entry.js";

/** Entries of a table on hardware: the stride of entry addresses, also where a proof uses fewer. */
export const STRIDE = 512;
/** What an entry that points to a table permits: a walk takes the intersection along its way. */
const READ_WRITE = 3;

/** The way to a leaf as one operation has seen it. */
export interface Path {
  /** The page that it leads to. */
  iova: number;
  /** Page numbers of the tables by level: 1 holds leaves, the last is the root. */
  readonly tables: number[];
  /** The entry that led to the lowest table so far, as it was found; EMPTY once it is of no use any more. */
  seen: Entry;
  /** live-count: the lowest table already counts an entry that this operation has not stored yet. */
  reserved: boolean;
  /** Leaves of the table that an unmap has cleared so far. */
  cleared: number;
}

/** An empty way, at the root. */
export function newPath(table: DynamicTable, iova: number): Path {
  const { levels } = table.design;
  const tables = new Array<number>(levels + 1).fill(0);
  tables[levels] = table.root;
  return { iova, tables, seen: EMPTY, reserved: false, cleared: 0 };
}

/** The slot of an IOVA page in a table of this level. */
export function slotOf(table: DynamicTable, iova: number, level: number): number {
  const slots = 1 << table.design.slotBits;
  let span = 1;
  for (let below = 1; below < level; below++) span *= slots;
  return Math.floor(iova / span) % slots;
}

/** Address, in entries, of the entry that a path takes in its table of this level. Times 8 it is a physical address. */
export function entryAt(table: DynamicTable, path: Path, level: number): number {
  return path.tables[level] * STRIDE + slotOf(table, path.iova, level);
}

/** Pages that one table of leaves can map. */
export function pagesOfTable(table: DynamicTable): number {
  return 1 << table.design.slotBits;
}

/** An entry that points to a table in use; `live` is 0 where nothing counts. */
export function openTable(frame: number, live: number): Entry {
  return entryOf(frame, READ_WRITE, live);
}

/**
 * An entry whose table is being closed. It keeps the table's page, so that whoever needs the table can open it again.
 * @param present the hardware still walks through it: it is not known yet that the table is empty
 * @param owner CPU + 1: a closer goes on only while it finds its own mark. 0 where the design leaves that out
 */
export function closingTable(frame: number, owner: number, present: boolean): Entry {
  return entryOf(frame, present ? READ_WRITE : 0, owner, true);
}

/** Whether the entry points to this table, open or closing. */
export function leadsTo(entry: Entry, frame: number): boolean {
  return entry !== EMPTY && frameOf(entry) === frame;
}

/** An entry in words, for traces: "nothing", "page 3 ×2", "table 5, 2 live", "table 5 closing (CPU 0), not present". */
export function describeEntry(entry: Entry, leaf: boolean, name: (frame: number) => string): string {
  if (entry === EMPTY) return "nothing";
  const frame = frameOf(entry);
  if (leaf) return `page ${frame} ×${countOf(entry)}`;
  if (!isMarked(entry)) return countOf(entry) > 0 ? `${name(frame)}, ${countOf(entry)} live` : name(frame);
  const owner = countOf(entry) > 0 ? ` by CPU ${countOf(entry) - 1}` : "";
  return `${name(frame)} being closed${owner}${isPresent(entry) ? "" : ", not present"}`;
}
