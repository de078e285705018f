import type { Uncharged } from "../iova/index.js";
import type { Cleanup, Sharing } from "../pagetables/index.js";
import type { AllocatorKind } from "./allocators.js";
import type { FlushRule } from "./flush-rules.js";

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
  | "flush-on-wrap"
  /** Flush queues of Linux ≥ 4.14: a ring a CPU, a flush of the whole domain by whoever fills one, a timer for the rest. */
  | "lazy";

/** A release of Linux ≥ 4.15 and the IOMMU's driver in it. */
export interface LinuxRelease {
  /** As Linux numbers them: "6.18". The allocator has its rules, the driver its locks. */
  release: string;
  driver: "vt-d" | "amd" | "smmu";
  /** SMMU only: space in the queue is reserved by an atomic add, as a series of 2020 proposed, and not by compare-exchange. */
  addsInPlace?: boolean;
  /** SMMU only: its hardware has no range commands, and each page of a range is a command of its own. */
  pageCommands?: true;
  /** VT-d only: the hint that paging-structure caches may stay reaches the descriptor (6.19, and by a backport 6.18.2). */
  hints?: true;
  /** One flush ring for all CPUs: of 32,768 slots with a timer of a second, as guests on s390 have it (6.7), or as small as a CPU's own. */
  singleRing?: "large" | "small";
  /** Pages of the largest range that the per-CPU caches keep, where that is not Linux's 32: 512, as a series of 2021 proposed (MS13, MS14). */
  largestCached?: number;
  /** A guest, whose IOMMU is the hypervisor's: it may remember absent entries (VT-d's caching mode), so each map invalidates, too. */
  guest?: true;
}

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
  /** Linux ≥ 4.15: which, with which driver. */
  linux?: LinuxRelease;
  /** Buffers that stay mapped: received pages go round a page_pool; or everything is copied through buffers of a pool (bounce). */
  reuse?: "page_pool" | "bounce";
  /** What a flush invalidates, where that is not what v4.3 and v4.9 do. */
  flush?: FlushRule;
  /** Pools only: how many, or one for each CPU. */
  pools?: number | "cpus";
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

const linux = (
  name: string,
  title: string,
  about: string,
  policy: "strict" | "lazy",
  kernel: LinuxRelease,
  reuse?: Variant["reuse"],
): Variant => ({
  name,
  title,
  about,
  allocator: "rcache6",
  policy,
  linux: kernel,
  ...(reuse ? { reuse } : {}),
});

