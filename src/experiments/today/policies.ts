import { type Variant, variant } from "../../dma/index.js";

/** A way of mapping by the year that brought it. */
export interface TodayPolicy {
  /** Name of the variant. */
  name: string;
  /** Release and year, as a figure's axis says them. */
  since: string;
}

/** From 2015 to today, in the order of time: the default of each release, then what may be chosen. */
export const steps: readonly TodayPolicy[] = [
  { name: "deferred", since: "4.3, 2015" },
  { name: "magazines-deferred", since: "4.9, 2016" },
  { name: "v5.15-lazy", since: "5.15, 2021" },
  { name: "v6.9-lazy", since: "6.9, 2024" },
  { name: "v6.18-lazy", since: "6.18, 2025" },
  { name: "v6.18-page-pool", since: "6.18, page_pool" },
  { name: "pass-through", since: "pass-through" },
];

/** The strict ones, in the order of time, and last a pool that Linux has not. */
export const strictSteps: readonly TodayPolicy[] = [
  { name: "strict", since: "4.3, 2015" },
  { name: "magazines-strict", since: "4.9, 2016" },
  { name: "v5.15-strict", since: "5.15, 2021" },
  { name: "v6.9-strict", since: "6.9, 2024" },
  { name: "v6.18-strict", since: "6.18, 2025" },
  { name: "v6.18-amd-strict", since: "6.18, AMD" },
  { name: "v6.18-smmu-strict", since: "6.18, SMMUv3" },
  { name: "v6.18-page-pool-strict", since: "6.18, page_pool" },
  { name: "v6.18-bounce", since: "not in Linux: bounce pool" },
];

/** Pools beside them. */
export const poolPolicies: readonly string[] = ["pools-4-lazy", "pools-16-lazy", "pools-each-lazy"];

/** Whether a way of mapping searches the tree of v4.3 for each request: a run of it costs the more the more cores there are. */
export const searchesTree = (name: string): boolean => {
  const { allocator } = variant(name) as Variant;
  return allocator === "rbtree" || allocator === "rbtree-merged";
};

/** What a table calls it. */
export const titleOf = (name: string): string => variant(name).title;
