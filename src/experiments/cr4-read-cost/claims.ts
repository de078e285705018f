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
        const { l3Cycles } = machineConfig(facts, rows[0].host);
        const ratios = [haswell / l3Cycles, sandyBridge / l3Cycles];
        return {
          simulated: {
            mean: (ratios[0] + ratios[1]) / 2,
            low: ratios[0],
            high: ratios[1],
            n: 2,
            level: 1,
            unit: "of a read that misses the L2",
          },
          // Each measured read against its own host, or the modelled one that came next: Broadwell after Haswell.
          cases: [
            { value: sandyBridge / machineConfig(facts, "sandy-bridge-ep").l3Cycles, error: 0 },
            { value: haswell / machineConfig(facts, "broadwell-ep").l3Cycles, error: 0 },
          ],
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
      of: (q) => q["copy of CR4"],
      judge(rows) {
        const points = oneRate(rows);
        if (points.length === 0) return undefined;
        const costs = valuesOf(points, "shadowCycles");
        return {
          numbers: {
            least: Math.min(...costs),
            most: Math.max(...costs),
            worst: Math.max(...valuesOf(rows, "savedShare").map((share) => (share < 0 ? -share : share))),
          },
        };
      },
      say: ({ least, most, worst }, verdict) => ({
        answer: { holds: "Yes", "does not hold": "No" }[String(verdict)] ?? "It depends",
        explanation: `It hangs on what the CPU touches between two entries: the copy costs ${least.toFixed(0)} to ${most.toFixed(0)} cycles. Over all rates and footprints run here the difference is at most ${(100 * worst).toFixed(1)} % of one CPU.`,
      }),
    }),
  ];
};

/** Cycles of the copy, as a share of the cheaper of the two measured reads of CR4. */
export const quantitiesOf = ([row]: readonly ReadCostRow[]): Record<string, number> =>
  row ? { "copy of CR4": row.shadowCycles / row.cr4CyclesHaswell } : {};
