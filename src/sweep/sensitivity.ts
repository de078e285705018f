import {
  type AnyExperiment,
  type ElementaryEffect,
  effectsFigure,
  morrisDesign,
  morrisEffects,
  type Ranges,
  type Run,
  withFields,
} from "../experiments/index.js";
import type { Figure } from "../plot/index.js";
import type { PointOptions } from "./points.js";
import { sweep } from "./sweep.js";

/** What is asked of a sensitivity analysis. */
export interface SensitivitySpec {
  /** The parameters to move, by the path of their field, and how far each may go. */
  ranges: Ranges;
  /** The number of a run that is watched: its name, its unit, and how it is read from the run. */
  output: {
    name: string;
    unit: string;
    /** Reads the number from a run. */
    of(run: Run<unknown>): number;
  };
  /** What all runs have in common. */
  base?: Readonly<Record<string, unknown>>;
  /** Puts a point's values into a configuration, where a field is not simply the value (a list of one, say). */
  configure?: (values: Record<string, number>) => Record<string, unknown>;
  /** Walks through the ranges (default 10); each costs one run more than there are parameters. */
  trajectories?: number;
  seed?: number;
}

/** The effects of each parameter, largest first, and their picture. */
export interface Sensitivity {
  effects: ElementaryEffect[];
  figure: Figure;
}

/**
 * Which parameters move an output, and how much: Morris's elementary effects, on all cores.
 *
 * ```ts
 * const { figure } = await sensitivity(lockContention, { ranges, output }, { onProgress: lab.onProgress("sensitivity") });
 * ```
 * @throws ConfigError before anything runs, for a range that is none or that the experiment refuses; Error where the output is no number
 */
export async function sensitivity(
  experiment: unknown,
  spec: SensitivitySpec,
  options: PointOptions = {},
): Promise<Sensitivity> {
  const { ranges, output, base = {}, trajectories = 10, seed = 1 } = spec;
  const configure = spec.configure ?? ((values: Record<string, number>) => values);
  const design = morrisDesign(ranges, trajectories, seed);
  const inputs = design.flatMap(({ points }) => points.map((values) => withFields(base, configure(values))));
  const { runs } = await sweep(experiment as AnyExperiment, inputs, options);
  let next = 0;
  const outputs = design.map(({ points }) =>
    points.map(() => {
      const value = output.of(runs[next++].run);
      if (!Number.isFinite(value)) throw new Error(`${output.name}: a number for every run; got ${value}.`);
      return value;
    }),
  );
  const effects = morrisEffects(design, outputs);
  return { effects, figure: effectsFigure(effects, output.name, output.unit) };
}
