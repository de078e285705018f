/**
 * Every kind of time a core can spend, with the part of the breakdown that it belongs to and the Linux v4.3 function that it stands for.
 * A step's number indexes the accounts; the order is the order in which tables show them.
 */

/** The parts of the breakdown. Their fractions sum to one. */
export type Part = "stack" | "spinning" | "tree" | "page table" | "invalidation" | "api" | "waiting";

/** The parts in the order of every table and picture. */
export const parts: readonly Part[] = ["stack", "spinning", "tree", "page table", "invalidation", "api", "waiting"];

/** A kind of time. */
export interface Step {
  /** Function of Linux v4.3 (or what stands in its place), as a table shows it. */
  name: string;
  part: Part;
  /** What happens there, in plain words. */
  what: string;
}

const step = (name: string, part: Part, what: string): Step => ({ name, part, what });

/** The steps' numbers, in the order of {@link steps}: a core that has nothing to do. */
export const STEP_IDLE = 0;
/** A core that works for the network stack. */
export const STEP_STACK = 1;
export const STEP_MAP_API = 2;
export const STEP_ALLOCATE = 3;
export const STEP_PTE_WRITE = 4;
export const STEP_UNMAP_API = 5;
export const STEP_FIND = 6;
export const STEP_PTE_CLEAR = 7;
export const STEP_QI_SUBMIT = 8;
export const STEP_QI_POLL = 9;
export const STEP_FREE = 10;
export const STEP_FREE_TABLES = 11;
export const STEP_APPEND = 12;
export const STEP_DEVICES = 13;
export const STEP_SPIN_TREE = 14;
export const STEP_SPIN_ASYNC = 15;
export const STEP_SPIN_QI = 16;
export const STEP_SPIN_DEVICES = 17;
/** Waiting for the lock that is held over a whole invalidation: a domain's list of cache tags (6.10), AMD's domain and command locks. */
export const STEP_SPIN_DOMAIN = 18;
/** A page or buffer that stays mapped goes round its pool. */
export const STEP_RECYCLE = 19;
/** The processor copies between a buffer and the one that the device sees. */
export const STEP_COPY = 20;

/** The steps by number. */
export const steps: readonly Step[] = [
  step("idle", "waiting", "no packet, no runnable thread"),
  step("network stack", "stack", "everything that is not DMA mapping: softirq, TCP, sockets, the application"),
  step("__intel_map_single", "api", "checks, page count, choice of the limit"),
  step("alloc_iova", "tree", "a node from the slab, the downward search, insertion and rebalancing"),
  step("__domain_mapping", "page table", "walk to the leaf table, write the entry"),
  step("intel_unmap", "api", "checks, range of the unmap"),
  step("find_iova", "tree", "descent from the root to the range"),
  step("dma_pte_clear_level", "page table", "walk to the leaf table, clear the entry"),
  step("qi_submit_sync: submit", "invalidation", "write two descriptors and the tail register, under q_lock"),
  step("qi_submit_sync: poll", "invalidation", "wait for the status word, dropping and retaking q_lock each turn"),
  step("__free_iova", "tree", "take the range out of the tree, rebalance, give the node back"),
  step("dma_free_pagelist", "page table", "free the table pages that the unmap collected"),
  step("add_unmap", "invalidation", "append to the deferred flush table"),
  step(
    "iommu_flush_dev_iotlb",
    "invalidation",
    "look for devices with ATS in the domain's list, under device_domain_lock",
  ),
  step("spin: allocator lock", "spinning", "waiting for iova_rbtree_lock, or for the lock that replaces it"),
  step("spin: async_umap_flush_lock", "spinning", "waiting for the lock of the deferred flush table"),
  step("spin: q_lock", "spinning", "waiting for the lock of the invalidation queue"),
  step("spin: device_domain_lock", "spinning", "waiting for the list of devices"),
  step("spin: cache_lock", "spinning", "waiting for the lock that is held over the domain's invalidations"),
  step("page_pool", "api", "a page that stays mapped goes back to its pool, and comes from it again"),
  step("pool_copy", "page table", "copying between a buffer and its bounce buffer"),
];

/** What a core does when it spends the time: nothing of DMA, a map, an unmap, or a deferred flush. */
export const contexts = ["none", "map", "unmap", "flush"] as const;
/** One of {@link contexts}. */
export type Context = (typeof contexts)[number];
export const CONTEXT_NONE = 0;
export const CONTEXT_MAP = 1;
export const CONTEXT_UNMAP = 2;
export const CONTEXT_FLUSH = 3;
