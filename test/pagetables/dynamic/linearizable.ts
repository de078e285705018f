/** A call of a recorded history: what was asked, when it began and returned, and what it returned. */
export interface Call {
  cpu: number;
  page: number;
  kind: "map" | "unmap";
  from: number;
  to: number;
  result: string;
}

/**
 * Whether the calls could have happened one at a time, each at some moment between its beginning and its return, with these results
 * (Wing and Gong's search). The object is a count a page: a map raises it ("taken" where it is at its most), an unmap lowers it and returns
 * how many pages that cleared.
 */
export function linearizable(calls: readonly Call[], most: number): boolean {
  const counts = new Map<number, number>();
  const seen = new Set<string>();
  const search = (left: readonly Call[]): boolean => {
    if (left.length === 0) return true;
    const key = `${left.map((call) => calls.indexOf(call)).join(",")}|${[...counts].join(";")}`;
    if (seen.has(key)) return false;
    seen.add(key);
    // Whatever returned before another began comes before it.
    const firstReturn = Math.min(...left.map(({ to }) => to));
    for (const call of left) {
      if (call.from > firstReturn) continue;
      const count = counts.get(call.page) ?? 0;
      const [result, next] =
        call.kind === "map"
          ? count < most
            ? ["mapped", count + 1]
            : ["taken", count]
          : [count === 1 ? "1" : "0", count - 1];
      if (result !== call.result || next < 0) continue;
      counts.set(call.page, next);
      if (search(left.filter((other) => other !== call))) return true;
      counts.set(call.page, count);
    }
    return false;
  };
  return search(calls);
}
