import type { CapacityRow } from "./rows.js";
import { type Reuse, reuses, type Trust, trusts, wayNamed } from "./ways.js";

/** A cell of the table: what to choose for one case, and what would change that. */
export interface Choice {
  trust: Trust;
  reuse: string;
  cores: number;
  /** Rate of the device, in Gb/s. */
  rate: number;
  choose: string;
  /** What it carries of that rate, in Gb/s, and how many cores that keeps busy (in proportion to full load: for ways that wait for locks, at most). */
  carries: number;
  busyCores: number;
  reach: string;
  /** Mean pages in the device's reach after their unmap. */
  stalePages: number;
  /** Memory beside the buffers, in MiB. */
  memory: number;
  /** The next best, and what that carries. */
  otherwise: string;
  otherwiseCarries: number;
  otherwiseBusy: number;
  /** The assumption at whose end another way would be chosen: measure that. */
  changes: string;
}

/** Rates, and busy cores, closer than this are equal: then the safer way is chosen, then the one that needs less memory. */
const tie = 0.05;

/** Cores that a rate keeps busy. */
const busy = ({ cores, capacity }: CapacityRow, rate: number): number => cores * Math.min(1, rate / capacity);

/** Ways that may be chosen, best first. */
function ranked(
  rows: readonly CapacityRow[],
  { trust, reuse }: { trust: Trust; reuse: Reuse },
  rate: number,
): CapacityRow[] {
  const carried = (row: CapacityRow): number => Math.min(row.capacity, rate);
  const open = rows.filter(({ way }) => wayNamed(way).suits(trust, reuse));
  return [...open].sort((a, b) => {
    const most = Math.max(carried(a), carried(b));
    if (Math.abs(carried(a) - carried(b)) > tie * most) return carried(b) - carried(a);
    const [busyA, busyB] = [busy(a, rate), busy(b, rate)];
    if (Math.abs(busyA - busyB) > tie * Math.max(busyA, busyB)) return busyA - busyB;
    return wayNamed(b.way).safety - wayNamed(a.way).safety || a.memory - b.memory;
  });
}

/**
 * The table of choices: device trust × buffer reuse × cores × rate, each cell computed from the rows.
 * @param rows of the experiment "choice"
 * @param rates of the device, in Gb/s
 * @param options `everyWay`: also choose a way that Linux has not (a bounce pool that stays mapped); otherwise those are left out
 * @example choices(decided.rows, [100], { everyWay: true })
 */
export function choices(
  rows: readonly CapacityRow[],
  rates: readonly number[],
  options: { everyWay?: boolean } = {},
): Choice[] {
  const open = rows.filter(({ way }) => options.everyWay === true || wayNamed(way).inLinux !== false);
  const cells: Choice[] = [];
  const cores = [...new Set(open.map((row) => row.cores))];
  for (const trust of trusts)
    for (const reuse of reuses)
      for (const n of cores)
        for (const rate of rates) {
          const mine = open.filter((row) => row.cores === n);
          const assumed = mine.filter(({ assumption }) => assumption === "as assumed");
          const [best, next] = ranked(assumed, { trust, reuse }, rate);
          if (best === undefined) continue;
          const changes = [...new Set(mine.map(({ assumption }) => assumption))].flatMap((assumption) => {
            if (assumption === "as assumed") return [];
            const moved = assumed.map(
              (row) => mine.find((other) => other.way === row.way && other.assumption === assumption) ?? row,
            );
            const [other] = ranked(moved, { trust, reuse }, rate);
            return other.way === best.way ? [] : [`${assumption}: ${other.way}`];
          });
          cells.push({
            trust,
            reuse,
            cores: n,
            rate,
            choose: best.way,
            carries: Math.min(rate, best.capacity),
            busyCores: busy(best, rate),
            reach: wayNamed(best.way).reach,
            stalePages: best.stalePages,
            memory: best.memory / 1024,
            otherwise: next?.way ?? "nothing else",
            otherwiseCarries: next ? Math.min(rate, next.capacity) : 0,
            otherwiseBusy: next ? busy(next, rate) : 0,
            changes: changes.length > 0 ? changes.join("; ") : "none of those swept",
          });
        }
  return cells;
}
