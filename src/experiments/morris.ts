import { confidenceInterval, type Interval, Streams } from "../engine/index.js";
import { barFigure, type Figure } from "../plot/index.js";
import { ConfigError } from "./experiment.js";
import { checkRanges, type Ranges, valueIn } from "./hypercube.js";

/** How a parameter moves an output over its range. */
export interface ElementaryEffect {
  parameter: string;
  /** Mean size of the effect (μ*), with its interval, in the output's unit over the parameter's whole range. */
  size: Interval;
  /** Mean effect with its sign (μ): near zero beside a large size, the parameter acts both ways. */
  mean: number;
  /** Standard deviation of the effects (σ): large where it acts together with others, or not in a straight line. */
  spread: number;
}

/** A walk through the ranges: its points, and the parameter that each step moves. */
export interface Trajectory {
  points: Record<string, number>[];
  /** Of each step: the parameter, and by which share of its range it was moved. */
  steps: { parameter: string; share: number }[];
}

/**
 * Morris's design (1991): from a random point, each parameter is moved once, in random order, by a large step. With k parameters a
 * trajectory costs k + 1 runs. Points lie on a lattice of four levels, steps are two thirds of a range.
 * @param trajectories how many walks; 10 is usual
 * @throws ConfigError for a range that is none
 */
export function morrisDesign(ranges: Ranges, trajectories: number, seed: number): Trajectory[] {
  checkRanges(ranges);
  const parameters = Object.keys(ranges);
  if (parameters.length === 0) throw new ConfigError("ranges: at least one parameter.");
  if (!Number.isSafeInteger(trajectories) || trajectories < 2)
    throw new ConfigError(`trajectories: a whole number, 2 or more (one gives no interval); got ${trajectories}.`);
  const streams = new Streams(seed, "morris");
  return Array.from({ length: trajectories }, (_, number) => {
    const stream = streams.stream(`trajectory ${number}`);
    const shares = parameters.map(() => stream.below(4) / 3);
    const order = parameters.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = stream.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const at = (): Record<string, number> =>
      Object.fromEntries(parameters.map((name, i) => [name, valueIn(ranges[name], shares[i])]));
    const points = [at()];
    const steps = order.map((i) => {
      const before = points[points.length - 1][parameters[i]];
      shares[i] += shares[i] < 0.5 ? 2 / 3 : -2 / 3;
      if (shares[i] < 1e-9) shares[i] = 0;
      points.push(at());
      const { low, high } = ranges[parameters[i]];
      return { parameter: parameters[i], share: (points[points.length - 1][parameters[i]] - before) / (high - low) };
    });
    return { points, steps };
  });
}

/**
 * The elementary effects of each parameter, largest first.
 * @param outputs the output at each trajectory's points, in order
 */
export function morrisEffects(
  design: readonly Trajectory[],
  outputs: readonly (readonly number[])[],
): ElementaryEffect[] {
  const effects = new Map<string, number[]>();
  for (const [t, { steps }] of design.entries()) {
    for (const [i, { parameter, share }] of steps.entries()) {
      const change = outputs[t][i + 1] - outputs[t][i];
      const own = effects.get(parameter) ?? [];
      own.push(share === 0 ? 0 : change / share);
      effects.set(parameter, own);
    }
  }
  return [...effects]
    .map(([parameter, own]) => {
      const mean = own.reduce((sum, effect) => sum + effect, 0) / own.length;
      const squares = own.reduce((sum, effect) => sum + (effect - mean) * (effect - mean), 0);
      const size = confidenceInterval(own.map((effect) => (effect < 0 ? -effect : effect)));
      return { parameter, size, mean, spread: Math.sqrt(squares / (own.length - 1)) };
    })
    .sort((a, b) => b.size.mean - a.size.mean);
}

/** The sizes of the effects as bars, with their intervals. */
export function effectsFigure(effects: readonly ElementaryEffect[], output: string, unit: string): Figure {
  return barFigure({
    title: `What moves ${output}`,
    caption: `Mean size of the change of ${output} when a parameter crosses its range, with 95 % intervals, largest first.`,
    categories: effects.map(({ parameter }) => parameter),
    x: { title: "parameter", unit: "" },
    y: { title: `change of ${output}`, unit },
    series: [
      {
        name: "size of the effect",
        values: effects.map(({ size }) => size.mean),
        low: effects.map(({ size }) => (size.low < 0 ? 0 : size.low)),
        high: effects.map(({ size }) => size.high),
      },
    ],
  });
}
