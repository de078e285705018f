/**
 * Dynamic 1:1 (IOVA = physical address, no allocator, no lock): the programs of `pagetables` on two or three CPUs, in every interleaving,
 * against a walker with its caches and the invalidation.
 */
export { exploreOneToOne, type OneToOnePoint, oneToOneExploration, oneToOneSystem, rangesFor } from "./exploration.js";
export { oneToOnePropertyNames } from "./properties.js";
export { OneToOneModel } from "./system.js";
export { type OneToOneVariant, oneToOneVariant, oneToOneVariants } from "./variants.js";
export type { OneToOneSystem } from "./view.js";
