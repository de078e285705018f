import { confidenceInterval, Streams } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import { type LockKind, Machine, machineConfig, runLockLoad } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { placed } from "../machine-locks/config.js";
import type { AssumptionPoint } from "./config.js";

const replications = 5;

const sections = 700;

/** Runs one point. */
export function simulate(point: AssumptionPoint, { facts }: Basis) {
  const host = machineConfig(facts, point.host, point.field === "" ? {} : { [point.field]: point.value });
  const all = host.sockets * host.coresPerSocket;
  const rates = (kind: LockKind, cores: number) =>
    Array.from({ length: replications }, (_, r) => {
      const cpus = placed(host, cores, "socket by socket");
      const streams = new Streams(point.seed, `replication ${r}`);
      const { sectionCycles, thinkCycles } = point;
      return runLockLoad(new Machine(host), { kind, cpus, sectionCycles, thinkCycles, sections, streams }).throughput;
    });
  return (["ticket", "queued"] as const).map((lock) => {
    const one = rates(lock, host.coresPerSocket);
    const kept = confidenceInterval(rates(lock, all).map((rate, r) => (100 * rate) / one[r]));
    const { field, end, value } = point;
    return { assumption: field, end, value, lock, keptPercent: kept.mean, keptLow: kept.low, keptHigh: kept.high };
  });
}

/** A row of the table. */
export type AssumptionRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<AssumptionRow>, Column>> = {
  assumption: { unit: "", description: "the value that is replaced; empty for the host as it is" },
  end: { unit: "", description: "which end of its range" },
  value: { unit: "", description: "the value there, in the unit of the host's file" },
  lock: { unit: "", description: "kind of lock" },
  keptPercent: { unit: "%", description: "throughput of all cores as a share of that of one socket's cores" },
  keptLow: { unit: "%", description: "lower end of its 95 % confidence interval" },
  keptHigh: { unit: "%", description: "upper end" },
};
