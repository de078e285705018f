import type { Clock } from "../clock.js";

/**
 * Statistics of locks in the columns of Linux's /proc/lock_stat (Documentation/locking/lockstat.txt, v4.3): contention-bounces,
 * contentions, waiting times, acquisition-bounces, acquisitions and holding times. Times are kept in ticks and printed in microseconds,
 * as Linux does. A bounce is an acquisition (or a contention) on another core than the one before.
 */
export class LockStatistics {
  conBounces = 0;
  contentions = 0;
  waitMin: number = Number.POSITIVE_INFINITY;
  waitMax = 0;
  waitTotal = 0;
  acqBounces = 0;
  acquisitions = 0;
  holdMin: number = Number.POSITIVE_INFINITY;
  holdMax = 0;
  holdTotal = 0;
  private lastCore = -1;

  /** @param name as the table shows it, e.g. "&iovad->iova_rbtree_lock" */
  constructor(readonly name: string) {}

  /** A core found the lock taken and began to wait. */
  contended(core: number): void {
    this.contentions++;
    if (this.lastCore !== -1 && this.lastCore !== core) this.conBounces++;
  }

  /** A core has the lock. @param waitTicks how long it waited; 0 for an acquisition without contention */
  acquired(core: number, waitTicks: number): void {
    this.acquisitions++;
    if (this.lastCore !== -1 && this.lastCore !== core) this.acqBounces++;
    this.lastCore = core;
    if (waitTicks <= 0) return;
    this.waitTotal += waitTicks;
    if (waitTicks < this.waitMin) this.waitMin = waitTicks;
    if (waitTicks > this.waitMax) this.waitMax = waitTicks;
  }

  /** A core gave the lock back after holding it for `holdTicks`. */
  released(holdTicks: number): void {
    this.holdTotal += holdTicks;
    if (holdTicks < this.holdMin) this.holdMin = holdTicks;
    if (holdTicks > this.holdMax) this.holdMax = holdTicks;
  }
}

/** Linux's names of the columns, in its order. */
export const lockTableColumns: readonly string[] = [
  "con-bounces",
  "contentions",
  "waittime-min",
  "waittime-max",
  "waittime-total",
  "waittime-avg",
  "acq-bounces",
  "acquisitions",
  "holdtime-min",
  "holdtime-max",
  "holdtime-total",
  "holdtime-avg",
];

/** A row of the lock table: the lock's name and a number a column, times in microseconds. */
export type LockTableRow = { "class name": string } & Record<string, string | number>;

/** The rows of the table, most contended first, as lock_stat sorts them. */
export function lockTable(locks: Iterable<LockStatistics>, clock: Clock): LockTableRow[] {
  const us = (ticks: number) => (Number.isFinite(ticks) ? clock.toNs(ticks) / 1000 : 0);
  return [...locks]
    .sort((a, b) => b.contentions - a.contentions)
    .map((lock) => {
      const cells = [
        lock.conBounces,
        lock.contentions,
        us(lock.waitMin),
        us(lock.waitMax),
        us(lock.waitTotal),
        lock.contentions > 0 ? us(lock.waitTotal / lock.contentions) : 0,
        lock.acqBounces,
        lock.acquisitions,
        us(lock.holdMin),
        us(lock.holdMax),
        us(lock.holdTotal),
        lock.acquisitions > 0 ? us(lock.holdTotal / lock.acquisitions) : 0,
      ];
      return { "class name": lock.name, ...Object.fromEntries(lockTableColumns.map((name, i) => [name, cells[i]])) };
    });
}

/** The table as text, laid out like /proc/lock_stat, times in microseconds with two decimals. */
export function lockTableText(locks: Iterable<LockStatistics>, clock: Clock): string {
  const rows = lockTable(locks, clock).map((row) => [
    `${row["class name"]}:`,
    ...lockTableColumns.map((name) => (name.includes("time") ? Number(row[name]).toFixed(2) : String(row[name]))),
  ]);
  const lines = [["class name", ...lockTableColumns], ...rows];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const rule = "-".repeat(widths.reduce((sum, width) => sum + width + 3, 0));
  const text = lines.map((line) => line.map((cell, column) => cell.padStart(widths[column])).join("   "));
  return ["lock_stat version 0.4", rule, text[0], rule, ...text.slice(1), ""].join("\n");
}
