import type { DynamicTable } from "./design.js";
import { addCount, countOf, EMPTY, frameOf, isMarked } from "./entry.js";
import { closingTable, entryAt, leadsTo, newPath, openTable, type Path, pagesOfTable, STRIDE } from "./path.js";
import { exchange, read, type Steps } from "./steps.js";

// How tables come and go. Growth is Linux's pfn_to_dma_pte: a zeroed page, compare-exchanged into the empty slot. Closing has no counterpart.

const ownerOf = (table: DynamicTable, cpu: number): number => (table.design.safeguards.owner ? cpu + 1 : 0);

/**
 * Counts one more entry in the lowest table of a path, at `level`, before that entry is stored there. Opens the table again if it is being
 * closed. Where the design counts nothing, there is nothing to do.
 * @returns false where the table is no longer linked: the operation starts anew from the root
 */
export function* reserve(table: DynamicTable, path: Path, level: number): Steps<boolean> {
  const { cleanup, levels } = table.design;
  if (cleanup !== "live-count" || level === levels) return true;
  const at = entryAt(table, path, level + 1);
  const frame = path.tables[level];
  while (leadsTo(path.seen, frame)) {
    const { seen } = path;
    const next = isMarked(seen) ? openTable(frame, 1) : addCount(seen, 1);
    const before = yield exchange(at, seen, next, "count an entry to come", level === 1 ? path : undefined);
    path.seen = before;
    if (before !== seen) continue;
    path.seen = EMPTY;
    return true;
  }
  return false;
}

/**
 * Walks from the root to the table of leaves, linking tables that are missing.
 * @returns the path, or undefined where a table on it was unlinked meanwhile
 */
export function* grow(table: DynamicTable, cpu: number, iova: number): Steps<Path | undefined> {
  const { levels, cleanup, safeguards } = table.design;
  const counts = cleanup === "live-count";
  const path = newPath(table, iova);
  for (let level = levels; level > 1; level--) {
    const at = entryAt(table, path, level);
    let entry = yield read(at, "read the entry for the table", path);
    if (entry === EMPTY) {
      const frame = yield { kind: "allocate", does: "take a page for a table", known: path };
      if (!path.reserved && !(yield* reserve(table, path, level))) {
        yield { kind: "free", frame, does: "give the page back, unused" };
        return undefined;
      }
      path.reserved = false;
      path.seen = EMPTY;
      // What comes next will be stored in the new table: it starts with that one counted.
      const linked = openTable(frame, counts && safeguards.countFirst ? 1 : 0);
      const before = yield exchange(at, EMPTY, linked, "link the table", path);
      if (before === EMPTY) {
        path.reserved = counts && safeguards.countFirst;
        entry = linked;
      } else {
        yield { kind: "free", frame, does: "give the page back: another CPU was first" };
        if (counts && (yield* release(table, cpu, path, level))) return undefined;
        entry = before;
      }
    } else if (path.reserved) {
      // The entry that the reservation was made for is there already; or was, and giving it back has taken the table away.
      if (yield* release(table, cpu, path, level)) return undefined;
      path.reserved = false;
    }
    path.tables[level - 1] = frameOf(entry);
    path.seen = path.reserved ? EMPTY : entry;
  }
  return path;
}

/** Walks from the root to the table of leaves. @returns the path, or undefined where a table is missing */
export function* find(table: DynamicTable, iova: number, first: boolean): Steps<Path | undefined> {
  const path = newPath(table, iova);
  for (let level = table.design.levels; level > 1; level--) {
    const at = entryAt(table, path, level);
    const entry = yield read(at, "read the entry for the table", first ? path : undefined);
    if (entry === EMPTY) return undefined;
    path.tables[level - 1] = frameOf(entry);
  }
  return path;
}

/**
 * live-count: takes `by` entries off the count of the table at `level`; at zero the table is closed.
 * @returns whether this operation has closed it, and so has to flush and to {@link unlink} it
 */
