import { frameOf, isPresent, STRIDE } from "../../../pagetables/index.js";
import { PAGES, type SmallMemory } from "./memory.js";
import { WALKER_USED_FREED } from "./state.js";

/** What the hardware does next. */
export type HardwareAction =
  /** The device asks for a page that the IOTLB has not: a walk begins, from the deepest table that the caches hold, or at the root. */
  | { readonly kind: "walk"; readonly page: number }
  /** The walk under way reads its next entry. */
  | { readonly kind: "read" }
  /** The IOTLB loses a page. */
  | { readonly kind: "drop page"; readonly page: number }
  /** The paging-structure caches lose the table of a level. */
  | { readonly kind: "drop table"; readonly level: number };

/**
 * The IOMMU's side: one walker, an IOTLB and paging-structure caches that keep what they read and lose it whenever they like.
 * A device asks for any page at any time. The walk under way is one variable: 1 + page + 2 × (level − 1 + 2 × table), 0 for none.
 */
export class Hardware {
  readonly #actions: HardwareAction[] = [];
  readonly #levels: number;

  constructor(private readonly memory: SmallMemory) {
    this.#levels = memory.layout.levels;
    for (let page = 0; page < PAGES; page++) this.#actions.push({ kind: "walk", page });
    this.#actions.push({ kind: "read" });
    for (let page = 0; page < PAGES; page++) this.#actions.push({ kind: "drop page", page });
    for (let level = 1; level < this.#levels; level++) this.#actions.push({ kind: "drop table", level });
  }

  /** Everything that it can ever do, in order. */
  get actions(): readonly HardwareAction[] {
    return this.#actions;
  }

  /** Whether no walk is under way. */
  idle(values: Int32Array): boolean {
    return values[this.memory.layout.walker] === 0;
  }

  /** Does an action, in place. @returns whether it can be done, and changes something */
  act(action: HardwareAction, values: Int32Array): boolean {
    const { layout } = this.memory;
    switch (action.kind) {
      case "walk": {
        if (!this.idle(values) || values[layout.iotlb] & (1 << action.page)) return false;
        let level = 1;
        while (level < this.#levels && values[layout.caches + level - 1] === 0) level++;
        if (level === this.#levels) return this.#readEntry(values, action.page, level, 0);
        this.#continue(values, action.page, level, values[layout.caches + level - 1]);
        return true;
      }
      case "read": {
        if (this.idle(values)) return false;
        const { page, level, frame } = this.walk(values);
        values[layout.walker] = 0;
        this.#readEntry(values, page, level, frame);
        return true;
      }
      case "drop page":
        if ((values[layout.iotlb] & (1 << action.page)) === 0) return false;
        values[layout.iotlb] &= ~(1 << action.page);
        return true;
      case "drop table":
        if (values[layout.caches + action.level - 1] === 0) return false;
        values[layout.caches + action.level - 1] = 0;
        return true;
    }
  }

  /** An invalidation: the translations of these pages go, and the tables on their way unless it is for leaves only. */
  invalidate(values: Int32Array, page: number, pages: number, leafOnly: boolean): void {
    const { layout } = this.memory;
    for (let each = page; each < page + pages; each++) values[layout.iotlb] &= ~(1 << each);
    if (!leafOnly) values.fill(0, layout.caches, layout.caches + this.#levels - 1);
  }

  /** The walk under way. */
  walk(values: Int32Array): { page: number; level: number; frame: number } {
    const code = values[this.memory.layout.walker] - 1;
    return { page: code % 2, level: (Math.floor(code / 2) % 2) + 1, frame: Math.floor(code / 4) };
  }

  #continue(values: Int32Array, page: number, level: number, frame: number): void {
    values[this.memory.layout.walker] = 1 + page + 2 * (level - 1 + 2 * frame);
  }

  /** Reads one entry of a walk. @returns whether it found something */
  #readEntry(values: Int32Array, page: number, level: number, frame: number): boolean {
    const { layout } = this.memory;
    if (!this.memory.usable(values, frame * STRIDE)) {
      values[layout.error] = WALKER_USED_FREED;
      return true;
    }
    const entry = this.memory.onTheWay(values, page, level, frame);
    if (!isPresent(entry)) return false;
    if (level === 1) values[layout.iotlb] |= 1 << page;
    else {
      values[layout.caches + level - 2] = frameOf(entry);
      this.#continue(values, page, level - 1, frameOf(entry));
    }
    return true;
  }
}
