import type { Facts } from "../../facts/index.js";
import { machineConfig } from "../../machine/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { valuesOf } from "../frame/rows.js";
import { mceClaims } from "../machine-check/quotes.js";
import { oneRate, type ReadCostRow } from "./rows.js";

export const claimsOn = (facts: Facts): AskedClaim<ReadCostRow>[] => {
  const sandyBridge = facts.number("S11");
  const haswell = facts.number("S10");
  const needs = "a row";
  return [
    claimOn<ReadCostRow>()({
      ...mceClaims["cr4-read-cost"],
      needs,
      judge(rows) {
        if (rows.length === 0) return undefined;
        const { l2Cycles, l3Cycles } = machineConfig(facts, rows[0].host);
        return {
          verdict: haswell > l2Cycles && sandyBridge <= 1.5 * l3Cycles ? "holds" : "does not hold",
          numbers: { l3Cycles },
        };
      },
      say: ({ l3Cycles }) => ({
        explanation: `A read that misses L2 and hits L3 costs ${l3Cycles} cycles on this host, a CR4 read ${haswell} to ${sandyBridge}: the same size. One that misses L3 too costs several times as much.`,
      }),
    }),
    claimOn<ReadCostRow>()({
      ...mceClaims["cr4-shadow-worth"],
      needs,
      judge(rows) {
        const points = oneRate(rows);
        if (points.length === 0) return undefined;
        const costs = valuesOf(points, "shadowCycles");
        const cheaper = costs.some((cycles) => cycles < haswell);
        const dearer = costs.some((cycles) => cycles > sandyBridge);
        return {
          verdict: cheaper && dearer ? "depends" : cheaper ? "holds" : "does not hold",
          numbers: {
            least: Math.min(...costs),
            most: Math.max(...costs),
            worst: Math.max(...valuesOf(rows, "savedShare").map((share) => (share < 0 ? -share : share))),
          },
        };
      },
      say: ({ least, most, worst }) => ({
        explanation: `On what the CPU touches between two entries: the copy costs ${least.toFixed(0)} to ${most.toFixed(0)} cycles. Over all rates and footprints run here the difference is at most ${(100 * worst).toFixed(1)} % of one CPU.`,
      }),
    }),
  ];
};
