import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRun } from "../../host/index.js";
import { type Column, columnEach } from "../frame/column.js";
import type { ColumnName } from "../frame/rows.js";
import { lockGroup } from "../lock-contention/rows.js";

/** Cycles from which on each part of a distribution counts; the last one is open. */
export const fromCycles = [
  0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288,
  1_048_576, 2_097_152, 4_194_304, 8_388_608, 16_777_216, 33_554_432, 67_108_864, 134_217_728, 268_435_456, 536_870_912,
  1_073_741_824,
] as const;

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
      ...columnEach("waits", fromCycles, (_, i) => times?.waits[i] ?? 0),
      ...columnEach("holds", fromCycles, (_, i) => times?.holds[i] ?? 0),
      gigahertz: result.gigahertz,
    };
  });
}

/** A row of the lock table. */
export type LockTableRow = ReturnType<typeof simulate>[number];

const inMicroseconds = (description: string) => ({ unit: "µs", description });

/** A part of a distribution in words. */
const upTo = (from: number): string => (from < 2 ? `${from} cycles` : `${from} to ${2 * from - 1} cycles`);

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
  ...columnEach("waits", fromCycles, (from) => ({ unit: "", description: `acquisitions that waited ${upTo(from)}` })),
  ...columnEach("holds", fromCycles, (from) => ({ unit: "", description: `acquisitions that held it ${upTo(from)}` })),
  gigahertz: { unit: "GHz", description: "clock, to turn cycles into time" },
};
