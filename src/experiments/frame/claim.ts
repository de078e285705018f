import type { Interval } from "../../engine/index.js";

/** The verdicts, in the order in which counts list them. */
export const verdicts = ["holds", "depends", "does not hold", "calibration", "not answered"] as const;
/** What a run says of a claim, in a word. */
export type Verdict = (typeof verdicts)[number];

/** A testable sentence and what was published. */
export interface Claim {
  id: string;
  /** The sentence, quoted exactly. */
  quote: string;
  /** Where it stands: author, date, place; or the id of a record in data/published. */
  source: string;
  /** The published value, where there is one. */
  published?: { low: number; high: number; unit: string; factId?: string };
  /** A calibration figure is never counted as confirmed. An input is not here: no claim is about one. */
  use: "calibration" | "prediction" | "context";
}

/** What a run says about a claim. */
export interface ClaimResult extends Claim {
  simulated?: Interval & { unit: string };
  verdict: Verdict;
  /** Where the sentence is a question: its answer, which is shown instead of the verdict. "Yes, for 16 cores". */
  answer?: string;
  /** Why, in one or two plain sentences; for "depends", on what. */
  explanation: string;
}
