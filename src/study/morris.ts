import { confidenceInterval, type Interval, Streams } from "../engine/index.js";
import { ConfigError, checkRanges, type Ranges, valueIn } from "../experiments/index.js";
import { type Figure, lineFigure } from "../plot/index.js";

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

/**
 * The sizes of the effects (μ*) with their intervals, a line of the picture for each parameter, largest first; hollow marks are σ. If a
 * range over `seed` was among the parameters, a dashed line shows its effect: what chance alone does.
 * @param label how a parameter is named in the picture
 */
export function effectsFigure(
  effects: readonly ElementaryEffect[],
  output: string,
  unit: string,
  label: (parameter: string) => string = (parameter) => parameter,
): Figure {
  const height = (i: number): number => effects.length - i;
  const chance = effects.find(({ parameter }) => parameter === "seed");
  const points = unit === "%" ? "percentage points" : unit;
  const drawn = lineFigure({
    title: `What moves the ${output}`,
    caption: `Change of the ${output} when a parameter crosses its whole range, the others being anywhere in theirs: mean size with its 95 % interval (Morris's μ*), largest first. Hollow: spread of the changes (σ); where it is as large as the size, the effect depends on the other parameters.${chance ? " Dashed: what another seed does; effects no larger than that are not visible." : ""}`,
    x: { title: "size of the change", unit: points },
    y: { title: "", unit: "" },
    series: [
      {
        name: "size of the effect",
        x: effects.map(({ size }) => size.mean),
        y: effects.map((_, i) => height(i)),
        mode: "markers",
      },
      {
        name: "spread of the effect",
        x: effects.map(({ spread }) => spread),
        y: effects.map((_, i) => height(i)),
        mode: "markers",
      },
      ...(chance
        ? [
            {
              name: "chance alone",
              x: [chance.size.mean, chance.size.mean],
              y: [0.5, effects.length + 0.5],
              mode: "lines" as const,
              dash: true,
            },
          ]
        : []),
    ],
    layout: {
      height: 110 + 26 * effects.length,
      xaxis: { title: { text: `size of the change (${points})` }, rangemode: "tozero" },
      yaxis: {
        tickvals: effects.map((_, i) => height(i)),
        ticktext: effects.map(({ parameter }) => label(parameter)),
        automargin: true,
      },
    },
  });
  const [sizes, spreads] = drawn.data;
  if (!sizes || !spreads) return drawn;
  sizes["error_x"] = {
    type: "data",
    symmetric: false,
    array: effects.map(({ size }) => size.high - size.mean),
    arrayminus: effects.map(({ size }) => (size.low < 0 ? size.mean : size.mean - size.low)),
    thickness: 2,
    width: 0,
  };
  spreads["marker"] = { ...(spreads["marker"] as object), symbol: "circle-open", size: 8 };
  return drawn;
}