/** Linux from 5.15 on, by release and driver. */
const modern: readonly Variant[] = [
  linux(
    "v5.15-strict",
    "strict (5.15)",
    "Magazines before the tree; every unmap waits for its invalidation, of which several can be under way (but for a device's own cache).",
    "strict",
    { release: "5.15", driver: "vt-d" },
  ),
  linux(
    "v5.15-lazy",
    "lazy (5.15)",
    "Magazines with a bounded depot; a ring of unmaps a CPU, flushed when it is full or after 10 ms.",
    "lazy",
    { release: "5.15", driver: "vt-d" },
  ),
  linux(
    "v5.10-smmu-strict",
    "strict (5.10, SMMUv3)",
    "As 5.15 on SMMUv3, before a search that failed looked at what it had skipped.",
    "strict",
    { release: "5.10", driver: "smmu" },
  ),
  linux(
    "v5.12-smmu-strict",
    "strict (5.12, SMMUv3)",
    "As 5.10, but a search that fails looks at what it skipped (5.11).",
    "strict",
    { release: "5.12", driver: "smmu" },
  ),
  linux("v5.12-smmu-lazy", "lazy (5.12, SMMUv3)", "Flush queues of 5.12 on SMMUv3's command queue.", "lazy", {
    release: "5.12",
    driver: "smmu",
  }),
  linux(
    "v6.9-strict",
    "strict (6.9)",
    "As 5.15, with the depots of 6.7; still without a lock over an invalidation (but for a device's own cache).",
    "strict",
    { release: "6.9", driver: "vt-d" },
  ),
  linux("v6.9-lazy", "lazy (6.9)", "As 5.15, with depots without a bound.", "lazy", {
    release: "6.9",
    driver: "vt-d",
  }),
  linux(
    "v6.18-strict",
    "strict (6.18)",
    "Every unmap waits for its invalidation under the domain's lock: one at a time.",
    "strict",
    { release: "6.18", driver: "vt-d" },
  ),
  linux(
    "v6.18.2-strict",
    "strict (6.18.2)",
    "As 6.18, but the hint that no table was unlinked reaches the hardware: paging-structure caches survive an unmap.",
    "strict",
    { release: "6.18.2", driver: "vt-d", hints: true },
  ),
  linux(
    "v6.18-lazy",
    "lazy (6.18, default)",
    "A ring of unmaps a CPU; who fills it flushes the domain, under the domain's lock.",
    "lazy",
    { release: "6.18", driver: "vt-d" },
  ),
  linux(
    "v6.18-amd-strict",
    "strict (6.18, AMD)",
    "Every unmap waits for its invalidation under the IOMMU's command lock.",
    "strict",
    { release: "6.18", driver: "amd" },
  ),
  linux("v6.18-amd-lazy", "lazy (6.18, AMD)", "Flush queues on AMD's command buffer.", "lazy", {
    release: "6.18",
    driver: "amd",
  }),
  linux(
    "v6.18-smmu-strict",
    "strict (6.18, SMMUv3)",
    "Every unmap waits for its sync in a command queue without a lock; space in it is reserved by compare-exchange.",
    "strict",
    { release: "6.18", driver: "smmu" },
  ),
  linux(
    "v6.18-smmu-add-strict",
    "strict (6.18, SMMUv3, atomic add)",
    "As strict on SMMUv3, but space in the queue is reserved by an atomic add, as a series of 2020 proposed.",
    "strict",
    { release: "6.18", driver: "smmu", addsInPlace: true },
  ),
  linux(
    "v6.18-smmu-pages-strict",
    "strict (6.18, SMMUv3, no ranges)",
    "As strict on SMMUv3 whose hardware has no range commands: a command a page, and one sync for them.",
    "strict",
    { release: "6.18", driver: "smmu", pageCommands: true },
  ),
  linux("v6.18-smmu-lazy", "lazy (6.18, SMMUv3)", "Flush queues on SMMUv3's command queue.", "lazy", {
    release: "6.18",
    driver: "smmu",
  }),
  linux(
    "v6.18-page-pool-strict",
    "page_pool, strict (6.18)",
    "Received pages stay mapped and go round a pool; what is sent is mapped, and its unmap waits for its invalidation.",
    "strict",
    { release: "6.18", driver: "vt-d" },
    "page_pool",
  ),
  linux(
    "v6.18-page-pool",
    "page_pool, lazy (6.18)",
    "Received pages stay mapped and go round a pool; what is sent is mapped and unmapped lazily.",
    "lazy",
    { release: "6.18", driver: "vt-d" },
    "page_pool",
  ),
  linux(
    "v6.18-large-caches-strict",
    "caches up to 512 pages, strict (not in Linux)",
    "As strict, but the CPUs' caches keep ranges of up to 512 pages, not 32, as a series of 2021 proposed (MS13, MS14, not merged).",
    "strict",
    { release: "6.18", driver: "vt-d", largestCached: 512 },
  ),
  linux(
    "v6.18-large-caches-lazy",
    "caches up to 512 pages, lazy (not in Linux)",
    "As lazy, but the CPUs' caches keep ranges of up to 512 pages, not 32, as a series of 2021 proposed (MS13, MS14, not merged).",
    "lazy",
    { release: "6.18", driver: "vt-d", largestCached: 512 },
  ),
  linux(
    "v6.18-lazy-single",
    "lazy, one ring (6.18)",
    "As lazy, but all CPUs share one ring of 32,768 entries with a timer of a second, as guests on s390 do.",
    "lazy",
    { release: "6.18", driver: "vt-d", singleRing: "large" },
  ),
  linux(
    "v6.18-guest-strict",
    "guest, strict (6.18)",
    "A guest on a hypervisor's IOMMU: each map invalidates, too, and each unmap waits.",
    "strict",
    { release: "6.18", driver: "vt-d", guest: true },
  ),
  linux(
    "v6.18-guest-lazy",
    "guest, lazy (6.18)",
    "A guest on a hypervisor's IOMMU: each map invalidates, too; unmaps go into a ring a CPU.",
    "lazy",
    { release: "6.18", driver: "vt-d", guest: true },
  ),
  linux(
    "v6.18-guest-bounce",
    "guest, bounce pool (not in Linux)",
    "A guest whose device sees only buffers of a pool that stays mapped, as a series of 2021 proposed (MS33, not merged); the processor copies everything.",
    "strict",
    { release: "6.18", driver: "vt-d", guest: true },
    "bounce",
  ),
  linux(
    "v6.18-bounce",
    "bounce pool (not in Linux)",
    "A pool that stays mapped, as a series of 2021 proposed (MS33, not merged) or a driver keeps itself; 6.18's own swiotlb still maps and invalidates each buffer.",
    "strict",
    { release: "6.18", driver: "vt-d" },
    "bounce",
  ),
];

