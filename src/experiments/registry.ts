import type { z } from "zod";
import * as all from "./all.js";
import { ConfigError, type Experiment } from "./frame/experiment.js";
import type { Computation } from "./frame/remembered.js";
import { recordingReports } from "./own-recording/report.js";
import { parallelismFits } from "./page-sizes/parallelism.js";

/** An experiment whose configuration and points are not known to the caller: found by name, driven by JSON. */
export type AnyExperiment = Experiment<z.ZodType, unknown>;

const isExperiment = (value: unknown): value is AnyExperiment =>
  typeof value === "object" && value !== null && "simulate" in value && "points" in value;

/** What is no experiment's point and is remembered as points are. */
export const computations: readonly Computation[] = [parallelismFits, recordingReports];

/** Every experiment that can be run by name, in the order of their places. */
export function experiments(): readonly AnyExperiment[] {
  const after = Number.POSITIVE_INFINITY;
  const placeOf = ({ place = [after, after] }: AnyExperiment) => place;
  return Object.values<unknown>(all)
    .filter(isExperiment)
    .sort((a, b) => {
      const [[first, then], [other, otherThen]] = [placeOf(a), placeOf(b)];
      if (first !== other) return first < other ? -1 : 1;
      if (then !== otherThen) return then < otherThen ? -1 : 1;
      return a.name < b.name ? -1 : 1;
    });
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
