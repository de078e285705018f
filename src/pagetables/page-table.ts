import {
  PAGE_BYTES,
  PTE_BYTES,
  PTE_LARGE,
  PTE_READ,
  PTE_WRITE,
  PTES_PER_TABLE,
  type Pte,
  pteHigh,
  pteLow,
  ptePfn,
} from "./pte.js";

/**
 * Hears each memory access that page-table code makes, at its physical address, in program order. The listener charges time;
 * the page table itself knows none.
 */
export interface TableMemory {
  /** A read at this address. */
  read(address: number): void;
  /** A write at this address. */
  write(address: number): void;
  /** A locked read-modify-write: the cmpxchg64 that installs a table. */
  atomic(address: number): void;
  /** clflush of the line: only where the IOMMU does not snoop the CPU caches. */
  flush(address: number): void;
}

/** A memory that hears nothing, for tests and for set-up outside simulated time. */
export const silentMemory: TableMemory = { read() {}, write() {}, atomic() {}, flush() {} };

/** Options of a {@link SecondLevelPageTable}. */
export interface PageTableOptions {
  /** 3 (39-bit), 4 (48-bit, what every measured host supports) or 5 levels. */
  levels?: 3 | 4 | 5;
  /** Page walks snoop the CPU caches. If not, every changed line is flushed to memory (`domain_flush_cache`). */
  coherent?: boolean;
  /** Physical address of the first table page; tables follow one another. A multiple of 4096. */
  baseAddress?: number;
}

/** A range that an operation could not use, with the reason in words. */
export class PageTableError extends Error {
  override name = "PageTableError";
}

const hex = (pfn: number): string => `0x${pfn.toString(16)}`;

/**
 * A second-level page table: real 512-entry tables, changed in the order and with the accesses of Linux v4.3's intel-iommu.c.
 *
 * - {@link map} is `__domain_mapping`: walk down (`pfn_to_dma_pte`), installing missing tables by cmpxchg, then write the leaves.
 * - {@link unmap} is `domain_unmap` → `dma_pte_clear_level`: clear every leaf of the range, and collect a table page only when the range
 *   of *this one* call covers everything the table can map. Tables emptied by many small unmaps stay ({@link emptyTables}).
 * - {@link freeTables} is `dma_free_pagelist`, to be called after the invalidation.
 *
 * No lock is taken, as in v4.3: the IOVA allocator gives each range to one owner.
 * Page numbers ("pfn") are numbers of 4 KiB pages, on the device's side (IOVA) and in memory; both stay below 2^52 / 4096.
 */
export class SecondLevelPageTable {
  readonly levels: number;
  readonly coherent: boolean;
  readonly baseAddress: number;
  /** Two 32-bit halves an entry, 512 entries a table, tables one after another: typed, as a map or unmap touches four to six of them. */
  private words = new Uint32Array(64 * PTES_PER_TABLE * 2);
  /** Present entries of each table: for statistics only, Linux keeps no such count. */
  private used = new Uint16Array(64);
  /** Level of each table (1 = its entries map 4 KiB pages); 0 = free. */
  private levelOf = new Uint8Array(64);
  private tables = 1;
  private spare: number[] = [];
  private readonly basePfn: number;
  /** Base pages covered by one entry, by level. */
  private readonly span: number[];
  private leaves = 0;

  constructor(options: PageTableOptions = {}) {
    this.levels = options.levels ?? 4;
    this.coherent = options.coherent ?? true;
    this.baseAddress = options.baseAddress ?? 0x10_0000_0000;
    if (this.baseAddress % PAGE_BYTES !== 0 || this.baseAddress < 0)
      throw new PageTableError(`baseAddress: ${this.baseAddress} is not a multiple of 4096`);
    this.basePfn = this.baseAddress / PAGE_BYTES;
    this.span = [0, 1];
    for (let level = 2; level <= this.levels + 1; level++) this.span.push(this.span[level - 1] * PTES_PER_TABLE);
    this.levelOf[0] = this.levels;
  }

  /** Number of IOVA pages the table can map: pfns run from 0 to one less. */
  get pages(): number {
    return this.span[this.levels + 1];
  }

