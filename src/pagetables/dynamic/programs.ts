import { PageTableError } from "../page-table.js";
import type { DynamicTable } from "./design.js";
import { addCount, countOf, EMPTY, entryOf } from "./entry.js";
import { entryAt, type Path, pagesOfTable } from "./path.js";
import { exchange, read, type Steps } from "./steps.js";
import { closeIfEmpty, find, grow, release, reserve, stillLinked, uncount, unlink } from "./tables.js";

/** How a map ended. */
export type MapOutcome =
  /** The device reaches every page of the range. */
  | "mapped"
  /** A page of it is mapped already and can not be counted once more: the caller takes an address from the fallback's range. */
  | "taken";

/** What an unmap has taken down, and has to see to once it is flushed. */
export interface TakenDown {
  /** Pages whose last map this was. Nothing has to be flushed where it is 0. */
  cleared: number;
  /** Tables that it has closed. */
  readonly closed: Path[];
}

/**
 * Stores one leaf, or counts one more map in it.
 * @returns "gone" where the table was unlinked meanwhile
 */
function* takeLeaf(
  table: DynamicTable,
  cpu: number,
  path: Path,
  frame: number,
  permission: number,
): Steps<MapOutcome | "gone"> {
  const { sharing, mostUses, safeguards } = table.design;
  const at = entryAt(table, path, 1);
  let entry = yield read(at, "read the leaf", path);
  if (entry === EMPTY && !path.reserved) {
    if (safeguards.countFirst && !(yield* reserve(table, path, 1))) return "gone";
    path.reserved = true;
  }
  path.seen = EMPTY;
  for (;;) {
    if (entry === EMPTY) {
      // Cleared between two looks at it, and nothing is reserved: from the root once more.
      if (!path.reserved) return "gone";
      const before = yield exchange(at, EMPTY, entryOf(frame, permission, 1), "store the leaf", path, path.iova);
      if (before === EMPTY) {
        path.reserved = false;
        if (!safeguards.countFirst) yield* countLate(table, path);
        return "mapped";
      }
      entry = before;
      continue;
    }
    let outcome: MapOutcome = "taken";
    if (sharing === "count" && countOf(entry) < mostUses) {
      const before = yield exchange(
        at,
        entry,
        addCount(entry, safeguards.useCount ? 1 : 0),
        "count one map more",
        path,
      );
      if (before !== entry) {
        entry = before;
        continue;
      }
      outcome = "mapped";
    }
    if (path.reserved && countsLive(table)) yield* release(table, cpu, path, 1);
    path.reserved = false;
    return outcome;
  }
}

const countsLive = (table: DynamicTable): boolean =>
  table.design.cleanup === "live-count" && table.design.safeguards.countFirst;

/** What a design without `countFirst` does: it counts the leaf when it is stored, and does not look whether it still can. */
function* countLate(table: DynamicTable, path: Path): Steps<void> {
  path.seen = yield read(entryAt(table, path, 2), "read the live count");
  yield* reserve(table, path, 1);
}

/** Whether the cleanup looks into tables, rather than counting: then who stores looks again. */
const looks = (table: DynamicTable): boolean => table.design.cleanup === "covering" || table.design.cleanup === "swept";

/**
 * Maps `pages` pages: the device reaches memory page `frame` and up at IOVA page `iova` and up. Under 1:1 the IOVA is `aliasOf(frame, …)`;
 * a range from the fallback's allocator is mapped by the same program. Where a page can not be had, what was stored of the range is
 * taken down again.
 * @param cpu number of the CPU that runs it: no two operations under way at once have the same
 */
export function* mapPages(
  table: DynamicTable,
  cpu: number,
  iova: number,
  frame: number,
  pages: number,
  permission: number,
): Steps<MapOutcome> {
  const perTable = pagesOfTable(table);
  let path: Path | undefined;
  for (let done = 0; done < pages; ) {
    // The table of the page before it is held by that page.
    if (path === undefined || (iova + done) % perTable === 0) path = yield* grow(table, cpu, iova + done);
    else path.iova = iova + done;
    if (path === undefined) continue;
    const outcome: MapOutcome | "gone" = yield* takeLeaf(table, cpu, path, frame + done, permission);
    const linked: boolean =
      outcome !== "gone" &&
      (!looks(table) ||
        !table.design.safeguards.recheck ||
        (yield* stillLinked(table, path, outcome === "mapped" ? path : undefined)));
    if (!linked) {
      path = undefined;
      continue;
    }
    if (outcome === "taken") {
      if (done > 0) yield* unmapPages(table, cpu, iova, done);
      return "taken";
    }
    done++;
  }
  return "mapped";
}

