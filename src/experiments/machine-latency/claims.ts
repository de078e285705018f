import type { Facts } from "../../facts/index.js";
import { machineConfig } from "../../machine/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { spread } from "../frame/rows.js";
import type { LatencyRow } from "./rows.js";

/** The records of the latencies that a chase should find on a host, L1 to L3. */
const published: Readonly<Record<string, string>> = { "sandy-bridge-ep": "H9", "westmere-ep": "H6" };

/** A claim a level: the chase finds the published latency again. */
export function claimsOn(host: string, facts: Facts): AskedClaim<LatencyRow>[] {
  const recordId = published[host];
  if (recordId === undefined) return [];
  const record = facts.record(recordId);
  const c = machineConfig(facts, host);
  const bounds = [0, c.l1KiB, c.l2KiB, c.l3KiB];
  return ["L1", "L2", "L3"].map((level, i) => {
    const cycles = facts.numbers(recordId)[i];
    return claimOn<LatencyRow>()({
      id: `${recordId}-${level}`,
      quote: record.quote ?? record.quantity,
      source: `record ${recordId}: ${record.source}`,
      kind: "calibration",
      published: { low: cycles, high: cycles, unit: "cycles", factId: recordId },
      needs: `a footprint well inside the ${level}`,
      judge(rows) {
        // Just above a cache's size a chase finds a mixture of two levels: the published value is that of the level alone.
        const inside = rows.filter(
          (r) => r.memory === "local" && r.sizeKiB > bounds[i] * 1.4 && r.sizeKiB <= bounds[i + 1],
        );
        if (inside.length === 0) return undefined;
        const found = inside.map((r) => r.cycles);
        const worst = found.reduce((far, x) => (Math.abs(x - cycles) > Math.abs(far - cycles) ? x : far), cycles);
        return { verdict: "calibration", simulated: { ...spread(found), unit: "cycles" }, numbers: { worst } };
      },
      say: ({ worst }) => ({
        explanation: `${level}: the chase finds ${worst.toFixed(1)} cycles where ${cycles} were published. The model's ${level} was set from this record; the chase only shows that it comes back out.`,
      }),
    });
  });
}
