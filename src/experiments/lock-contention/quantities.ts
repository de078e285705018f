import type { LockContentionRow } from "./rows.js";

/**
 * What one run of each variant comes down to, by variant: "deferred: throughput" in transactions a second, and shares of the cores' time.
 * Spinning is a share of the time in which a core does anything.
 */
export function quantitiesOf(rows: readonly LockContentionRow[]): Record<string, number> {
  return Object.fromEntries(
    rows.flatMap((row): [string, number][] => {
      const busy = 1 - row["share: waiting"];
      const lost = busy - row["share: stack"];
      return [
        [`${row.variant}: throughput`, row.throughput],
        [`${row.variant}: waiting`, row["share: waiting"]],
        [`${row.variant}: spinning`, row["share: spinning"] / busy],
        [`${row.variant}: allocator spinning`, row["spin: allocator lock"] / busy],
        [`${row.variant}: invalidation of the lost time`, row["share: invalidation"] / lost],
        [`${row.variant}: entry of a map`, row.pteWriteShare],
        [`${row.variant}: visits of a map`, row.visitsPerMap],
      ];
    }),
  );
}
