import type { Hardware } from "./hardware.js";
import type { SmallMemory } from "./memory.js";
import type { ProcessStep, Range } from "./process.js";
import type { StateLayout } from "./state.js";
import type { OneToOneVariant } from "./variants.js";

/** Bounds of an exploration. */
export interface OneToOneSystem {
  readonly variant: OneToOneVariant;
  /** CPUs that map and unmap, 1 to 3. */
  readonly cpus: number;
  /** Maps, each with its unmap, a CPU, 1 to 3. */
  readonly pairs: number;
  /** What a CPU may map: pages of one table, 0 and 1. */
  readonly ranges: readonly Range[];
  /** Levels of tables, 2 or 3. */
  readonly levels: number;
}

/** What a state of the model is made of: what its properties and its descriptions look at. */
export interface StateView {
  readonly system: OneToOneSystem;
  readonly layout: StateLayout;
  readonly memory: SmallMemory;
  readonly hardware: Hardware;
  /** The step that a CPU's program waits for in a state, or undefined where it has ended. */
  stepOf(values: Int32Array, cpu: number): ProcessStep | undefined;
}

/** What CPUs map: each of the pages; where the cleanup waits for an unmap that covers a table, one page or both at once. */
export function rangesFor(variant: OneToOneVariant, pages: number): Range[] {
  if (pages === 1) return [{ page: 0, pages: 1 }];
  return variant.cleanup === "covering"
    ? [
        { page: 0, pages: 1 },
        { page: 0, pages: 2 },
      ]
    : [
        { page: 0, pages: 1 },
        { page: 1, pages: 1 },
      ];
}
