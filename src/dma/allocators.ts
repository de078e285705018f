import { type IovaAllocator, MergedTreeAllocator, RbTreeAllocator } from "../iova/index.js";
import type { ChargedMemory } from "./charged-memory.js";

/** The IOVA allocators that a variant can name. */
export type AllocatorKind = "rbtree" | "rbtree-merged" | "magazines" | "pools";

/** What every allocator is made of. */
export interface AllocatorSetup {
  memory: ChargedMemory;
  /** Address of its first line. */
  base: number;
  cpus: number;
  pools: number;
}

/** Makes an allocator with VT-d's constants. */
export function makeAllocator(kind: AllocatorKind, setup: AllocatorSetup): IovaAllocator {
  const { memory, base, cpus } = setup;
  switch (kind) {
    case "rbtree":
      return new RbTreeAllocator({ memory, base, cpus });
    case "rbtree-merged":
      return new MergedTreeAllocator({ memory, base, cpus });
    default:
      throw new Error(`${kind} is not there yet`);
  }
}
