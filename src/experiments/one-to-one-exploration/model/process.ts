import type { ProgramStep } from "../../../explore/index.js";
import { type Access, type DynamicTable, mapPages, type Path, unmapPages } from "../../../pagetables/index.js";

/** A run of pages that a CPU maps and unmaps as one. */
export interface Range {
  readonly page: number;
  readonly pages: number;
}

/** What a CPU waits for: a step of an operation, or the beginning of one. */
export type ProcessStep = (
  | Access
  /** Between operations: the next map may begin, with any of the ranges. Result: the number of the range. */
  | { readonly kind: "choose" }
  /** The map has returned, and the unmap may begin. */
  | { readonly kind: "hold" }
) &
  ProgramStep & {
    /** The number of the range that the operation under way, or the map that is held, is about; -1: none. */
    readonly range: number;
    /** How many maps may still begin. */
    readonly left: number;
  };

/**
 * What a CPU does: maps a range, lets the device use it, unmaps it; so many times. A map that ends as "taken" would get an address of the
 * fallback's own, where nobody shares anything: here the pair then ends.
 * @param places take what the programs say they know for all that they know; without it every history is a state of its own
 */
export function* mapUnmapPairs(
  table: DynamicTable,
  cpu: number,
  ranges: readonly Range[],
  pairs: number,
  places = true,
): Generator<ProcessStep, void, number> {
  for (let left = pairs; left > 0; left--) {
    const range = yield { kind: "choose", range: -1, left, place: `choose ${left}` };
    const { page, pages } = ranges[range];
    const outcome = yield* tagged("map", mapPages(table, cpu, page, page, pages, 3), range, left, places);
    if (outcome === "taken") continue;
    yield { kind: "hold", range, left, place: `hold ${left} ${range}` };
    yield* tagged("unmap", unmapPages(table, cpu, page, pages), range, left, places);
  }
}

function* tagged<T>(
  operation: string,
  program: Generator<Access, T, number>,
  range: number,
  left: number,
  places: boolean,
): Generator<ProcessStep, T, number> {
  let result = 0;
  for (;;) {
    const { done, value } = program.next(result);
    if (done) return value;
    const place = places && value.known ? `${operation} ${range} ${left} ${placeOf(value, value.known)}` : undefined;
    result = yield { ...value, range, left, ...(place === undefined ? {} : { place }) };
  }
}

/** A step and what its program knows there, as text. */
function placeOf(step: Access, { iova, tables, seen, reserved, cleared }: Path): string {
  const { known, ...asked } = step;
  return JSON.stringify([asked, iova, tables, seen, reserved, cleared]);
}