export function* uncount(
  table: DynamicTable,
  cpu: number,
  path: Path,
  level: number,
  by: number,
  known?: Path,
): Steps<boolean> {
  const { levels, safeguards } = table.design;
  if (level === levels) return false;
  const at = entryAt(table, path, level + 1);
  const frame = path.tables[level];
  let seen = yield read(at, "read the live count", known);
  while (leadsTo(seen, frame) && !isMarked(seen)) {
    const left = countOf(seen) - by;
    const closed = safeguards.holdPlace ? closingTable(frame, ownerOf(table, cpu), false) : EMPTY;
    const next = left > 0 ? addCount(seen, -by) : closed;
    const before = yield exchange(at, seen, next, left > 0 ? "count one entry less" : "close the empty table", known);
    if (before === seen) return left <= 0;
    seen = before;
  }
  // Not where counts are right: this operation's own entry was counted until now.
  return false;
}

/**
 * covering, swept: closes the table of leaves if nothing is in it. It is marked, looked through, and only then taken from the hardware:
 * were it taken first, a mapping that is live would be out of reach for that time.
 */
export function* closeIfEmpty(table: DynamicTable, cpu: number, path: Path, known?: Path): Steps<boolean> {
  const at = entryAt(table, path, 2);
  const frame = path.tables[1];
  const open = openTable(frame, 0);
  const marked = closingTable(frame, ownerOf(table, cpu), true);
  if ((yield exchange(at, open, marked, "mark the table", known)) !== open) return false;
  for (let slot = 0; slot < pagesOfTable(table); slot++) {
    if ((yield read(frame * STRIDE + slot, "look whether the table is empty", known)) === EMPTY) continue;
    yield exchange(at, marked, open, "take the mark away: the table is in use", known);
    return false;
  }
  const closed = table.design.safeguards.holdPlace ? closingTable(frame, ownerOf(table, cpu), false) : EMPTY;
  return (yield exchange(at, marked, closed, "close the empty table", known)) === marked;
}

/** covering, swept: whether a table in which something was stored is still linked. A mark found on it is taken away. */
export function* stillLinked(table: DynamicTable, path: Path, known?: Path): Steps<boolean> {
  const at = entryAt(table, path, 2);
  const frame = path.tables[1];
  path.seen = EMPTY;
  let entry = yield read(at, "look again whether the table is linked", known);
  while (leadsTo(entry, frame)) {
    if (!isMarked(entry)) return true;
    const before = yield exchange(at, entry, openTable(frame, 0), "open the table again", known);
    if (before === entry) return true;
    entry = before;
  }
  return false;
}

/** Takes a closed table away after its flush, unless somebody has opened it again; then its own entry is one less in the table above. */
export function* unlink(table: DynamicTable, cpu: number, path: Path, level: number, known?: Path): Steps<void> {
  const { cleanup, safeguards } = table.design;
  const frame = path.tables[level];
  if (safeguards.holdPlace) {
    const at = entryAt(table, path, level + 1);
    const closed = closingTable(frame, ownerOf(table, cpu), false);
    if ((yield exchange(at, closed, EMPTY, "unlink the table", known)) !== closed) return;
  }
  yield safeguards.gracePeriod
    ? { kind: "retire", frame, does: "give the table back after a grace period", known }
    : { kind: "free", frame, does: "give the table back at once", known };
  if (cleanup === "live-count") yield* release(table, cpu, path, level + 1);
}

/**
 * live-count: takes one entry off a table's count outside an unmap, and sees a table that this empties to its end.
 * @returns whether it did: the path then leads nowhere
 */
export function* release(table: DynamicTable, cpu: number, path: Path, level: number): Steps<boolean> {
  if (level >= table.design.levels || !(yield* uncount(table, cpu, path, level, 1))) return false;
  yield { kind: "flush", iova: path.iova, pages: 1, leafOnly: false, does: "flush the paging-structure caches" };
  yield* unlink(table, cpu, path, level);
  return true;
}
