import { distinct, ratio, where } from "../frame/rows.js";
import { like } from "./alike.js";
import type { LockContentionRow } from "./rows.js";

/** Throughput of `over` as a share of `under`, over a grid of maps a transaction and stack work, at the most cores. */
export function gridRatio(rows: readonly LockContentionRow[], over: string, under: string) {
  const pairs = distinct(rows, "mapsPerSide");
  const stack = distinct(rows, "stackMicroseconds");
  const most = Math.max(...distinct(rows, "cores"));
  const [first] = where(rows, { variant: over, cores: most });
  const at = (name: string, mapsPerSide: number, stackMicroseconds: number) =>
    like(rows, first, { variant: name, mapsPerSide, stackMicroseconds });
  return {
    pairs,
    stack,
    values: stack.map((us) => pairs.map((maps) => ratio(at(over, maps, us), at(under, maps, us), "throughput").mean)),
  };
}
