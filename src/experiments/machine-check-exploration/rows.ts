import { type Exploration, explore } from "../../explore/index.js";
import { machineCheckModel, machineCheckProperties, type SystemConfig } from "../../kvm/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { ExplorationPoint } from "./config.js";

/** The system of a point, ready to explore: the same for the table, the command line and a notebook. */
export function exploreSystem(
  system: SystemConfig,
  onProgress?: (expanded: number, found: number) => boolean | undefined,
): Exploration {
  return explore(machineCheckModel(system), {
    properties: machineCheckProperties(system),
    ...(onProgress ? { onProgress } : {}),
  });
}

/** Runs one point. */
export function simulate({ situation, system }: ExplorationPoint) {
  const found = exploreSystem(system);
  return machineCheckProperties(system).map(({ name }) => {
    const trace = found.violations.find(({ property }) => property === name)?.trace;
    return {
      rule: system.rule,
      hostCr4: system.hostCr4,
      situation,
      property: name,
      holds: trace === undefined,
      steps: trace ? trace.length - 1 : null,
      states: found.states,
      complete: found.complete,
      counterexample: trace
        ? trace
            .map(({ action }) => action)
            .filter((action) => action !== "")
            .join(" → ")
        : "",
    };
  });
}

/** A row of the table. */
export type ExplorationRow = ReturnType<typeof simulate>[number];

export const inGuest = "no machine check in guest mode shuts the host down while the host has MCE on";

export const inRoot = "no machine check in root mode shuts the host down while the host has MCE on";

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<ExplorationRow>, Column>> = {
  rule: { unit: "", description: "rule for the guest's hardware CR4" },
  hostCr4: { unit: "", description: "how the VMCS's host CR4 is kept" },
  situation: { unit: "", description: "what may happen, besides guest writes and machine checks" },
  property: { unit: "", description: "what should hold in every reachable state" },
  holds: { unit: "", description: "it does" },
  steps: { unit: "steps", description: "length of the shortest counterexample" },
  states: { unit: "states", description: "classes of reachable states" },
  complete: { unit: "", description: "every reachable state was visited" },
  counterexample: { unit: "", description: "the shortest one, action by action" },
};
