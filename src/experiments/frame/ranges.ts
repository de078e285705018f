/** The values that a parameter may take, from low to high. */
export interface ParameterRange {
  low: number;
  high: number;
  /** Whole numbers only, both ends included. */
  whole?: boolean | undefined;
  /** Each value as likely as the next ("even", the default), or each factor ("log"): for what is not known to its order of magnitude. */
  shape?: "even" | "log" | undefined;
}

/** Ranges by the path of their field. */
export type Ranges = Readonly<Record<string, ParameterRange>>;

/** A range, or choices that are all as likely. */
export type AssumedRange = ParameterRange | { choices: readonly (number | string | boolean)[] };

/** AssumedRanges by the path of their field. */
export type AssumedRanges = Readonly<Record<string, AssumedRange>>;