const flushed = (name: string, title: string, about: string, flush: FlushRule, policy: Policy): Variant => ({
  name,
  title,
  about,
  allocator: "magazines",
  policy,
  flush,
});

/** One pool for each CPU: what the thread's arenas come to on a host of today. */
const poolsEach = (policy: "strict" | "flush-on-wrap"): Variant => ({
  name: policy === "strict" ? "pools-each" : "pools-each-lazy",
  title: `a pool a core, ${policy === "strict" ? "strict" : "lazy flush"}`,
  about: `The bitmap allocator with as many pools as CPUs, which Linux has not; ${policy === "strict" ? "every unmap waits for its invalidation" : "one global invalidation when a pool wraps"}.`,
  allocator: "pools",
  policy,
  pools: "cpus",
});

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
  flushed(
    "flush-pages",
    "magazines, deferred, page by page",
    "As magazines, deferred, but a flush sends one page-selective invalidation a page.",
    { unit: "page" },
    "deferred-per-cpu",
  ),
  flushed(
    "flush-ranges",
    "magazines, deferred, joined ranges",
    "As magazines, deferred, but a flush joins abutting pages and sends one invalidation for the aligned block around each range.",
    { unit: "range" },
    "deferred-per-cpu",
  ),
  flushed(
    "flush-threshold",
    "magazines, deferred, ranges up to 16",
    "As joined ranges, but a flush that needs more than 16 invalidations sends one of the whole domain.",
    { unit: "range", most: 16 },
    "deferred-per-cpu",
  ),
  flushed(
    "flush-domain",
    "magazines, deferred, the domain",
    "As magazines, deferred, but a flush is one invalidation of the device's domain, and with ATS one of the whole device.",
    { unit: "domain" },
    "deferred-per-cpu",
  ),
  flushed(
    "flush-everything",
    "magazines, deferred, everything",
    "As magazines, deferred: one invalidation of everything; but with ATS one of the whole device instead of one a range.",
    { unit: "everything" },
    "deferred-per-cpu",
  ),
  flushed(
    "strict-domain",
    "magazines, strict, the domain",
    "As magazines, strict, but each unmap invalidates the whole domain.",
    { unit: "domain" },
    "strict",
  ),
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
  poolsEach("strict"),
  poolsEach("flush-on-wrap"),
  ...modern,
];

/**
 * Whether a variant's kernel looks through the domain's list of devices after each invalidation to find those with ATS, even where there are
 * none: Linux up to 4.6. The series of 2016 that brought the magazines and the queues a CPU (4.7) notes whether a domain has any (from memory:
 * "avoid dev iotlb logic for domains with no dev iotlbs", 314f1dc14084; read in later sources).
 */
export function looksForDeviceTlbs({ allocator, policy, linux: later }: Variant): boolean {
  return later === undefined && allocator !== "magazines" && policy !== "deferred-per-cpu";
}

/**
 * A variant by name.
 * @throws Error naming the variants there are
 */
export function variant(name: string): Variant {
  const found = variants.find((v) => v.name === name);
  if (!found) throw new Error(`There is no variant "${name}"; there are ${variants.map((v) => v.name).join(", ")}.`);
  return found;
}
