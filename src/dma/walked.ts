/** A domain's tables as the hardware walks them: entries are read when the walk comes to them, whatever software does meanwhile. */
import type { WalkedTable } from "../iommu/index.js";
import {
  type EntryMemory,
  PAGE_BYTES,
  type PageBytes,
  PTE_BYTES,
  type SecondLevelPageTable,
} from "../pagetables/index.js";

const sizes: readonly PageBytes[] = [4096];
const pageOf = (address: number): number => Math.floor(address * (1 / PAGE_BYTES));

/** Second-level tables as v4.3 writes them, with leaves of 4 KiB. */
export function walkedPageTable(table: SecondLevelPageTable): WalkedTable {
  return {
    sizes,
    leafBytes: (address) => (table.frameOf(pageOf(address)) < 0 ? 0 : 4096),
    frame: (address) => table.frameOf(pageOf(address)),
    entryAddress: (level, address) => table.walkAddress(pageOf(address), level),
  };
}

/** The tables of dynamic 1:1. */
export function walkedEntries(memory: EntryMemory): WalkedTable {
  return {
    sizes,
    leafBytes: (address) => (memory.walk(pageOf(address)) === undefined ? 0 : 4096),
    frame: (address) => memory.walk(pageOf(address))?.frame ?? -1,
    entryAddress: (level, address) => {
      const at = memory.walkAddress(pageOf(address), level);
      return at < 0 ? -1 : at * PTE_BYTES;
    },
  };
}
