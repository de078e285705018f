import type { AnyExperiment, Design, DesignRun, Row, StoredEnsemble } from "../experiments/index.js";
import { ConfigError, designHash, experimentByName, keptReads, runsOf } from "../experiments/index.js";
import { basisOf, Facts } from "../facts/index.js";
import { codeHash } from "./code.js";
import { computePoints, type PointOptions } from "./points.js";

/** A design, ready to run: its configurations and their points. */
export interface DesignPlan {
  design: Design;
  experiment: AnyExperiment;
  runs: readonly DesignRun[];
  /** Points of each run. */
  points: readonly (readonly unknown[])[];
}

/**
 * The experiment and the runs of a design's draws, from the first on, without their points.
 * @param draws how many of its draws (default: all)
 * @throws ConfigError where the experiment is not there or gives no quantities, and for a number of draws that it has not
 */
export function drawsOf(design: Design, draws: number = design.samples): Omit<DesignPlan, "points"> {
  if (!Number.isSafeInteger(draws) || draws < 1 || draws > design.samples)
    throw new ConfigError(`a whole number of draws from 1 to ${design.samples}; got ${draws}.`);
  const experiment = experimentByName(design.experiment);
  if (!experiment.quantities)
    throw new ConfigError(`${design.experiment} gives no quantities, so no design can run it.`);
  return { design, experiment, runs: runsOf(design, draws) };
}

/**
 * The runs of a design's draws, from the first on.
 * @public
 * @param draws how many of its draws (default: all)
 * @throws ConfigError where the experiment is not there, gives no quantities, or refuses a configuration
 */
export function planDesign(design: Design, draws: number = design.samples): DesignPlan {
  const plan = drawsOf(design, draws);
  const { experiment, runs } = plan;
  const parse = experiment.parser();
  return { ...plan, points: runs.map(({ input }) => experiment.points(parse(input))) };
}

/** Six digits are more than any seed leaves certain, and keep the file small. */
const rounded = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(6));

/** The quantities of a draw under one seed, in the order of `keep`; those of a named run carry its name: "deferred: throughput, with ATS". */
export function quantitiesKept(
  { design: { keep }, experiment }: Pick<DesignPlan, "design" | "experiment">,
  runs: readonly { run: string; rows: readonly Row[] }[],
): (number | null)[] {
  const found: Record<string, number> = {};
  for (const { run, rows } of runs)
    for (const [name, value] of Object.entries(experiment.quantities?.(rows) ?? {}))
      found[run === "" ? name : `${name}, ${run}`] = value;
  return keep.map((name) => rounded(Object.hasOwn(found, name) ? found[name] : undefined));
}

/** Runs a plan on all cores and gives the ensemble as data/ensembles keeps it. Points that are known are not computed again. @public */
export async function runDesign(
  plan: DesignPlan,
  about: { version: string; date: string },
  options: PointOptions = {},
): Promise<StoredEnsemble> {
  const read = new Set<string>();
  const rows = await computePoints(plan.experiment, plan.points.flat(), {
    ...options,
    onRead: (name) => read.add(name),
  });
  let next = 0;
  const byRun = plan.points.map((points) => {
    next += points.length;
    return rows.slice(next - points.length, next).flat();
  });
  return ensembleFrom(plan, byRun, read, about);
}

/** What the configurations and points of a plan's runs follow from, beside the design: the records and files that defaults and points read. */
function readByPlanning({ experiment, runs }: Omit<DesignPlan, "points">): Set<string> {
  const read = new Set<string>();
  const basis = basisOf(Facts.published().noting((name) => read.add(name)));
  const fields = experiment.schema(basis.facts);
  for (const { input } of runs) experiment.points(fields.parse(input), basis);
  return read;
}

/**
 * The ensemble that the rows of a plan's runs come down to.
 * @param read the records and files that the points rest on
 */
export function ensembleFrom(
  plan: Omit<DesignPlan, "points">,
  rows: readonly (readonly Row[])[],
  read: Iterable<string>,
  about: { version: string; date: string },
): StoredEnsemble {
  const seeds = new Map<string, { run: string; rows: readonly Row[] }[]>();
  for (const [i, { draw, repetition, run }] of plan.runs.entries()) {
    const key = `${draw} ${repetition}`;
    seeds.set(key, [...(seeds.get(key) ?? []), { run, rows: rows[i] }]);
  }
  const draws: (number | null)[][] = [];
  const again: (number | null)[][][] = [];
  for (const [key, runs] of seeds) {
    const [draw, repetition] = key.split(" ").map(Number);
    const values = quantitiesKept(plan, runs);
    if (repetition === 0) {
      draws.push(values);
      if (draw < plan.design.again.draws) again.push([]);
    } else again[draw].push(values);
  }
  return {
    design: designHash(plan.design),
    reads: keptReads(Facts.published(), [...readByPlanning(plan), ...read]),
    code: codeHash(),
    version: about.version,
    date: about.date,
    quantities: plan.design.keep,
    draws,
    again,
  };
}

/** An ensemble as a file: a line a draw, so that a review sees what changed. */
export function ensembleText({ draws, again, ...head }: StoredEnsemble): string {
  const lines = (rows: readonly unknown[]): string => rows.map((row) => `\n  ${JSON.stringify(row)}`).join(",");
  const fields = Object.entries(head).map(([name, value]) => ` ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{\n${fields.join(",\n")},\n "draws": [${lines(draws)}\n ],\n "again": [${lines(again)}\n ]\n}\n`;
}
