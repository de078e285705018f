import {
  type IovaAllocator,
  MagazineAllocator,
  MergedTreeAllocator,
  PoolAllocator,
  RbTreeAllocator,
  Rcache6Allocator,
  rulesOf,
  type Uncharged,
} from "../iova/index.js";
import type { ChargedMemory } from "./charged-memory.js";

/** The IOVA allocators that a variant can name. */
export type AllocatorKind = "rbtree" | "rbtree-merged" | "magazines" | "pools" | "rcache6";

/** What every allocator is made of. */
export interface AllocatorSetup {
  memory: ChargedMemory | null;
  /** Address of its first line. */
  base: number;
  cpus: number;
  pools: number | "cpus";
  /** Pools: flush only when a search starts over (lib/iommu-common's lazy_flush). */
  lazyFlush: boolean;
  /** rcache6: the release of Linux whose rules it has. */
  release?: string | undefined;
  /** rcache6: pages of the largest range that its caches keep, where that is not Linux's. */
  largestCached?: number | undefined;
  /** rcache6: hears that a depot's delayed work is armed, on which CPU. */
  onArm?: (bin: number, cpu: number) => void;
  /** Trees: a part that is left out of the charge, for an ablation. */
  uncharged?: Uncharged | undefined;
}

/** The pools' table: the 3 GiB of addresses below 4 GiB. */
const poolEntries = 3 << 18;
const poolBase = 1 << 18;

/** Makes an allocator with VT-d's constants. */
export function makeAllocator(kind: AllocatorKind, setup: AllocatorSetup): IovaAllocator {
  const { memory, base, cpus, uncharged = "none" } = setup;
  switch (kind) {
    case "rbtree":
      return new RbTreeAllocator({ memory, base, cpus, uncharged });
    case "rbtree-merged":
      return new MergedTreeAllocator({ memory, base, cpus, uncharged });
    case "magazines":
      return new MagazineAllocator({ memory, base, cpus });
    case "rcache6":
      return new Rcache6Allocator({
        memory,
        base,
        cpus,
        ...(setup.release ? rulesOf(setup.release) : {}),
        ...(setup.largestCached ? { largestCached: setup.largestCached } : {}),
        ...(setup.onArm ? { onArm: setup.onArm } : {}),
      });
    case "pools":
      return new PoolAllocator({
        memory,
        base,
        cpus,
        ...(setup.pools === "cpus" ? { poolPerCpu: true } : { pools: setup.pools }),
        entries: poolEntries,
        tableBase: poolBase,
        flushCallback: setup.lazyFlush,
        aligned: true,
      });
  }
}
