import {
  type AnyExperiment,
  configHash,
  displayable,
  experiments,
  fieldsOf,
  type RememberedPoints,
} from "../experiments/index.js";
import { answeringInputs, calibrations, evidence, type LedgerEntry, ledger, mergeAnswers } from "../study/index.js";
import { computePoints, type PointOptions } from "./points.js";

/** What the ledger is computed from. */
export interface LedgerOptions extends Pick<PointOptions, "jobs" | "onProgress" | "signal"> {
  /** These experiments (default: all). */
  of?: readonly AnyExperiment[];
  /** "full" where an experiment has it (default: its own, which is quick). */
  fidelity?: "quick" | "full";
  /** Takes points from here, and keeps them here. */
  store?: RememberedPoints | undefined;
}

/** A run behind the ledger. */
export interface LedgerRun {
  experiment: string;
  configHash: string;
  config: unknown;
  points: number;
}

/** The ledger and the runs it rests on. */
export interface ComputedLedger {
  /** Every claim and its verdict; a notebook shows it as a table. */
  entries: LedgerEntry[];
  /** What parameters were set from, found again: no part of any count. */
  calibrations: LedgerEntry[];
  runs: LedgerRun[];
}

/**
 * Runs every experiment that answers claims so that it answers them all, and gives the claims ledger. Points of all experiments go to the workers
 * experiment by experiment; equal points are computed once.
 */
export async function computeLedger(options: LedgerOptions = {}): Promise<ComputedLedger> {
  const { of = experiments(), fidelity, store, onProgress, signal, jobs } = options;
  // One that answers no claim, whatever its rows, has no place here: the notebooks run it.
  const answer = of.filter((experiment) => experiment.claims([], experiment.parse()).length > 0);
  const planned = answer.map((experiment) => {
    const has = fieldsOf(experiment.schema()).some(({ path }) => path === "fidelity");
    const configs = answeringInputs(experiment, has ? fidelity : undefined).map(experiment.parser());
    return { experiment, configs, points: configs.map((config) => experiment.points(config)) };
  });
  const total = planned.reduce((sum, { points }) => sum + points.flat().length, 0);
  let before = 0;
  const results: { experiment: string; claims: ReturnType<typeof mergeAnswers> }[] = [];
  const runs: LedgerRun[] = [];
  for (const { experiment, configs, points } of planned) {
    const all = points.flat();
    const rows = await computePoints(experiment, all, {
      ...(jobs === undefined ? {} : { jobs }),
      ...(signal ? { signal } : {}),
      ...(store ? { remembered: store } : {}),
      onProgress: (done, _, label) => onProgress?.(before + done, total, `${experiment.name}: ${label}`),
    });
    before += all.length;
    let next = 0;
    const claims = configs.map((config, i) => {
      const own = rows.slice(next, next + points[i].length).flat();
      next += points[i].length;
      runs.push({
        experiment: experiment.name,
        configHash: configHash(experiment.name, config),
        config,
        points: points[i].length,
      });
      return experiment.collect(config, own).claims;
    });
    results.push({ experiment: experiment.name, claims: mergeAnswers(claims) });
  }
  onProgress?.(total, total, "");
  const all = ledger(results);
  return { entries: displayable(evidence(all)), calibrations: displayable(calibrations(all)), runs };
}
