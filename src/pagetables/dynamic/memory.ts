import { PageTableError } from "../page-table.js";
import type { Design, DynamicTable } from "./design.js";
import { countOf, EMPTY, type Entry, frameOf, isPresent, permissionOf, toBits } from "./entry.js";
import { entryAt, newPath, STRIDE } from "./path.js";
import type { Access, StepMachine } from "./steps.js";

/** A table page that waits for its grace period. */
interface Waiting {
  frame: number;
  /** Operations that were under way when it was retired, by CPU. */
  operations: Set<number>;
}

/**
 * Memory of tables for dynamic 1:1: executes the programs' steps, one at a time, and watches that no table page is used after it was freed.
 *
 * It is the plain memory under every driver: at once, interleaved by chance, or on simulated cores that are charged for each step. Who
 * interleaves operations says where each begins and ends ({@link begin}, {@link end}); a grace period lasts until those under way have ended.
 * @example
 * const memory = new EntryMemory(dynamicDesign());
 * runToEnd(mapPages(memory.table, 0, aliasOf(7, 3), 7, 1, 3), memory);
 * memory.walk(aliasOf(7, 3)); // { frame: 7, permission: 3 }
 */
export class EntryMemory implements StepMachine {
  readonly table: DynamicTable;
  private readonly pages = new Map<number, Float64Array>();
  private spare: number[] = [];
  private next: number;
  private waiting: Waiting[] = [];
  private readonly operations = new Set<number>();
  private current = -1;
  /** Most table pages in use at once, the root and those that wait to be freed included. */
  highWater = 0;

  /**
   * @param firstFrame page number of the root; table pages follow it
   * @param flushed hears of each flush, at the moment at which it is executed
   */
  constructor(
    readonly design: Design,
    firstFrame = 0x100_0000,
    private readonly flushed: (iova: number, pages: number, leafOnly: boolean) => void = () => {},
  ) {
    this.next = firstFrame;
    this.table = { design, root: this.allocate() };
  }

  /** An operation of this CPU begins. */
  begin(cpu: number): void {
    this.operations.add(cpu);
  }

  /** The operation of this CPU has ended: pages whose grace period this ends are free. */
  end(cpu: number): void {
    this.operations.delete(cpu);
    for (const { operations } of this.waiting) operations.delete(cpu);
    this.release();
  }

  /** Says whose steps follow. */
  as(cpu: number): this {
    this.current = cpu;
    return this;
  }

  step(access: Access): number {
    switch (access.kind) {
      case "read":
        return this.entries(access.at)[access.at % STRIDE];
      case "exchange": {
        const entries = this.entries(access.at);
        const slot = access.at % STRIDE;
        const before = entries[slot];
        if (before === access.expected) entries[slot] = access.desired;
        return before;
      }
      case "allocate":
        return this.allocate();
      case "free":
        this.free(access.frame);
        return 0;
      case "retire": {
        const operations = new Set(this.operations);
        operations.delete(this.current);
        this.waiting.push({ frame: access.frame, operations });
        this.release();
        return 0;
      }
      case "flush":
        this.flushed(access.iova, access.pages, access.leafOnly);
        return 0;
    }
  }

  /** Table pages in use: linked, or waiting to be freed. */
  get tableCount(): number {
    return this.pages.size;
  }

  /** Present leaves, how often they are mapped in all, and table pages below the root in which nothing stands. */
  statistics(): { leaves: number; uses: number; emptyTables: number } {
    const linked = new Map<number, number>([[this.table.root, this.design.levels]]);
    let leaves = 0;
    let uses = 0;
    let emptyTables = 0;
    for (const [frame, level] of linked) {
      let inside = 0;
      for (const entry of this.pages.get(frame) as Float64Array) {
        if (entry === EMPTY) continue;
        inside++;
        if (level > 1) linked.set(frameOf(entry), level - 1);
        else {
          leaves++;
          uses += countOf(entry);
        }
      }
      if (inside === 0 && level < this.design.levels) emptyTables++;
    }
    return { leaves, uses, emptyTables };
  }

  /** What a walk of the hardware finds from the root now, or undefined. */
  walk(iova: number): { frame: number; permission: number } | undefined {
    const { levels } = this.design;
    const path = newPath(this.table, iova);
    let permission = 3;
    for (let level = levels; level >= 1; level--) {
      const entry = this.entry(entryAt(this.table, path, level));
      if (!isPresent(entry)) return undefined;
      permission &= permissionOf(entry);
      if (level === 1) return { frame: frameOf(entry), permission };
      path.tables[level - 1] = frameOf(entry);
    }
    return undefined;
  }

  /** Address, in entries, of the entry that a walk to a page reads at a level, or -1 where the walk has ended above it. */
  walkAddress(iova: number, level: number): number {
    const path = newPath(this.table, iova);
    for (let at = this.design.levels; ; at--) {
      const address = entryAt(this.table, path, at);
      if (at === level) return address;
      const entry = this.entry(address);
      if (!isPresent(entry)) return -1;
      path.tables[at - 1] = frameOf(entry);
    }
  }

  /** The entry at an address. */
  entry(at: number): Entry {
    return this.entries(at)[at % STRIDE];
  }

  /** The 64 bits at an address. */
  bits(at: number): bigint {
    return toBits(this.entry(at), this.design.layout);
  }

  /** Entries that hold something, by address: every table page that is in use, the root first. */
  *used(): Generator<{ frame: number; slot: number; entry: Entry }> {
    for (const [frame, entries] of this.pages)
      for (let slot = 0; slot < STRIDE; slot++)
        if (entries[slot] !== EMPTY) yield { frame, slot, entry: entries[slot] };
  }

  private entries(at: number): Float64Array {
    const page = this.pages.get(Math.floor(at / STRIDE));
    if (!page)
      throw new PageTableError(`table page 0x${Math.floor(at / STRIDE).toString(16)} was used after it was freed`);
    return page;
  }

  private allocate(): number {
    const frame = this.spare.pop() ?? this.next++;
    this.pages.set(frame, new Float64Array(STRIDE));
    this.highWater = Math.max(this.highWater, this.pages.size);
    return frame;
  }

  private free(frame: number): void {
    if (!this.pages.delete(frame)) throw new PageTableError(`table page 0x${frame.toString(16)} was freed twice`);
    this.spare.push(frame);
  }

  private release(): void {
    if (!this.waiting.some(({ operations }) => operations.size === 0)) return;
    for (const { frame, operations } of this.waiting) if (operations.size === 0) this.free(frame);
    this.waiting = this.waiting.filter(({ operations }) => operations.size > 0);
  }
}
