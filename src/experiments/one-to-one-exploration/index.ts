/**
 * Dynamic 1:1 (IOVA = physical address, no allocator, no lock): the programs of `pagetables` on two or three CPUs, in every interleaving,
 * against a walker with its caches and the invalidation (`model/`).
 */

// Question: can maps and unmaps of one page from several CPUs go without a lock, and what is each safeguard for?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claims } from "./claims.js";
import { Config, type OneToOnePoint, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type OneToOneRow, simulate } from "./rows.js";

/** Every way to do dynamic 1:1, right and broken, in every reachable state. */
export const oneToOneExploration: Experiment<typeof Config, OneToOnePoint, OneToOneRow> = defineExperiment({
  name: "one-to-one-exploration",
  place: [7, 1],
  title: "Dynamic 1:1 without a lock",
  question: "Which ways to map a page 1:1 from several CPUs without a lock are right in every reachable state?",
  config: Config,
  points: pointsOf,
  label: ({ variant, bounds }) => `${variant}, ${bounds}`,
  simulate,
  columns,
  figures,
  claims: (rows, _, facts) => askAll(claims, rows, { facts, experiment: "one-to-one-exploration" }),
});

export { type OneToOnePoint, oneToOneSystem } from "./config.js";
export { oneToOnePropertyNames } from "./model/properties.js";
export { OneToOneModel } from "./model/system.js";
export { type OneToOneVariant, oneToOneVariant, oneToOneVariants } from "./model/variants.js";
export { type OneToOneSystem, rangesFor } from "./model/view.js";
export { exploreOneToOne } from "./rows.js";