  /** Physical address of the root table. */
  get rootAddress(): number {
    return this.baseAddress;
  }

  /** Present leaves, large ones counted once. */
  get leafCount(): number {
    return this.leaves;
  }

  /** Table pages in use, the root included, and those collected but not yet freed. */
  get tableCount(): number {
    return this.tables - this.spare.length;
  }

  /** Tables below the root that map nothing: what many small unmaps leave behind, because nothing collects them. */
  get emptyTables(): number {
    let count = 0;
    for (let i = 1; i < this.tables; i++) if (this.levelOf[i] > 0 && this.used[i] === 0) count++;
    return count;
  }

  private newTable(level: number): number {
    const index = this.spare.pop() ?? this.tables++;
    if (index * PTES_PER_TABLE * 2 >= this.words.length) {
      const words = new Uint32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
      const used = new Uint16Array(this.used.length * 2);
      used.set(this.used);
      this.used = used;
      const levelOf = new Uint8Array(this.levelOf.length * 2);
      levelOf.set(this.levelOf);
      this.levelOf = levelOf;
    }
    this.words.fill(0, index * PTES_PER_TABLE * 2, (index + 1) * PTES_PER_TABLE * 2);
    this.used[index] = 0;
    this.levelOf[index] = level;
    return index;
  }

  private checkRange(pfn: number, pages: number): void {
    if (!Number.isSafeInteger(pages) || pages < 1)
      throw new PageTableError(`pages: expected a whole number of at least 1, got ${pages}`);
    if (!Number.isSafeInteger(pfn) || pfn < 0 || pfn + pages > this.pages)
      throw new PageTableError(
        `the range of ${pages} pages from IOVA page ${pfn} lies outside the ${this.levels}-level table (0 to ${hex(this.pages - 1)})`,
      );
  }

  private slot(pfn: number, level: number): number {
    return Math.floor(pfn / this.span[level]) % PTES_PER_TABLE;
  }

  private entryAddress(entry: number): number {
    return this.baseAddress + entry * PTE_BYTES;
  }

