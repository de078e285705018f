/** The verdicts, in the order in which counts list them. */
export const verdicts = ["holds", "depends", "does not hold", "not decidable", "not answered", "calibration"] as const;
/** What a run says of a claim, in a word. */
export type Verdict = (typeof verdicts)[number];

/** A value that was published: one number (both ends the same) or a range, with its unit and its record. */
export interface PublishedValue {
  low: number;
  high: number;
  unit: string;
  factId?: string;
}

/** Where a quantity must lie for the sentence to be right; an end that is missing is open. */
export interface Margin {
  low: number;
  high: number;
}

/**
 * One draw of everything that nobody published, and what the model says there: its value, and how far another seed might have put it (half
 * the width of its 95 % interval over seeds).
 */
export interface Draw {
  value: number;
  error: number;
}

/** What the prior-predictive distribution says about a margin. */
export interface PriorJudgement {
  verdict: Extract<Verdict, "holds" | "depends" | "does not hold" | "not decidable">;
  /** Share of the draws inside the margin, and what it would be if chance had put each doubtful draw outside, or inside. */
  share: { mean: number; least: number; most: number };
  /** The prior-predictive distribution: its median and its 95 % interval. */
  predictive: { median: number; low: number; high: number };
  draws: number;
}

/** Mass inside the margin from which on a sentence holds. */
export const massThatHolds = 0.9;
/** The prior-predictive interval leaves out one draw of so many at either end. */
const tail = 40;

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The values between which 95 % of all lie: the order statistics that leave the same whole number of values out at either end. */
function ends(lows: readonly number[], highs: readonly number[]): [number, number] {
  const k = Math.floor(lows.length / tail);
  return [ascending(lows)[k], ascending(highs)[highs.length - 1 - k]];
}

const decide = (share: number, [low, high]: readonly [number, number], margin: Margin): PriorJudgement["verdict"] =>
  share >= massThatHolds ? "holds" : high < margin.low || low > margin.high ? "does not hold" : "depends";

/**
 * The verdict on a quantity, the same rule for every entry of the ledger: of all that may honestly be assumed, in which share does the
 * quantity lie inside the margin?
 *
 * holds: in 90 % or more. does not hold: the margin lies outside the 95 % prior-predictive interval, so that nothing we admit reaches it.
 * depends: else. not decidable: the seeds leave it open, as the verdict would be another one if every draw whose interval over seeds
 * crosses an end of the margin lay on the other side of it.
 * @param draws one or more
 * @throws RangeError where there is no draw, or the margin has no inside
 * @example verdictOf([{ value: 20, error: 1 }, { value: 40, error: 1 }], { low: 29, high: 38 }).verdict // "depends"
 */
export function verdictOf(draws: readonly Draw[], margin: Margin): PriorJudgement {
  if (draws.length === 0) throw new RangeError("A verdict takes at least one draw; got none.");
  if (!(margin.low <= margin.high))
    throw new RangeError(`A margin goes from a lower to a higher number; got ${margin.low} to ${margin.high}.`);
  const share = (inside: (draw: Draw) => boolean): number => draws.filter(inside).length / draws.length;
  const values = draws.map(({ value }) => value);
  const down = draws.map(({ value, error }) => value - error);
  const up = draws.map(({ value, error }) => value + error);
  const mean = share(({ value }) => value >= margin.low && value <= margin.high);
  const least = share(({ value, error }) => value - error >= margin.low && value + error <= margin.high);
  const most = share(({ value, error }) => value + error >= margin.low && value - error <= margin.high);
  const found = [
    decide(mean, ends(values, values), margin),
    decide(least, ends(up, down), margin),
    decide(most, ends(down, up), margin),
  ];
  const [low, high] = ends(values, values);
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return {
    verdict: found.every((one) => one === found[0]) ? found[0] : "not decidable",
    share: { mean, least, most },
    predictive: { median, low, high },
    draws: draws.length,
  };
}
