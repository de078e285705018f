import type { z } from "zod";
import { choice } from "./choice/index.js";
import { ConfigError, type Experiment } from "./frame/experiment.js";
import { lockContention, lockSensitivity, lockTable, mapAnatomy, warmup } from "./lock-contention/index.js";
import { assumptionSweep, lineTransfer, lockScaling, memoryLatency } from "./machine/index.js";
import { cr4ReadCost, machineCheck, machineCheckExploration, machineCheckFleet } from "./machine-check/index.js";
import { mergedNodes } from "./merged-nodes/index.js";
import { oneToOneExploration } from "./one-to-one/index.js";
import { pageSizes } from "./page-sizes/index.js";
import { allocatorReports } from "./reports/index.js";
import { safety } from "./safety/index.js";
import { today } from "./today/index.js";

/** An experiment whose configuration and points are not known to the caller: found by name, driven by JSON. */
export type AnyExperiment = Experiment<z.ZodType, unknown>;

/** Every experiment, in the order in which they are listed. One line each. */
const all: readonly unknown[] = [
  memoryLatency,
  lineTransfer,
  lockScaling,
  assumptionSweep,
  lockContention,
  mapAnatomy,
  lockTable,
  lockSensitivity,
  warmup,
  mergedNodes,
  pageSizes,
  machineCheck,
  machineCheckExploration,
  cr4ReadCost,
  machineCheckFleet,
  oneToOneExploration,
  safety,
  allocatorReports,
  today,
  choice,
];

/** Every experiment that can be run by name. */
export function experiments(): readonly AnyExperiment[] {
  return all as readonly AnyExperiment[];
}

/** An experiment by its name. @throws ConfigError that lists the names there are */
export function experimentByName(name: string): AnyExperiment {
  const found = experiments().find((experiment) => experiment.name === name);
  if (!found)
    throw new ConfigError(
      `There is no experiment "${name}". There is ${experiments()
        .map((experiment) => experiment.name)
        .join(", ")}.`,
    );
  return found;
}
