import type { Interval } from "../../engine/index.js";

/**
 * What kind of statement a claim is, which says how it can be judged at all.
 *
 * fact of the source: a listing of the program, or of a processor's rules, decides it; no parameter can change the answer.
 * simulated quantity: a quantity that the mails speak of without a number; judged against a margin that says what the words mean.
 * predicted number: a published number, which no parameter knows.
 * question: something asked, or wondered; what is shown is the answer.
 * calibration: a figure that set a parameter. It stands in a list of its own and counts nowhere.
 */
export const kinds = [
  "fact of the source",
  "simulated quantity",
  "predicted number",
  "question",
  "calibration",
] as const;
/** The kind of a claim, see {@link kinds}. */
export type Kind = (typeof kinds)[number];

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

/** A testable sentence and what was published. */
export interface Claim {
  id: string;
  /** The sentence, quoted exactly. */
  quote: string;
  /** Where it stands: author, date, place; or the id of a record in data/published. */
  source: string;
  kind: Kind;
  /** The published value, where there is one. */
  published?: PublishedValue;
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

/** What the rows come down to: numbers only, the words are made of them by {@link ClaimSpec.say}. */
export interface Judged<N> {
  verdict: Verdict;
  simulated?: Interval & { unit: string };
  numbers: N;
}

/** What is said about the numbers. */
export type Said = Pick<ClaimResult, "answer" | "explanation">;

/**
 * A claim as an experiment's claims file writes it, always in this order. Judgement and wording are apart: `judge` sees the rows and gives
 * numbers, `say` sees these numbers alone.
 */
export interface ClaimSpec<R, N> extends Claim {
  /** What a run must hold to answer, as the end of a sentence: 'the variants "off" and "deferred"'. */
  needs: string;
  /** The verdict and its numbers, or undefined where the rows do not hold what it needs. */
  judge(rows: readonly R[]): Judged<N> | undefined;
  /** The words. */
  say(numbers: N): Said;
}

/** A claim that is ready to be asked of rows; what its numbers are is its own affair. */
export interface AskedClaim<R> {
  about: Claim;
  /** What the rows say about it. */
  ask(rows: readonly R[]): ClaimResult;
}

/**
 * A claim of its parts. The type of the rows is given, that of the numbers is found: a sentence that uses a number which the judgement does
 * not give does not compile.
 * @example claimOn<MyRow>()({ id: "S1", …, judge: (rows) => …, say: ({ depth }) => ({ explanation: `… ${depth} …` }) })
 */
export const claimOn =
  <R>() =>
  <N>(spec: ClaimSpec<R, N>): AskedClaim<R> => {
    const { needs, judge, say, ...about } = spec;
    return {
      about,
      ask(rows) {
        const judged = judge(rows);
        if (!judged)
          return { ...about, verdict: "not answered", explanation: `This run does not say: it needs ${needs}.` };
        const { verdict, simulated, numbers } = judged;
        return { ...about, ...(simulated ? { simulated } : {}), verdict, ...say(numbers) };
      },
    };
  };

/** Every claim asked of the same rows, in order. */
export const askAll = <R>(claims: readonly AskedClaim<R>[], rows: readonly R[]): ClaimResult[] =>
  claims.map((claim) => claim.ask(rows));
