/**
 * What a core does in a map, an unmap and a flush, as Linux v4.3 (and v4.9, and the thread's wording) orders it: one line a function or
 * lock event. {@link DmaApi} runs these programs; reading them is reading the kernel's order of events.
 */
import type { Variant } from "./variants.js";

/** One line of a program. */
export type Line =
  /** `__intel_map_single` up to the allocation */
  | "map: api"
  /** `alloc_iova`, with the lock around `__alloc_and_insert_iova_range` */
  | "map: allocate"
  /** `__domain_mapping`, no lock */
  | "map: write entries"
  /** `intel_unmap` up to the lookup */
  | "unmap: api"
  /** `find_iova`, with its lock */
  | "unmap: find"
  /** `domain_unmap` → `dma_pte_clear_level`, no lock */
  | "unmap: clear entries"
  /** `iommu_flush_iotlb_psi` → `qi_submit_sync`, waited for */
  | "unmap: invalidate"
  /** `iommu_flush_dev_iotlb`, under `device_domain_lock`; nothing without ATS */
  | "unmap: invalidate device"
  /** `__free_iova`, with its lock */
  | "unmap: free"
  /** `dma_free_pagelist` */
  | "unmap: free tables"
  /** `add_unmap`: append, arm the timer */
  | "unmap: append"
  /** The allocator's lock from here on: the thread's wording. */
  | "take tree lock"
  | "drop tree lock"
  /** `async_umap_flush_lock` */
  | "take async lock"
  | "drop async lock"
  /** `add_unmap`: where the table is full, {@link Programs.flush} first */
  | "flush if full"
  | "flush"
  /** `flush_unmaps`: one global invalidation, waited for */
  | "flush: invalidate all"
  /** the next entry, or past the matching "flush: loop" */
  | "flush: next entry"
  | "flush: invalidate entry"
  | "flush: invalidate entry in device"
  /** `__free_iova` of the entry: the tree lock inside the async lock */
  | "flush: free"
  | "flush: free tables"
  | "flush: loop"
  /** v4.9: the next CPU's table */
  | "flush: next queue"
  | "return"
  | "end";

/** The programs of a variant. */
export interface Programs {
  map: readonly Line[];
  unmap: readonly Line[];
  /** Called by "flush if full" and "flush". */
  flush: readonly Line[];
  /** The timer's softirq. */
  timer: readonly Line[];
}

const none: readonly Line[] = ["return"];
const map: readonly Line[] = ["map: api", "map: allocate", "map: write entries", "end"];
const entryLoop: readonly Line[] = [
  "flush: next entry",
  "flush: invalidate entry in device",
  "flush: free",
  "flush: free tables",
  "flush: loop",
];
const global: readonly Line[] = ["flush: invalidate all", ...entryLoop];

/** The programs of a variant, line by line. */
export function programsOf(variant: Variant): Programs {
  if (variant.policy === "none")
    return { map: ["map: api", "end"], unmap: ["unmap: api", "end"], flush: none, timer: ["end"] };
  if (variant.policy === "flush-on-wrap")
    return {
      map,
      unmap: ["unmap: api", "unmap: clear entries", "unmap: free", "unmap: free tables", "end"],
      flush: none,
      timer: ["end"],
    };
  if (variant.policy === "strict") {
    const body: readonly Line[] = ["unmap: clear entries", "unmap: invalidate", "unmap: invalidate device"];
    return {
      map,
      unmap: variant.treeLockHeld
        ? [
            "unmap: api",
            "take tree lock",
            "unmap: find",
            ...body,
            "unmap: free",
            "drop tree lock",
            "unmap: free tables",
            "end",
          ]
        : ["unmap: api", "unmap: find", ...body, "unmap: free", "unmap: free tables", "end"],
      flush: none,
      timer: ["end"],
    };
  }
  if (variant.policy === "deferred-per-cpu")
    return {
      map,
      unmap: [
        "unmap: api",
        "unmap: find",
        "unmap: clear entries",
        "flush if full",
        "take async lock",
        "unmap: append",
        "drop async lock",
        "end",
      ],
      flush: ["take async lock", ...global, "drop async lock", "flush: next queue", "return"],
      timer: ["flush", "end"],
    };
  return {
    map,
    unmap: [
      "unmap: api",
      "unmap: find",
      "unmap: clear entries",
      "take async lock",
      "flush if full",
      "unmap: append",
      "drop async lock",
      "end",
    ],
    flush: variant.treeLockHeld
      ? [
          "take tree lock",
          "flush: next entry",
          "flush: invalidate entry",
          "flush: invalidate entry in device",
          "flush: free",
          "flush: free tables",
          "flush: loop",
          "drop tree lock",
          "return",
        ]
      : [...global, "return"],
    timer: ["take async lock", "flush", "drop async lock", "end"],
  };
}

/** Where "flush: next entry" goes when there is none: past the loop's end. */
export function loopEnd(program: readonly Line[], from: number): number {
  return program.indexOf("flush: loop", from) + 1;
}
