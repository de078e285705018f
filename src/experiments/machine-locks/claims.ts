import type { Facts } from "../../facts/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { kindOf } from "../frame/claim-kind.js";
import { marginOf } from "../ignorance/margins.js";
import { runs, type Settings } from "./config.js";
import { overModel } from "./quantities.js";
import { type LockRow, ofKind } from "./rows.js";

const h12 = (settings: Settings, facts: Facts): AskedClaim<LockRow> => {
  const record = facts.record("H12");
  const margin = marginOf(facts, "machine-locks: H12");
  return claimOn<LockRow>()({
    id: "H12",
    quote: record.quote ?? record.quantity,
    source: `record H12: ${record.source}`,
    kind: kindOf(record),
    // What was published is the model itself: no number of a record, and 1 by definition.
    published: { low: 1, high: 1, unit: "of the model's throughput", factId: "H12" },
    needs: "ticket locks",
    of: (q) => q["over the model"],
    judge(rows) {
      const ticket = ofKind(rows, "ticket");
      if (ticket.length === 0) return undefined;
      const off = overModel;
      const worst = ticket.reduce((a, b) => (Math.abs(off(b) - 1) > Math.abs(off(a) - 1) ? b : a));
      const far = ticket.filter((r) => off(r) < margin.low || off(r) > margin.high).map((r) => r.cores);
      return {
        simulated: {
          mean: off(worst),
          low: worst.throughputLow / worst.ticketModel,
          high: worst.throughputHigh / worst.ticketModel,
          n: runs[settings.fidelity].replications,
          level: 0.95,
          unit: "of the model's throughput",
        },
        numbers: { far, worstCores: worst.cores },
      };
    },
    say({ far, worstCores }) {
      const least = `the largest difference is at ${worstCores} cores`;
      const within = `With the line time that the simulated machine shows, its throughput is ${margin.low} to ${margin.high} of the published Markov model's`;
      return {
        explanation:
          far.length === 0
            ? `${within} at every number of cores; ${least}.`
            : `${within} except at ${far.join(", ")} cores, where the simulated lock does less; ${least}. The model counts the copies that waiters fetch after a release; here newcomers' locked adds and the copies that nobody needs any more keep the line's home busy as well. It depends on the section's length: the longer, the closer.`,
      };
    },
  });
};

const k28 = (settings: Settings, facts: Facts): AskedClaim<LockRow> => {
  const record = facts.record("K28");
  return claimOn<LockRow>()({
    id: "K28",
    quote: record.quote ?? record.quantity,
    source: `record K28: ${record.source}`,
    kind: "simulated quantity",
    needs: "runs without contention, with 0.5 to 3 waiters, and with more",
    of: (q) => q["as the commit says"],
    judge(rows) {
      const queued = ofKind(rows, "queued");
      const depth = (r: LockRow) => (ofKind(rows, "ticket").find((t) => t.cores === r.cores) ?? r).waiters;
      const light = queued.filter((r) => depth(r) >= 0.5 && depth(r) <= 3);
      const heavy = queued.filter((r) => depth(r) > 3).at(-1);
      const alone = queued.find((r) => r.cores === 1);
      if (light.length === 0 || !heavy || !alone) return undefined;
      const slower = light.filter((r) => r.toTicketHigh < 1);
      const all = slower.length === light.length;
      return {
        simulated: {
          mean: heavy.toTicket,
          low: heavy.toTicketLow,
          high: heavy.toTicketHigh,
          n: runs[settings.fidelity].replications,
          level: 0.95,
          unit: "of the ticket lock's throughput",
        },
        numbers: {
          alone: alone.toTicket,
          light: light.map(({ toTicket, cores }) => ({ toTicket, cores })),
          heavy: { toTicket: heavy.toTicket, waiters: depth(heavy) },
          all,
        },
      };
    },
    say: ({ alone, light, heavy, all }) => ({
      explanation: `Against the ticket lock, the queued lock does ${alone.toFixed(2)} × alone; with 0.5 to 3 waiters ${light.map(({ toTicket, cores }) => `${toTicket.toFixed(2)} × at ${cores} cores`).join(", ")}; with ${heavy.waiters.toFixed(0)} waiters ${heavy.toTicket.toFixed(2)} ×. The commit says: the same alone, slower with an average queue of 1 to 3, faster beyond.${all ? "" : " Where the sockets mix, the queued lock is faster already with fewer waiters: every copy that it saves would cross the sockets."}`,
    }),
  });
};

/** The claims that this experiment answers. */
export const claimsOn = (settings: Settings, facts: Facts): readonly AskedClaim<LockRow>[] => [
  h12(settings, facts),
  k28(settings, facts),
];
