import { type FactRecord, fact, facts } from "../facts/index.js";
import type { ClaimResult } from "./experiment.js";

/** A claim in the ledger: what was said, what was found, and how far the two are apart. */
export interface LedgerEntry extends ClaimResult {
  /** The experiment that answers it. */
  experiment: string;
  /**
   * How far the simulated value lies from the published one: 0 inside the published range, otherwise the distance to its nearer end as a
   * share of that end. Absent where one of the two is missing.
   */
  offBy?: number;
}

/** Distance of a value from a range as a share of the nearer end; 0 inside. */
function distance(value: number, low: number, high: number): number {
  const end = value < low ? low : value > high ? high : value;
  if (end === value) return 0;
  return end === 0 ? Number.POSITIVE_INFINITY : (value - end) / (end < 0 ? -end : end);
}

/**
 * The claims ledger: every claim that the experiments answer, in order.
 *
 * What a parameter was calibrated from can never count as confirmed: a claim whose own use, or whose published record's use, is
 * calibration must carry the verdict "calibration".
 * @throws Error naming the claim that would count a calibration as evidence, or that rests on an unverified record
 */
export function ledger(results: readonly { experiment: string; claims: readonly ClaimResult[] }[]): LedgerEntry[] {
  return results.flatMap(({ experiment, claims }) =>
    claims.map((claim) => {
      const record = claim.published?.factId === undefined ? undefined : fact(claim.published.factId);
      const decided = claim.verdict === "holds" || claim.verdict === "does not hold" || claim.verdict === "depends";
      if (decided && (claim.use === "calibration" || record?.use === "calibration")) {
        throw new Error(
          `${experiment}: claim ${claim.id} is a calibration and has the verdict "${claim.verdict}"; it can only be "calibration".`,
        );
      }
      if (decided && record?.confidence === "unverified") {
        throw new Error(
          `${experiment}: claim ${claim.id} rests on record ${record.id}, which is unverified; it cannot be evidence.`,
        );
      }
      const { published, simulated } = claim;
      const offBy = published && simulated ? { offBy: distance(simulated.mean, published.low, published.high) } : {};
      return { ...claim, experiment, ...offBy };
    }),
  );
}

/** A published record and what the project does with it. */
export interface FigureUse {
  record: FactRecord;
  /** The claims that compare a simulated value with it, as "experiment: claim". */
  comparedBy: string[];
}

/** Every published record, with the claims of a ledger that compare something with it. */
export function figureUses(entries: readonly LedgerEntry[]): FigureUse[] {
  return facts().map((record) => ({
    record,
    comparedBy: entries
      .filter(({ id, published }) => published?.factId === record.id || id === record.id)
      .map(({ experiment, id }) => `${experiment}: ${id}`),
  }));
}
