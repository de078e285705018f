import { confidenceInterval, Streams } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import {
  type LockKind,
  lineTime,
  lockKinds,
  Machine,
  machineConfig,
  runLockLoad,
  ticketLockModel,
} from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import { type ColumnName, mean } from "../frame/rows.js";
import { type LockPoint, placed, runs } from "./config.js";

/** Runs one point. */
export function simulate(point: LockPoint, { facts }: Basis) {
  const { replications, sections } = runs[point.fidelity];
  const { homeOccupancyPercent } = point;
  const host = machineConfig(facts, point.host, homeOccupancyPercent === undefined ? {} : { homeOccupancyPercent });
  if (point.cores > host.sockets * host.coresPerSocket) return [];
  const cpus = placed(host, point.cores, point.placement);
  const streams = (replication: number) => new Streams(point.seed, `replication ${replication}`);
  const results = new Map(
    lockKinds.map((kind) => [
      kind,
      Array.from({ length: replications }, (_, r) =>
        runLockLoad(new Machine(host), {
          kind,
          cpus,
          sectionCycles: point.sectionCycles,
          thinkCycles: point.thinkCycles,
          sections,
          streams: streams(r),
        }),
      ),
    ]),
  );
  const line = lineTime(new Machine(host), cpus, streams(0).stream("line time"));
  const model = ticketLockModel(point.cores, point.thinkCycles, point.sectionCycles, line) * host.gigahertz * 1e9;
  return lockKinds.map((kind) => {
    const of = results.get(kind) ?? [];
    const rate = confidenceInterval(of.map((r) => r.throughput));
    // The same think and section times for both: the ratio of each pair of runs, then its interval.
    const ticket = results.get("ticket") ?? [];
    const ratio = confidenceInterval(of.map((r, i) => r.throughput / ticket[i].throughput));
    return {
      lock: kind,
      cores: point.cores,
      throughput: rate.mean,
      throughputLow: rate.low,
      throughputHigh: rate.high,
      toTicket: ratio.mean,
      toTicketLow: ratio.low,
      toTicketHigh: ratio.high,
      handOffCycles: mean(of.map((r) => r.handOffCycles)),
      waiters: mean(of.map((r) => r.meanWaiters)),
      contendedPercent: 100 * mean(of.map((r) => r.statistics.contentions / r.statistics.acquisitions)),
      lineCycles: line,
      ticketModel: model,
    };
  });
}

/** A row of the table. */
export type LockRow = ReturnType<typeof simulate>[number];

export const ofKind = (rows: readonly LockRow[], kind: LockKind) => rows.filter((r) => r.lock === kind);

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<LockRow>, Column>> = {
  lock: { unit: "", description: "kind of lock" },
  cores: { unit: "", description: "cores that take it" },
  throughput: { unit: "1/s", description: "sections a second, mean of the replications" },
  throughputLow: { unit: "1/s", description: "lower end of its 95 % confidence interval" },
  throughputHigh: { unit: "1/s", description: "upper end" },
  toTicket: { unit: "×", description: "throughput as a multiple of the ticket lock's in the same runs" },
  toTicketLow: { unit: "×", description: "lower end of its 95 % confidence interval" },
  toTicketHigh: { unit: "×", description: "upper end" },
  handOffCycles: {
    unit: "cycles",
    description: "from a section's last cycle to the next one's first, when somebody waits",
  },
  waiters: { unit: "", description: "cores that wait, averaged over time" },
  contendedPercent: { unit: "%", description: "acquisitions that had to wait" },
  lineCycles: {
    unit: "cycles",
    description: "line time c of the published model, as the simulated machine shows it",
  },
  ticketModel: { unit: "1/s", description: "what the published Markov model of the ticket lock says (record H12)" },
};
