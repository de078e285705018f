/** The values that a parameter may take, from low to high. */
export interface ParameterRange {
  low: number;
  high: number;
  /** Whole numbers only, both ends included. */
  whole?: boolean;
}

/** Ranges by the path of their field. */
export type Ranges = Readonly<Record<string, ParameterRange>>;
