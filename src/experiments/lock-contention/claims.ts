import type { Facts } from "../../facts/index.js";
import { type AskedClaim, askAll, type ClaimResult, claimOn } from "../frame/claim.js";
import { estimate } from "../frame/rows.js";
import { observed } from "./alike.js";
import { judgedClaims } from "./judged.js";
import { inUnit, most } from "./pick.js";
import type { LockContentionRow as Row } from "./rows.js";
import { sourceFacts } from "./source-facts.js";

/** What set the stack's work: found again, and no evidence. */
function calibration(facts: Facts): AskedClaim<Row> {
  const value = facts.number("PE1");
  return claimOn<Row>()({
    id: "PE1",
    quote: "stock iommu=off: 990,803 memcached transactions/sec",
    source: "record PE1",
    kind: "calibration",
    published: { low: value, high: value, unit: "transactions/s", factId: "PE1" },
    needs: 'the variant "off" at 16 cores',
    judge(rows) {
      const mine = most(rows, "off");
      if (mine.length === 0 || mine[0].cores !== 16) return undefined;
      return {
        verdict: "calibration",
        simulated: inUnit(estimate(mine, "throughput"), "transactions/s"),
        numbers: {},
      };
    },
    say: () => ({
      explanation: "The stack's work a transaction was set from this figure; it is not evidence.",
    }),
  });
}

/**
 * The claims on a run's rows. Where it is not what a claim is about, the device caches no translations, and every other setting is the
 * first of the run.
 */
export function claims(rows: readonly Row[], facts: Facts): ClaimResult[] {
  const plain: Partial<Row> = { ats: false };
  const all = [...sourceFacts(plain), ...judgedClaims(facts, plain), calibration(facts)];
  return askAll(all, observed(rows), { facts, experiment: "lock-contention" });
}
