import type { Uncharged } from "../iova/index.js";
import type { Cleanup, Sharing } from "../pagetables/index.js";
import type { AllocatorKind } from "./allocators.js";

/** When an unmapped translation is taken out of the IOMMU's caches. */
export type Policy =
  /** No translation at all: no IOMMU, or one that the request passes by. */
  | "none"
  /** Each unmap waits for a page-selective invalidation (v4.3, intel_iommu=strict). */
  | "strict"
  /** Unmaps are queued; at 250 or after 10 ms one global invalidation, then the ranges are freed (v4.3's default). */
  | "deferred"
  /** The deferred queue with one table a CPU (v4.9). */
  | "deferred-per-cpu"
  /** lib/iommu-common: nothing at unmap; one global invalidation when a pool wraps. */
  | "flush-on-wrap";

/** A way of mapping, by name. */
export interface Variant {
  name: string;
  title: string;
  /** What it is, in one sentence a newcomer reads. */
  about: string;
  allocator: AllocatorKind | "none";
  policy: Policy;
  /** The thread's wording: the tree lock is held over the invalidations, one page-selective invalidation an entry. */
  treeLockHeld?: boolean;
  /** A reference on each memory page from its map until its flush is complete: pages are not reused before (strict-ish). */
  holdsPages?: boolean;
  /** Dynamic 1:1: what a page that is mapped already and an empty table meet. The allocator is then the fallback's. */
  oneToOne?: { readonly sharing: Sharing; readonly cleanup: Cleanup };
  /** Pools only: how many. */
  pools?: number;
  /** Trees: a part of their work that is left out of the charge (an ablation; no named variant has one). */
  uncharged?: Uncharged;
}

const pools = (n: number): Variant => ({
  name: `pools-${n}`,
  title: `${n} pool${n === 1 ? "" : "s"}, strict`,
  about: `The bitmap allocator of lib/iommu-common with ${n} pool${n === 1 ? "" : "s"}; every unmap waits for its invalidation.`,
  allocator: "pools",
  policy: "strict",
  pools: n,
});

const oneToOne = (
  name: string,
  title: string,
  about: string,
  cleanup: Cleanup,
  sharing: Sharing = "count",
  policy: Policy = "strict",
): Variant => ({ name, title, about, allocator: "rbtree", policy, oneToOne: { sharing, cleanup } });

