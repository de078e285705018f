import { type AnyExperiment, ConfigError, type ParameterRange, type Ranges, type Run } from "../experiments/index.js";
import type { Figure } from "../plot/index.js";
import { type ElementaryEffect, effectsFigure, morrisDesign, morrisEffects, withFields } from "../study/index.js";
import type { PointOptions } from "./points.js";
import { sweep } from "./sweep.js";

/** What a parameter may be: a range, or a list of choices in a sensible order (["deferred", "strict"]). */
export type Domain = ParameterRange | readonly unknown[];

/** The number of a run that is watched: its name, its unit, and how it is read from the run. */
export interface WatchedOutput {
  name: string;
  unit: string;
  /** Reads the number from a run. */
  of(run: Run<unknown>): number;
}

/** What is asked of a sensitivity analysis. */
export interface SensitivitySpec {
  /** The parameters to move, by the path of their field, and how far each may go. */
  ranges: Readonly<Record<string, Domain>>;
  /** The watched number: the name of one of the experiment's outputs, or a reading of one's own. */
  output: string | WatchedOutput;
  /** What all runs have in common. */
  base?: Readonly<Record<string, unknown>>;
  /** Puts a point's values into a configuration, where a field is not simply the value (a list of one, say). */
  configure?: (values: Record<string, unknown>) => Record<string, unknown>;
  /** Names for the figure, by path; without one the path itself. */
  names?: Readonly<Record<string, string>>;
  /** Walks through the ranges (default 10); each costs one run more than there are parameters. */
  trajectories?: number;
  seed?: number;
}

/** The effects of each parameter, largest first, and their picture. */
export interface Sensitivity {
  output: { name: string; unit: string };
  effects: ElementaryEffect[];
  figure: Figure;
  /** Configurations that were run. */
  runs: number;
}

/** A plan: the configurations to run, and what their outputs come down to. */
export interface SensitivityPlan {
  inputs: Record<string, unknown>[];
  /** Of each, what was varied. */
  varied: Record<string, unknown>[];
  /** @throws Error where an output is no number */
  analyse(runs: readonly Run<unknown>[]): Sensitivity;
}

/**
 * The runs that a sensitivity analysis takes, for callers that run them themselves.
 * @throws ConfigError for a range that is none, an output that the experiment has not, or a configuration that it refuses
 */
export function planSensitivity(experiment: AnyExperiment, spec: SensitivitySpec): SensitivityPlan {
  const { ranges, base = {}, names = {}, trajectories = 10, seed = 1 } = spec;
  const output = typeof spec.output === "string" ? named(experiment, spec.output) : spec.output;
  const configure = spec.configure ?? ((values: Record<string, unknown>) => values);
  const design = morrisDesign(numbersOf(ranges), trajectories, seed);
  const meant = (path: string, value: number): unknown => {
    const domain = ranges[path];
    return isChoice(domain) ? domain[value] : value;
  };
  const varied = design.flatMap(({ points }) =>
    points.map((values) =>
      Object.fromEntries(Object.entries(values).map(([path, value]) => [path, meant(path, value)])),
    ),
  );
  const inputs = varied.map((values) => withFields(base, configure(values)));
  const parse = experiment.parser();
  for (const input of inputs) parse(input);
  return {
    inputs,
    varied,
    analyse: (runs) => {
      let next = 0;
      const outputs = design.map(({ points }) =>
        points.map(() => {
          const value = output.of(runs[next++]);
          if (!Number.isFinite(value)) throw new Error(`${output.name}: a number for every run; got ${value}.`);
          return value;
        }),
      );
      const effects = morrisEffects(design, outputs);
      const label = (path: string) => `${names[path] ?? path} (${domainText(ranges[path])})`;
      const figure = effectsFigure(effects, output.name, output.unit, label);
      return { output: { name: output.name, unit: output.unit }, effects, figure, runs: inputs.length };
    },
  };
}

/**
 * Which parameters move an output, and how much: Morris's elementary effects, on all cores.
 *
 * ```ts
 * const { figure } = await sensitivity(mergedNodes, { ranges, output: "recovered" }, { onProgress, signal });
 * ```
 * A range over `seed` is worth adding: its effect is what chance alone does, and no smaller one means anything.
 * @throws ConfigError before anything runs, for a range that is none or that the experiment refuses; Error where the output is no number
 */
export async function sensitivity(
  experiment: unknown,
  spec: SensitivitySpec,
  options: PointOptions = {},
): Promise<Sensitivity> {
  const plan = planSensitivity(experiment as AnyExperiment, spec);
  const { runs } = await sweep(experiment as AnyExperiment, plan.inputs, options);
  return plan.analyse(runs.map(({ run }) => run));
}

/** The effects as a table for a terminal, with bars of μ*. */
export function sensitivityText({ output, effects, runs }: Sensitivity): string {
  const largest = Math.max(...effects.map(({ size }) => size.high), Number.MIN_VALUE);
  const width = Math.max(...effects.map(({ parameter }) => parameter.length), 9);
  const number = (value: number) => Number(value.toPrecision(3)).toString();
  const lines = effects.map(({ parameter, size, mean, spread }) =>
    [
      parameter.padEnd(width),
      `${number(size.mean)} (${number(Math.max(0, size.low))} to ${number(size.high)})`.padEnd(24),
      number(mean).padEnd(8),
      number(spread).padEnd(8),
      "#".repeat(Math.round((30 * size.mean) / largest)),
    ].join("  "),
  );
  const head = ["parameter".padEnd(width), "μ* (95 %)".padEnd(24), "μ".padEnd(8), "σ".padEnd(8)].join("  ");
  return `${output.name} (${output.unit}), moved over the whole range of each parameter; ${runs} configurations\n${head}\n${lines.join("\n")}\n`;
}

const isChoice = (domain: Domain): domain is readonly unknown[] => Array.isArray(domain);

/** Choices as the whole numbers of their places. */
function numbersOf(ranges: Readonly<Record<string, Domain>>): Ranges {
  return Object.fromEntries(
    Object.entries(ranges).map(([path, domain]) => {
      if (!isChoice(domain)) return [path, domain];
      if (domain.length < 2)
        throw new ConfigError(`${path}: two or more choices to move between; got ${JSON.stringify(domain)}.`);
      return [path, { low: 0, high: domain.length - 1, whole: true }];
    }),
  );
}

function domainText(domain: Domain): string {
  const text = (value: unknown) => (typeof value === "number" ? value.toLocaleString("en") : String(value));
  return isChoice(domain) ? domain.map(text).join(", ") : `${text(domain.low)} … ${text(domain.high)}`;
}

function named(experiment: AnyExperiment, name: string): WatchedOutput {
  const outputs = experiment.outputs ?? {};
  const found = outputs[name];
  if (!found) {
    const known = Object.keys(outputs);
    throw new ConfigError(
      `output: ${experiment.name} has no "${name}"; it has ${known.length > 0 ? known.join(", ") : "none"}.`,
    );
  }
  return { name: found.description, unit: found.unit, of: (run) => found.of(run.rows) };
}
