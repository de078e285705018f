import type { Facts } from "../../facts/index.js";
import type { PublishedValue } from "../frame/verdict.js";
import { type Draw, type Margin, type PriorJudgement, verdictOf } from "../frame/verdict.js";
import { type Decider, deciderOf } from "./decides.js";
import { drawsFor, type Ensemble, type NoDraws, type QuantityOf } from "./ensemble.js";
import { endsOf, type MarginRecord, margins } from "./margins.js";

/** The judgement on a quantity, with all that it rests on. */
export interface Prior extends PriorJudgement {
  margin: Margin & { unit: string; reason: string; date: string };
  /** The design that was run: what was drawn, and from where to where. */
  design: string;
  /** Draws of the design that were run; {@link PriorJudgement.draws} of them hold the quantity. */
  drawn: number;
  /** Draws that the design has, where not all of them were run. */
  planned?: number;
  /** Where the verdict is "depends": on what most. */
  decider?: Decider;
}

/** A quantity that cannot be judged yet, and why. */
export interface Unjudged {
  unjudged: string;
  margin?: Prior["margin"];
}

const written = ({ unit, reason, date }: MarginRecord, ends: Margin): Prior["margin"] => ({
  ...ends,
  unit,
  reason,
  date,
});

/**
 * Judges a quantity by its margin over the draws of its design: the same rule for every entry, whatever a run at hand was made with.
 * @param entry the experiment and the claim: "lock-contention: PE2"
 * @param of gives the quantity of a draw
 * @param read reads an ensemble, for callers that judge several entries by the same one
 */
export function priorOf(
  facts: Facts,
  entry: string,
  of: QuantityOf,
  published?: PublishedValue,
  read: (design: string) => Ensemble | NoDraws = (design) => drawsFor(facts, design),
): Prior | Unjudged {
  const record = margins(facts)[entry];
  if (record === undefined) return { unjudged: "no margin was written for it" };
  const margin = written(record, endsOf(record, published));
  const ensemble = read(record.design);
  if ("noDraws" in ensemble) return { unjudged: ensemble.noDraws, margin };
  const draws = ensemble.values(of);
  if (draws.length === 0) return { unjudged: `no draw of "${record.design}" holds it`, margin };
  const judged = verdictOf(draws, margin);
  const decider = judged.verdict === "depends" ? deciderOf(draws, ensemble.design.space, margin) : undefined;
  return {
    ...judged,
    margin,
    design: record.design,
    drawn: ensemble.draws.length,
    ...(ensemble.draws.length < ensemble.design.samples ? { planned: ensemble.design.samples } : {}),
    ...(decider ? { decider } : {}),
  };
}

/**
 * Judges a quantity by its margin over all the cases that there are, by the same rule: where what is not known is which of them it was.
 * @param cases each as likely as the next
 */
export function priorOfCases(
  facts: Facts,
  entry: string,
  cases: readonly Draw[],
  published?: PublishedValue,
): Prior | Unjudged {
  const record = margins(facts)[entry];
  if (record === undefined) return { unjudged: "no margin was written for it" };
  const margin = written(record, endsOf(record, published));
  return { ...verdictOf(cases, margin), margin, design: record.design, drawn: cases.length };
}