/** The named variants, in the order in which a reader meets them. */
export const variants: readonly Variant[] = [
  {
    name: "off",
    title: "off",
    about: "No IOMMU: the bus address is the memory address.",
    allocator: "none",
    policy: "none",
  },
  {
    name: "pass-through",
    title: "pass-through",
    about:
      "The IOMMU is on, the request carries the bypass attribute: the driver is asked, and answers with the memory address.",
    allocator: "none",
    policy: "none",
  },
  {
    name: "static-identity",
    title: "static 1:1",
    about: "Page tables for all memory made once at boot; map and unmap change nothing.",
    allocator: "none",
    policy: "none",
  },
  {
    name: "strict",
    title: "strict (v4.3)",
    about: "The red-black tree, and each unmap waits for a page-selective invalidation.",
    allocator: "rbtree",
    policy: "strict",
  },
  {
    name: "deferred",
    title: "deferred (v4.3 default)",
    about: "The red-black tree; unmaps are queued and flushed together at 250 entries or after 10 ms.",
    allocator: "rbtree",
    policy: "deferred",
  },
  {
    name: "thread-strict",
    title: "strict, as the thread words it",
    about: "As strict, with the tree lock held from the lookup to the free, over the invalidation.",
    allocator: "rbtree",
    policy: "strict",
    treeLockHeld: true,
  },
  {
    name: "thread-deferred",
    title: "deferred, as the thread words it",
    about:
      "As deferred, but the queue is drained under the tree lock, one page-selective invalidation an entry, never a whole flush.",
    allocator: "rbtree",
    policy: "deferred",
    treeLockHeld: true,
  },
  {
    name: "merged-strict",
    title: "merged nodes, strict",
    about: "As strict, with nodes of abutting ranges merged and split again on unmap.",
    allocator: "rbtree-merged",
    policy: "strict",
  },
  {
    name: "merged-deferred",
    title: "merged nodes, deferred",
    about: "As deferred, with nodes of abutting ranges merged and split again on unmap.",
    allocator: "rbtree-merged",
    policy: "deferred",
  },
  {
    name: "merged-thread-strict",
    title: "merged nodes, strict, as the thread words it",
    about: "As thread-strict, with nodes of abutting ranges merged and split again on unmap.",
    allocator: "rbtree-merged",
    policy: "strict",
    treeLockHeld: true,
  },
  {
    name: "merged-thread-deferred",
    title: "merged nodes, deferred, as the thread words it",
    about: "As thread-deferred, with nodes of abutting ranges merged and split again on unmap.",
    allocator: "rbtree-merged",
    policy: "deferred",
    treeLockHeld: true,
  },
  {
    name: "magazines-strict",
    title: "magazines, strict",
    about: "Per-CPU magazines in front of the tree; every unmap waits for its invalidation.",
    allocator: "magazines",
    policy: "strict",
  },
  {
    name: "magazines-deferred",
    title: "magazines, deferred",
    about: "Per-CPU magazines and a deferred queue a CPU, as Linux had them from 2016.",
    allocator: "magazines",
    policy: "deferred-per-cpu",
  },
  ...[1, 2, 4, 8, 16].map(pools),
  ...[1, 2, 4, 8, 16].map((n) => ({
    ...pools(n),
    name: `pools-${n}-lazy`,
    title: `${n} pool${n === 1 ? "" : "s"}, lazy flush`,
    about: `The bitmap allocator with ${n} pool${n === 1 ? "" : "s"} and its lazy_flush: one global invalidation when a pool wraps, none at unmap.`,
    policy: "flush-on-wrap" as const,
  })),
  {
    name: "strict-ish",
    title: "magazines, strict-ish",
    about:
      "As magazines, deferred, but a mapped page is held until its flush is complete: it goes to nobody else while the device may reach it.",
    allocator: "magazines",
    policy: "deferred-per-cpu",
    holdsPages: true,
  },
  oneToOne(
    "one-to-one-strict",
    "dynamic 1:1, strict",
    "IOVA = physical address, entries stored by compare-exchange, live counts in the tables' entries; every unmap that clears waits for its invalidation.",
    "live-count",
  ),
  oneToOne(
    "one-to-one-never",
    "dynamic 1:1, strict, tables stay",
    "As dynamic 1:1, strict, but empty tables are never freed.",
    "never",
  ),
  oneToOne(
    "one-to-one-covering",
    "dynamic 1:1, strict, covering unmaps",
    "As dynamic 1:1, strict, but a table goes only when one unmap covers it, as in Linux.",
    "covering",
  ),
  oneToOne(
    "one-to-one-swept",
    "dynamic 1:1, strict, swept",
    "As dynamic 1:1, strict, but each flush looks through the table that it concerns.",
    "swept",
  ),
  oneToOne(
    "one-to-one-fallback",
    "dynamic 1:1, strict, without a count",
    "As dynamic 1:1, strict, but a page that is mapped already goes to the tree above memory.",
    "live-count",
    "fallback",
  ),
  oneToOne(
    "one-to-one-deferred",
    "dynamic 1:1, deferred",
    "Dynamic 1:1 with a deferred queue a CPU; empty tables are swept when the queues are flushed.",
    "swept",
    "count",
    "deferred-per-cpu",
  ),
  oneToOne(
    "one-to-one-deferred-never",
    "dynamic 1:1, deferred, tables stay",
    "As dynamic 1:1, deferred, but empty tables are never freed.",
    "never",
    "count",
    "deferred-per-cpu",
  ),
];

/**
 * A variant by name.
 * @throws Error naming the variants there are
 */
export function variant(name: string): Variant {
  const found = variants.find((v) => v.name === name);
  if (!found) throw new Error(`There is no variant "${name}"; there are ${variants.map((v) => v.name).join(", ")}.`);
  return found;
}
