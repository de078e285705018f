import { type OneToOneTable, SecondLevelPageTable } from "../pagetables/index.js";

/**
 * The checking mode: every translation is compared with a real page table (SecondLevelPageTable) of the same mappings. The pages are
 * mapped there when they are first used, so that a table over a terabyte can be checked too.
 */
export class TranslationCheck {
  private readonly real = new SecondLevelPageTable();
  private readonly mapped = new Set<number>();
  checked = 0;

  constructor(private readonly table: OneToOneTable) {}

  /**
   * @param address what the device asked for
   * @param translated what the hardware model made of it; -1 for a fault
   * @throws Error when the real table says otherwise
   */
  check(address: number, translated: number): void {
    const page = this.table.leafBytes(address);
    if (page > 0) {
      const first = Math.floor(address / page) * page;
      if (!this.mapped.has(first)) {
        this.mapped.add(first);
        const level = page === 4096 ? 1 : page === 2097152 ? 2 : 3;
        this.real.map(first / 4096, first / 4096, page / 4096, 3, undefined, level);
      }
    }
    const pfn = Math.floor(address / 4096);
    const leaf = this.real.lookup(pfn);
    const expected = leaf ? leaf.pfn * 4096 + (address - pfn * 4096) : -1;
    if (expected !== translated) {
      throw new Error(`translation of ${address}: the hardware model says ${translated}, the page table ${expected}`);
    }
    this.checked += 1;
  }
}
