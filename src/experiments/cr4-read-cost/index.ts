// Question: is a per-CPU copy of CR4 cheaper to read than CR4 itself, once the caches are those of a CPU that runs guests?

import { askAll } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOn, quantitiesOf } from "./claims.js";
import { Config, pointsOf, type ReadCostPoint } from "./config.js";
import { figures } from "./figures.js";
import { columns, type ReadCostRow, simulate } from "./rows.js";

/** What reading the per-CPU copy of CR4 costs, beside reading CR4. */
export const cr4ReadCost: Experiment<typeof Config, ReadCostPoint, ReadCostRow> = defineExperiment({
  name: "cr4-read-cost",
  place: [5, 3],
  title: "CR4, or a copy of it in memory",
  question: "Is the shadowing worth the complexity?",
  config: Config,
  points: pointsOf,
  label: ({ host, lines }) => `${host}, ${lines} lines between entries`,
  simulate,
  columns,
  figures,
  quantities: quantitiesOf,
  claims: (rows, _, facts) => askAll(claimsOn(facts), rows, { facts, experiment: "cr4-read-cost" }),
});
