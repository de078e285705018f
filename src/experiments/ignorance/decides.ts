import type { AssumedRange } from "../frame/ranges.js";
import type { Margin } from "../frame/verdict.js";
import type { DrawnRun } from "./ensemble.js";

/** A slice of an assumption's range: where it lies, and which share of its draws lies inside the margin. */
export interface Slice {
  from: number | string | boolean;
  to: number | string | boolean;
  inside: number;
  draws: number;
}

/** What an assumption alone explains of a quantity. */
export interface Influence {
  assumption: string;
  /** Share of the variance that the assumption explains alone (first order), from the draws as they are. */
  share: number;
}

/** An assumption that decides whether a quantity lies inside a margin, with a run on either side. */
export interface Decider extends Influence {
  /** The slices of its range in which most and fewest draws lie inside. */
  most: Slice;
  fewest: Slice;
  /** A draw of the one that lies inside, and one of the other that lies outside. */
  inside?: number;
  outside?: number;
}

/** So many draws make a slice, at least; ten slices, at most. */
const drawsInSlice = 12;
/** An assumption that explains less than this of the variance decides nothing alone. */
const decisive = 0.1;

/** Draws in slices of equal number by an assumption's value; of choices, one a choice. */
function sliced<D extends DrawnRun>(draws: readonly D[], path: string, domain: AssumedRange): D[][] {
  if ("choices" in domain)
    return domain.choices
      .map((choice) => draws.filter(({ sample }) => sample[path] === choice))
      .filter((s) => s.length > 0);
  const sorted = [...draws].sort((a, b) => Number(a.sample[path]) - Number(b.sample[path]));
  const slices = Math.min(10, Math.max(2, Math.floor(draws.length / drawsInSlice)));
  return Array.from({ length: slices }, (_, i) =>
    sorted.slice(Math.floor((i * sorted.length) / slices), Math.floor(((i + 1) * sorted.length) / slices)),
  ).filter((slice) => slice.length > 0);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * How much of the variance of a number each assumption explains alone, largest first: the variance between slices of its range, less
 * what slices of pure chance would show, as a share of all variance. It takes no further runs. (Plischke, Borgonovo and Smith 2013.)
 */
export function influences<D extends DrawnRun>(
  draws: readonly D[],
  space: Readonly<Record<string, AssumedRange>>,
  of: (draw: D) => number,
): Influence[] {
  const values = draws.map(of);
  const centre = mean(values);
  const total = mean(values.map((value) => (value - centre) * (value - centre)));
  return Object.entries(space)
    .map(([assumption, domain]) => {
      if (!(total > 0)) return { assumption, share: 0 };
      const slices = sliced(draws, assumption, domain);
      const between =
        slices.reduce((sum, slice) => {
          const d = mean(slice.map(of)) - centre;
          return sum + slice.length * d * d;
        }, 0) / draws.length;
      const chance = (slices.length - 1) / (draws.length - 1);
      const share = (between / total - chance) / (1 - chance);
      return { assumption, share: share > 0 ? share : 0 };
    })
    .sort((a, b) => b.share - a.share);
}

/**
 * The assumption that decides most where a quantity lies, and so whether it is inside the margin: the one that explains most of its variance.
 */
export function deciderOf<D extends DrawnRun & { value: number }>(
  draws: readonly D[],
  space: Readonly<Record<string, AssumedRange>>,
  { low, high }: Margin,
): Decider | undefined {
  const isInside = ({ value }: D): boolean => value >= low && value <= high;
  const [first] = influences(draws, space, ({ value }) => value);
  if (!first || first.share < decisive) return undefined;
  const { assumption } = first;
  const slices = sliced(draws, assumption, space[assumption]).map((own) => ({
    own,
    from: own[0].sample[assumption],
    to: own[own.length - 1].sample[assumption],
    inside: own.filter(isInside).length / own.length,
    draws: own.length,
  }));
  const most = slices.reduce((a, b) => (b.inside > a.inside ? b : a));
  const fewest = slices.reduce((a, b) => (b.inside < a.inside ? b : a));
  const inside = most.own.find(isInside)?.index;
  const outside = fewest.own.find((draw) => !isInside(draw))?.index;
  const plain = ({ own: _, ...slice }: (typeof slices)[number]): Slice => slice;
  return {
    ...first,
    most: plain(most),
    fewest: plain(fewest),
    ...(inside === undefined ? {} : { inside }),
    ...(outside === undefined ? {} : { outside }),
  };
}
