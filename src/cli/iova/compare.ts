import { type AllocatorName, allocatorNames, type ReplayResult } from "../../iova/index.js";
import { rankQuantile } from "../../recordings/index.js";
import { UserError } from "../errors.js";
import { deferredFlushes } from "./totals.js";

const compared = [
  "allocator",
  "maps",
  "failures",
  "visits p50",
  "visits p99",
  "visits most",
  "hits",
  "flushes",
  "live",
  "nodes",
];

/** One line of totals an allocator. */
export function compare(
  names: readonly AllocatorName[],
  replayed: (name: AllocatorName) => ReplayResult,
  csv: boolean,
): string {
  const rows = [compared];
  for (const name of names) {
    const result = replayed(name);
    const { allocations, failures, live, nodes, hits, flushes } = result.statistics;
    const visits = (share: number) => (result.visits.length === 0 ? 0 : rankQuantile(result.visits, share));
    const deferred = deferredFlushes(result);
    rows.push([
      name,
      ...[allocations, failures, visits(0.5), visits(0.99), visits(1), hits, deferred || flushes, live, nodes].map(
        String,
      ),
    ]);
  }
  if (csv) return `${rows.map((row) => row.join(",")).join("\n")}\n`;
  const widths = compared.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return `${rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")).join("\n")}\n`;
}

/** The allocators that --compare names. */
export function comparedNames(asked: string): AllocatorName[] {
  if (asked === "all") return [...allocatorNames];
  return asked.split(",").map((name) => {
    const known = allocatorNames.find((allocator) => allocator === name.trim());
    if (known) return known;
    throw new UserError(
      `--compare: there is no allocator "${name.trim()}"; there are all, ${allocatorNames.join(", ")}.`,
    );
  });
}
