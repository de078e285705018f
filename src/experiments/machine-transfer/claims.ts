import type { Facts } from "../../facts/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { mean, spread } from "../frame/rows.js";
import { medians, records } from "./published.js";
import { ofRelation, relations, type TransferRow } from "./rows.js";

/** A claim a relation: the ping-pong finds the published median again. */
export function claimsOn(host: string, facts: Facts): AskedClaim<TransferRow>[] {
  const record = facts.record(records[host].id);
  return relations.map((relation, i) => {
    const value = medians(record)[i];
    return claimOn<TransferRow>()({
      id: `${record.id}-${relation.replace(" ", "-")}`,
      quote: record.quantity,
      source: `record ${record.id}: ${record.source}`,
      kind: "calibration",
      published: { low: value, high: value, unit: "ns", factId: record.id },
      needs: `a pair of this kind: ${relation}`,
      judge(rows) {
        const found = ofRelation(rows, relation);
        if (found.length === 0) return undefined;
        return {
          verdict: "calibration",
          simulated: { ...spread(found), unit: "ns" },
          numbers: { mean: mean(found) },
        };
      },
      say: ({ mean }) => ({
        explanation: `${relation}: the simulated ping-pong finds ${mean.toFixed(1)} ns one way where the median of the published pairs is ${value} ns. The model's costs were set from this record; the measurement only shows that they come back out.`,
      }),
    });
  });
}