/** Gives up one map of a leaf. @returns whether it was the last, and the leaf is clear */
function* dropUse(table: DynamicTable, path: Path, known?: Path): Steps<boolean> {
  const at = entryAt(table, path, 1);
  let entry = yield read(at, "read the leaf", known);
  while (entry !== EMPTY) {
    const last = countOf(entry) === 1;
    const next = last ? EMPTY : addCount(entry, -1);
    const before = yield exchange(at, entry, next, last ? "clear the leaf" : "count one map less", known, path.iova);
    if (before === entry) return last;
    entry = before;
  }
  return false;
}

/**
 * The first half of an unmap: gives up the maps, and closes tables as the cleanup wants it. Pages that are not mapped are passed over.
 * The caller then flushes the range, if something was cleared, and runs {@link afterFlush}.
 * @param close whether tables are closed: a deferred unmap leaves that to the {@link sweep} of its flush
 */
export function* takeDown(
  table: DynamicTable,
  cpu: number,
  iova: number,
  pages: number,
  close = true,
): Steps<TakenDown> {
  const { cleanup } = table.design;
  const perTable = pagesOfTable(table);
  const result: TakenDown = { cleared: 0, closed: [] };
  for (let page = iova; page < iova + pages; ) {
    const first = page;
    const end = Math.min(first - (first % perTable) + perTable, iova + pages);
    const path = yield* find(table, first, result.cleared === 0);
    page = end;
    if (path === undefined) continue;
    // Nothing but the path is known only while this is the first table in which something is cleared.
    const known = result.cleared === 0 ? path : undefined;
    for (; path.iova < end; path.iova++) if (yield* dropUse(table, path, known)) path.cleared++;
    path.iova = first;
    const { cleared } = path;
    if (cleared === 0) continue;
    result.cleared += cleared;
    if (!close) continue;
    let closed = false;
    if (cleanup === "live-count") closed = yield* uncount(table, cpu, path, 1, cleared, known);
    else if (cleanup === "swept" || (cleanup === "covering" && end - first === perTable))
      closed = yield* closeIfEmpty(table, cpu, path, known);
    if (closed) result.closed.push(path);
  }
  return result;
}

/**
 * Looks through the tables of pages that were cleared, before they are flushed together, and closes those that are empty. Whoever sweeps
 * flushes everything after it, with the paging-structure caches, and then runs {@link afterFlush}.
 * @throws PageTableError for a design that does not look into tables: its maps would not look again
 */
export function* sweep(table: DynamicTable, cpu: number, cleared: Iterable<number>): Steps<TakenDown> {
  if (table.design.cleanup !== "swept")
    throw new PageTableError(
      `cleanup: "${table.design.cleanup}"; only tables that are "swept" can be swept at a flush`,
    );
  const result: TakenDown = { cleared: 0, closed: [] };
  const perTable = pagesOfTable(table);
  const seen = new Set<number>();
  for (const page of cleared) {
    result.cleared++;
    const first = page - (page % perTable);
    if (seen.has(first)) continue;
    seen.add(first);
    const path = yield* find(table, first, false);
    if (path !== undefined && (yield* closeIfEmpty(table, cpu, path))) result.closed.push(path);
  }
  return result;
}

/** The second half of an unmap, after the flush: unlinks the tables that are still closed. */
export function* afterFlush(table: DynamicTable, cpu: number, taken: TakenDown): Steps<void> {
  const known = taken.closed.length === 1 ? taken.closed[0] : undefined;
  for (const path of taken.closed) yield* unlink(table, cpu, path, 1, known);
}

/**
 * Unmaps `pages` pages and waits for the flush (strict).
 * @returns the pages that were cleared; those that others still map stay
 */
export function* unmapPages(table: DynamicTable, cpu: number, iova: number, pages: number): Steps<number> {
  const { safeguards } = table.design;
  const taken = yield* takeDown(table, cpu, iova, pages);
  if (taken.cleared === 0) return 0;
  const tablesClosed = taken.closed.length > 0;
  if (!safeguards.flushBeforeFree) yield* afterFlush(table, cpu, taken);
  yield {
    kind: "flush",
    iova,
    pages,
    leafOnly: !tablesClosed || !safeguards.walkCaches,
    does: "flush",
    known: taken.closed.length === 1 ? taken.closed[0] : undefined,
  };
  if (safeguards.flushBeforeFree) yield* afterFlush(table, cpu, taken);
  return taken.cleared;
}

/** The programs by name, for whoever shows their text: the steps that a core of the simulation runs, and that the proofs explore. */
export const oneToOnePrograms: Readonly<Record<string, (...args: never[]) => unknown>> = {
  mapPages,
  takeLeaf,
  takeDown,
  dropUse,
  sweep,
  afterFlush,
};