  /**
   * The entry for `pfn` at `leafLevel`, as its number (table × 512 + slot); missing tables on the way are installed.
   * Linux v4.3: `pfn_to_dma_pte`.
   */
  private descend(pfn: number, leafLevel: number, memory: TableMemory): number {
    let table = 0;
    for (let level = this.levels; level > leafLevel; level--) {
      const entry = table * PTES_PER_TABLE + this.slot(pfn, level);
      const address = this.entryAddress(entry);
      memory.read(address);
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) === 0) {
        const child = this.newTable(level - 1);
        const childAddress = this.baseAddress + child * PAGE_BYTES;
        // alloc_pgtable_page hands out a zeroed page: 64 lines written, and flushed where the IOMMU does not snoop.
        for (let offset = 0; offset < PAGE_BYTES; offset += 64) {
          memory.write(childAddress + offset);
          if (!this.coherent) memory.flush(childAddress + offset);
        }
        memory.atomic(address);
        this.words[entry * 2] = pteLow(this.basePfn + child, PTE_READ | PTE_WRITE);
        this.words[entry * 2 + 1] = pteHigh(this.basePfn + child);
        this.used[table]++;
        if (!this.coherent) memory.flush(address);
        table = child;
      } else {
        if ((low & PTE_LARGE) !== 0)
          throw new PageTableError(`IOVA page ${hex(pfn)} lies in a large page that is already mapped`);
        table = ptePfn(low, this.words[entry * 2 + 1]) - this.basePfn;
      }
    }
    return table * PTES_PER_TABLE + this.slot(pfn, leafLevel);
  }

  /**
   * Maps `pages` pages from IOVA page `pfn` to memory page `frame` and up.
   * Linux v4.3: `__domain_mapping`. It stores a leaf by `cmpxchg64_local` and warns where the entry was set; here that is charged as a store.
   * v4.3 also takes a large page where a request of 512 pages or more is aligned for one: left out, a caller says its `leafLevel`.
   * @param permission R and W bits
   * @param leafLevel 1: 4 KiB pages; 2: 2 MiB; 3: 1 GiB (`pfn`, `frame` and `pages` must then be multiples of it)
   * @returns the number of leaves written
   * @throws PageTableError when a page is mapped already, or the range does not fit
   */
  map(
    pfn: number,
    frame: number,
    pages: number,
    permission: number,
    memory: TableMemory = silentMemory,
    leafLevel = 1,
  ): number {
    this.checkRange(pfn, pages);
    const span = this.span[leafLevel];
    if (leafLevel < 1 || leafLevel > 3 || pfn % span !== 0 || frame % span !== 0 || pages % span !== 0)
      throw new PageTableError(
        `a mapping with leaves at level ${leafLevel} needs IOVA page, memory page and length in multiples of ${span} pages; got ${hex(pfn)}, ${hex(frame)}, ${pages}`,
      );
    if ((permission & 3) === 0) throw new PageTableError("permission: read, write or both; got neither");
    const flags = (permission & 3) | (leafLevel > 1 ? PTE_LARGE : 0);
    const count = pages / span;
    let written = 0;
    while (written < count) {
      const first = this.descend(pfn + written * span, leafLevel, memory);
      const end = Math.min(first - (first % PTES_PER_TABLE) + PTES_PER_TABLE, first + count - written);
      let flushed = -1;
      for (let entry = first; entry < end; entry++) {
        const address = this.entryAddress(entry);
        if ((this.words[entry * 2] & (PTE_READ | PTE_WRITE)) !== 0)
          throw new PageTableError(`IOVA page ${hex(pfn + written * span)} is already mapped`);
        memory.write(address);
        const target = frame + written * span;
        this.words[entry * 2] = pteLow(target, flags);
        this.words[entry * 2 + 1] = pteHigh(target);
        this.used[(entry / PTES_PER_TABLE) | 0]++;
        this.leaves++;
        written++;
        const line = Math.floor(address / 64);
        if (!this.coherent && flushed !== line && (entry + 1 === end || (address + PTE_BYTES) % 64 === 0)) {
          memory.flush(address);
          flushed = line;
        }
      }
    }
    return written;
  }

  /**
   * Clears every leaf of the range. Pages of the range that are not mapped are passed over, as in Linux.
   * Linux v4.3: `domain_unmap` → `dma_pte_clear_level`.
   * @returns the table pages that this range made unreachable, for {@link freeTables} after the invalidation
   * @throws PageTableError when the range would cut a large page (v4.3 has no split here)
   */
  unmap(pfn: number, pages: number, memory: TableMemory = silentMemory): number[] {
    this.checkRange(pfn, pages);
    const collected: number[] = [];
    this.clearLevel(0, this.levels, 0, pfn, pfn + pages - 1, memory, collected);
    return collected;
  }

  private clearLevel(
    table: number,
    level: number,
    tablePfn: number,
    first: number,
    last: number,
    memory: TableMemory,
    collected: number[],
  ): void {
    const span = this.span[level];
    const from = Math.max(0, Math.floor((first - tablePfn) / span));
    const to = Math.min(PTES_PER_TABLE - 1, Math.floor((last - tablePfn) / span));
    let firstCleared = -1;
    let lastCleared = -1;
    for (let slot = from; slot <= to; slot++) {
      const entry = table * PTES_PER_TABLE + slot;
      const address = this.entryAddress(entry);
      memory.read(address);
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) === 0) continue;
      const entryPfn = tablePfn + slot * span;
      const leaf = level === 1 || (low & PTE_LARGE) !== 0;
      if (first <= entryPfn && last >= entryPfn + span - 1) {
        if (leaf) this.leaves--;
        else this.collect(ptePfn(low, this.words[entry * 2 + 1]) - this.basePfn, level - 1, memory, collected);
        memory.write(address);
        this.words[entry * 2] = 0;
        this.words[entry * 2 + 1] = 0;
        this.used[table]--;
        if (firstCleared < 0) firstCleared = address;
        lastCleared = address;
      } else if (leaf) {
        throw new PageTableError(
          `the range ${hex(first)}–${hex(last)} cuts the large page at IOVA page ${hex(entryPfn)}; unmap it as a whole`,
        );
      } else {
        const child = ptePfn(low, this.words[entry * 2 + 1]) - this.basePfn;
        this.clearLevel(child, level - 1, entryPfn, first, last, memory, collected);
      }
    }
    if (!this.coherent && firstCleared >= 0)
      for (let line = firstCleared - (firstCleared % 64); line <= lastCleared; line += 64) memory.flush(line);
  }

  /** `dma_pte_list_pagetables`: the whole subtree goes, its entries are not cleared one by one. */
  private collect(table: number, level: number, memory: TableMemory, collected: number[]): void {
    collected.push(table);
    for (let slot = 0; slot < PTES_PER_TABLE; slot++) {
      const entry = table * PTES_PER_TABLE + slot;
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) !== 0) {
        if (level === 1 || (low & PTE_LARGE) !== 0) this.leaves--;
        else this.collect(ptePfn(low, this.words[entry * 2 + 1]) - this.basePfn, level - 1, memory, collected);
      }
      // At level 1 nothing below is looked for; above, every entry is read.
      if (level > 1) memory.read(this.entryAddress(entry));
    }
  }

  /** Gives collected table pages back (Linux v4.3: `dma_free_pagelist`). Call it only after the invalidation has completed. */
  freeTables(collected: readonly number[]): void {
    for (const table of collected) {
      if (table < 1 || table >= this.tables || this.levelOf[table] === 0)
        throw new PageTableError(`table page ${table} is not in use`);
      this.levelOf[table] = 0;
      this.used[table] = 0;
      this.spare.push(table);
    }
  }

  /** The leaf that translates an IOVA page, or undefined: what a page walk finds. */
  lookup(pfn: number): (Pte & { level: number }) | undefined {
    this.checkRange(pfn, 1);
    let table = 0;
    for (let level = this.levels; level >= 1; level--) {
      const entry = table * PTES_PER_TABLE + this.slot(pfn, level);
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) === 0) return undefined;
      const target = ptePfn(low, this.words[entry * 2 + 1]);
      if (level === 1 || (low & PTE_LARGE) !== 0)
        return {
          pfn: target + (pfn % this.span[level]),
          permission: low & (PTE_READ | PTE_WRITE),
          large: level > 1,
          level,
        };
      table = target - this.basePfn;
    }
    return undefined;
  }

  /** Where an IOVA page leads: the memory page, or -1. What {@link lookup} says, without an object. */
  frameOf(pfn: number): number {
    let table = 0;
    for (let level = this.levels; level >= 1; level--) {
      const entry = table * PTES_PER_TABLE + this.slot(pfn, level);
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) === 0) return -1;
      const target = ptePfn(low, this.words[entry * 2 + 1]);
      if (level === 1 || (low & PTE_LARGE) !== 0) return target + (pfn % this.span[level]);
      table = target - this.basePfn;
    }
    return -1;
  }

  /** Physical address of the entry that a walk to `pfn` reads at a level, or -1 where the walk has ended above it. */
  walkAddress(pfn: number, level: number): number {
    let table = 0;
    for (let at = this.levels; ; at--) {
      const entry = table * PTES_PER_TABLE + this.slot(pfn, at);
      if (at === level) return this.entryAddress(entry);
      const low = this.words[entry * 2];
      if ((low & (PTE_READ | PTE_WRITE)) === 0 || (low & PTE_LARGE) !== 0) return -1;
      table = ptePfn(low, this.words[entry * 2 + 1]) - this.basePfn;
    }
  }

  /** The entry stored at a physical address inside the tables: what a hardware walker reads. */
  entryAt(address: number): Pte {
    const entry = (address - this.baseAddress) / PTE_BYTES;
    if (!Number.isInteger(entry) || entry < 0 || entry >= this.tables * PTES_PER_TABLE)
      throw new PageTableError(`address ${hex(address)} holds no entry of this table`);
    const low = this.words[entry * 2];
    return {
      pfn: ptePfn(low, this.words[entry * 2 + 1]),
      permission: low & (PTE_READ | PTE_WRITE),
      large: (low & PTE_LARGE) !== 0,
    };
  }
}
