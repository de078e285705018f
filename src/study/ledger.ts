import type { ClaimResult } from "../experiments/index.js";
import { type FactRecord, Facts } from "../facts/index.js";

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

/** The records that the words of a claim's source name: "mail of 2015-11-16 (record JG4)". */
function namedRecords(facts: Facts, source: string): FactRecord[] {
  const words = new Set(source.split(/[^A-Za-z0-9_]+/));
  return facts.all().filter(({ id }) => words.has(id));
}

/** Whether the claims are another experiment's, and answer this one. */
const answersLater =
  (experiment: string, id: string) =>
  (other: { experiment: string; claims: readonly ClaimResult[] }): boolean =>
    other.experiment !== experiment &&
    other.claims.some((claim) => claim.id === id && claim.verdict !== "not answered");

/**
 * The claims ledger: every claim that the experiments answer, in order.
 *
 * What a parameter was calibrated from can never count as confirmed: a claim that is of this kind, or whose published record or a record that
 * its source names is one, must carry the verdict "calibration"; {@link evidence} leaves it out. An input of the model is compared with
 * nothing at all.
 * @throws Error naming the claim that would count a calibration as evidence, that compares something with an input, or that rests on an
 * unverified record
 */
export function ledger(
  results: readonly { experiment: string; claims: readonly ClaimResult[] }[],
  facts: Facts = Facts.published(),
): LedgerEntry[] {
  const answered = new Set<string>();
  return results.flatMap(({ experiment, claims }) =>
    claims.flatMap((claim) => {
      // A record that two experiments judge is one entry: that of the first that answers.
      if (answered.has(claim.id)) return [];
      if (claim.verdict !== "not answered" || !results.some(answersLater(experiment, claim.id))) answered.add(claim.id);
      else return [];
      const record = claim.published?.factId === undefined ? undefined : facts.record(claim.published.factId);
      if (facts.all().some(({ id, use }) => use === "input" && (id === claim.id || id === record?.id)))
        throw new Error(
          `${experiment}: claim ${claim.id} compares something with record ${record?.id ?? claim.id}, which is an input of the model; nothing can be.`,
        );
      const decided = claim.verdict !== "calibration" && claim.verdict !== "not answered";
      const uses = [claim.kind, record?.use, ...namedRecords(facts, claim.source).map(({ use }) => use)];
      if (decided && uses.includes("calibration")) {
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
      return [{ ...claim, experiment, ...offBy }];
    }),
  );
}

/** The entries that may count: calibrations, which show no more than that a parameter is what it was set to, are left to their own list. */
export const evidence = (entries: readonly LedgerEntry[]): LedgerEntry[] =>
  entries.filter(({ kind }) => kind !== "calibration");

/** The calibrations alone. */
export const calibrations = (entries: readonly LedgerEntry[]): LedgerEntry[] =>
  entries.filter(({ kind }) => kind === "calibration");

/** A published record and what the project does with it. */
export interface RecordUse {
  record: FactRecord;
  /** The claims that compare a simulated value with it, as "experiment: claim". */
  comparedBy: string[];
  /** The claims whose source names it: of an input, those that rest on it. */
  namedBy: string[];
}

/** Every published record, with the claims of a ledger that compare something with it or name it. */
export function recordUses(entries: readonly LedgerEntry[], facts: Facts = Facts.published()): RecordUse[] {
  const names = entries.map(({ experiment, id, published, source }) => ({
    name: `${experiment}: ${id}`,
    compared: [id, published?.factId],
    named: new Set(namedRecords(facts, source).map((record) => record.id)),
  }));
  return facts.all().map((record) => {
    const comparing = names.filter(({ compared }) => compared.includes(record.id));
    const naming = names.filter((entry) => entry.named.has(record.id) && !comparing.includes(entry));
    return { record, comparedBy: comparing.map(({ name }) => name), namedBy: naming.map(({ name }) => name) };
  });
}
