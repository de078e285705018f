import type { Row } from "../../experiments/index.js";
import { StoreError } from "../../files/index.js";
import { manifestOf } from "./folder.js";
import { type Plan, planOf } from "./plan.js";
import { type Entry, readRows, Segments } from "./segments.js";
import { type PointStates, refuseMixed, statesOf } from "./state.js";
import { Version } from "./version.js";
import type { Work } from "./work.js";

/** All there is of a sweep. */
export interface Gathered {
  plan: Plan;
  states: PointStates;
  /** The points that are whole: their rows, and where these come from. */
  rows: Map<string, { rows: Row[]; entry: Entry }>;
  /** Points whose rows are not there: not computed, failed, or damaged. */
  missing: string[];
}

/**
 * Gathers the rows of a sweep from its folder: the same, whoever computed which.
 * @throws StoreError where the folder holds another sweep or points of two versions
 */
export function gather(folder: string, work: Work, version: Version = new Version()): Gathered {
  const there = manifestOf(folder);
  if (there === undefined)
    throw new StoreError(`${folder}: no sweep was run into this folder; expected one with a sweep.json.`);
  if (there.identity !== work.identity)
    throw new StoreError(
      `${folder}: holds another sweep (${there.experiment}, ${there.identity}); this file is ${work.experiment.name}, ${work.identity}.`,
    );
  const plan = planOf(folder, work, version.code);
  const states = statesOf(plan, new Segments(folder).refresh(), version);
  refuseMixed(folder, states, version, (hash) => work.experiment.label(plan.point(hash)));
  const rows = readRows([...states.done.values(), ...states.spare]);
  return { plan, states, rows, missing: plan.points.filter((hash) => !rows.has(hash)) };
}
