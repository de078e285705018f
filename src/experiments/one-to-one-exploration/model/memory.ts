import { EMPTY, type Entry, frameOf, isPresent, STRIDE } from "../../../pagetables/index.js";
import { FREE, type StateLayout } from "./state.js";

/** Pages that a CPU can map and a device can ask for: those of one table of leaves. */
export const PAGES = 2;

/**
 * The table pages of a state. Entries are kept as codes, numbered as they are met; page 0 is the root, of which one entry is used, the
 * others have two entries each. Everything works on a state's variables, which the caller holds.
 */
export class SmallMemory {
  readonly #codes = new Map<Entry, number>([[EMPTY, 0]]);
  readonly #entries: Entry[] = [EMPTY];

  constructor(readonly layout: StateLayout) {}

  /** The entry at an address. */
  read(values: Int32Array, at: number): Entry {
    return this.#entries[values[this.#cell(at)]];
  }

  write(values: Int32Array, at: number, entry: Entry): void {
    let code = this.#codes.get(entry);
    if (code === undefined) {
      code = this.#entries.length;
      this.#entries.push(entry);
      this.#codes.set(entry, code);
    }
    values[this.#cell(at)] = code;
  }

  /** Whether the table page of an address is no free page. */
  usable(values: Int32Array, at: number): boolean {
    const frame = Math.floor(at / STRIDE);
    return frame === 0 || values[this.layout.status + frame - 1] !== FREE;
  }

  /** Makes a table page free, and empty for who takes it next. */
  free(values: Int32Array, frame: number): void {
    values[this.layout.status + frame - 1] = FREE;
    const cell = this.layout.cells + 1 + (frame - 1) * 2;
    values[cell] = 0;
    values[cell + 1] = 0;
  }

  /** What a walk for `page` reads in the table `frame` of a level. */
  onTheWay(values: Int32Array, page: number, level: number, frame: number): Entry {
    return this.read(values, frame * STRIDE + (level === 1 ? page : 0));
  }

  /** The table of a level on the way from the root, or 0. */
  tableAt(values: Int32Array, level: number): number {
    let table = 0;
    for (let at = this.layout.levels; at > level; at--) {
      const entry = this.onTheWay(values, 0, at, table);
      if (entry === EMPTY) return 0;
      table = frameOf(entry);
    }
    return table;
  }

  /** Whether a walk for `page` that begins in the table `frame` of a level ends at the page. */
  reaches(values: Int32Array, page: number, level: number, frame: number): boolean {
    let table = frame;
    for (let at = level; at >= 1; at--) {
      const entry = this.onTheWay(values, page, at, table);
      if (!isPresent(entry)) return false;
      table = frameOf(entry);
    }
    return true;
  }

  #cell(at: number): number {
    const frame = Math.floor(at / STRIDE);
    return this.layout.cells + (frame === 0 ? 0 : 1 + (frame - 1) * 2 + (at % STRIDE));
  }
}
