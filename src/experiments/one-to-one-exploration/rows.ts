import { type Exploration, explore } from "../../explore/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { type OneToOnePoint, oneToOneSystem } from "./config.js";
import { oneToOnePropertyNames } from "./model/properties.js";
import { OneToOneModel } from "./model/system.js";
import type { OneToOneSystem } from "./model/view.js";

/**
 * Explores every state of a system: the same for the table, the command line and a notebook.
 * @throws Error naming a bound that is out of range
 */
export function exploreOneToOne(
  system: OneToOneSystem,
  onProgress?: (expanded: number, found: number) => boolean | undefined,
): Exploration {
  const model = new OneToOneModel(system);
  return explore(model, { properties: model.properties(), ...(onProgress ? { onProgress } : {}) });
}

/** Explores one system: a row for each property. */
export function simulate(point: OneToOnePoint) {
  const system = oneToOneSystem(point);
  const found = exploreOneToOne(system);
  return oneToOnePropertyNames.map((property) => {
    const trace = found.violations.find((violation) => violation.property === property)?.trace;
    return {
      variant: point.variant,
      right: system.variant.right,
      cleanup: system.variant.cleanup,
      bounds: point.bounds,
      property,
      holds: trace === undefined,
      steps: trace ? trace.length - 1 : null,
      states: found.states,
      transitions: found.transitions,
      complete: found.complete,
      counterexample: trace
        ? trace
            .slice(1)
            .map(({ action }) => action)
            .join(" → ")
        : "",
    };
  });
}

/** A row of the table. */
export type OneToOneRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<OneToOneRow>, Column>> = {
  variant: { unit: "", description: "way to do dynamic 1:1" },
  right: { unit: "", description: "it has every safeguard" },
  cleanup: { unit: "", description: "what becomes of empty tables" },
  bounds: { unit: "", description: "how much happens" },
  property: { unit: "", description: "what should hold in every reachable state" },
  holds: { unit: "", description: "it does" },
  steps: { unit: "steps", description: "length of the shortest counterexample" },
  states: { unit: "states", description: "reachable states" },
  transitions: { unit: "transitions", description: "steps between them" },
  complete: { unit: "", description: "every reachable state was visited" },
  counterexample: { unit: "", description: "the shortest one, action by action" },
};
