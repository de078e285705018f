import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRun } from "../../host/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { lockGroup } from "../lock-contention/rows.js";

/** A row of lock_stat for each lock, and the distribution of its waits and holds by power of two. */
export function simulate(run: HostRun, basis: Basis) {
  const result = hostRun(run, basis);
  const us = (cycles: number): number => cycles / (result.gigahertz * 1000);
  const seconds = result.cycles / (result.gigahertz * 1e9);
  return result.locks.map((l) => {
    const times = result.lockTimes.find((t) => t.lock === l.name);
    return {
      variant: run.variant,
      cores: run.cores,
      lock: l.name,
      group: lockGroup(l.name),
      "con-bounces": l.conBounces,
      contentions: l.contentions,
      "waittime-min": us(l.waittimeMin),
      "waittime-max": us(l.waittimeMax),
      "waittime-total": us(l.waittimeTotal),
      "waittime-avg": us(l.waittimeAvg),
      "acq-bounces": l.acqBounces,
      acquisitions: l.acquisitions,
      "holdtime-min": us(l.holdtimeMin),
      "holdtime-max": us(l.holdtimeMax),
      "holdtime-total": us(l.holdtimeTotal),
      "holdtime-avg": us(l.holdtimeAvg),
      utilisation: us(l.holdtimeTotal) / (seconds * 1e6),
      waits: (times?.waits ?? []).join(" "),
      holds: (times?.holds ?? []).join(" "),
      gigahertz: result.gigahertz,
    };
  });
}

/** A row of the lock table. */
export type LockTableRow = ReturnType<typeof simulate>[number];

const inMicroseconds = (description: string) => ({ unit: "µs", description });

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<LockTableRow>, Column>> = {
  variant: { unit: "", description: "way of mapping" },
  cores: { unit: "", description: "cores" },
  lock: { unit: "", description: "name in Linux" },
  group: { unit: "", description: "what it protects" },
  "con-bounces": { unit: "", description: "contentions in which another CPU held it last" },
  contentions: { unit: "", description: "acquisitions that had to wait" },
  "waittime-min": inMicroseconds("shortest wait of a contended acquisition"),
  "waittime-max": inMicroseconds("longest"),
  "waittime-total": inMicroseconds("sum"),
  "waittime-avg": inMicroseconds("mean"),
  "acq-bounces": { unit: "", description: "acquisitions by another CPU than the last" },
  acquisitions: { unit: "", description: "all" },
  "holdtime-min": inMicroseconds("shortest hold"),
  "holdtime-max": inMicroseconds("longest"),
  "holdtime-total": inMicroseconds("sum"),
  "holdtime-avg": inMicroseconds("mean"),
  utilisation: { unit: "share", description: "time in which it is held" },
  waits: { unit: "counts", description: "acquisitions by wait: none, then 1 cycle, 2–3, 4–7 …" },
  holds: { unit: "counts", description: "the same by hold" },
  gigahertz: { unit: "GHz", description: "clock, to turn the buckets into time" },
};
