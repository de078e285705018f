import type { Interval } from "../../engine/index.js";
import type { Facts } from "../../facts/index.js";
import { drawsFor, type Ensemble, type NoDraws, type QuantityOf } from "../ignorance/ensemble.js";
import { type Prior, priorOf, priorOfCases } from "../ignorance/judge.js";
import { priorText } from "../ignorance/words.js";
import type { Draw, PublishedValue, Verdict } from "./verdict.js";

export { type PublishedValue, type Verdict, verdicts } from "./verdict.js";

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
  /** Of a quantity: its margin, and what the draws of everything that nobody published say about it. */
  prior?: Prior;
}

/**
 * What the rows come down to: numbers only, the words are made of them by {@link ClaimSpec.say}. A quantity has no verdict here: its margin
 * and the draws of its design give it, whatever this run was made with.
 */
export interface Judged<N> {
  verdict?: Verdict;
  simulated?: Interval & { unit: string };
  /** Of a quantity of which there are only so many cases (recordings that exist, say): all of them, to be judged instead of draws. */
  cases?: readonly Draw[];
  numbers: N;
}

/** What is said about the numbers. */
export type Said = Pick<ClaimResult, "answer" | "explanation">;

/**
 * A claim as an experiment's claims file writes it, always in this order. Judgement and wording are apart: `judge` sees the rows and gives
 * numbers, `say` sees these numbers and the verdict alone.
 */
export interface ClaimSpec<R, N> extends Claim {
  /** What a run must hold to answer, as the end of a sentence: 'the variants "off" and "deferred"'. */
  needs: string;
  /** Of a quantity: its value in a draw of a design (without it: the quantity that is called as the claim). */
  of?: QuantityOf;
  /** The numbers, and of a fact its verdict; undefined where the rows do not hold what it needs. */
  judge(rows: readonly R[]): Judged<N> | undefined;
  /** The words. */
  say(numbers: N, verdict: Verdict): Said;
}

/** Where the claims stand: the facts, which hold margins and draws, and the experiment's name. */
export interface Standing {
  facts: Facts;
  experiment: string;
  /** Reads a design as it was run; several claims share one. */
  ensemble?: (design: string) => Ensemble | NoDraws;
}

/** A claim that is ready to be asked of rows; what its numbers are is its own affair. */
export interface AskedClaim<R> {
  about: Claim;
  /** What the rows say about it. */
  ask(rows: readonly R[], standing: Standing): ClaimResult;
}

/**
 * A claim of its parts. The type of the rows is given, that of the numbers is found: a sentence that uses a number which the judgement does
 * not give does not compile.
 * @example claimOn<MyRow>()({ id: "S1", …, judge: (rows) => …, say: ({ depth }) => ({ explanation: `… ${depth} …` }) })
 */
export const claimOn =
  <R>() =>
  <N>(spec: ClaimSpec<R, N>): AskedClaim<R> => {
    const { needs, of = (quantities) => quantities[spec.id], judge, say, ...about } = spec;
    return {
      about,
      ask(rows, { facts, experiment, ensemble }) {
        const judged = judge(rows);
        if (!judged)
          return { ...about, verdict: "not answered", explanation: `This run does not say: it needs ${needs}.` };
        const { verdict, simulated, cases, numbers } = judged;
        const result = { ...about, ...(simulated ? { simulated } : {}) };
        if (verdict !== undefined) return { ...result, verdict, ...say(numbers, verdict) };
        const entry = `${experiment}: ${spec.id}`;
        const prior = cases
          ? priorOfCases(facts, entry, cases, spec.published)
          : priorOf(facts, entry, of, spec.published, ensemble);
        const decided = "unjudged" in prior ? "not answered" : prior.verdict;
        const { explanation, ...said } = say(numbers, decided);
        return {
          ...result,
          verdict: decided,
          ...said,
          ...("unjudged" in prior
            ? { explanation: `${explanation} There is no verdict: ${prior.unjudged}.` }
            : { explanation: `${explanation} ${priorText(prior)}`, prior }),
        };
      },
    };
  };

/** Every claim asked of the same rows, in order. */
export function askAll<R>(claims: readonly AskedClaim<R>[], rows: readonly R[], standing: Standing): ClaimResult[] {
  const read = new Map<string, Ensemble | NoDraws>();
  const ensemble = (design: string): Ensemble | NoDraws => {
    const found = read.get(design) ?? drawsFor(standing.facts, design);
    read.set(design, found);
    return found;
  };
  return claims.map((claim) => claim.ask(rows, { ensemble, ...standing }));
}
