import { expect, test } from "vitest";
import { parseTrace, replay } from "../../src/iova/index.js";
import { importTrace, requestsOf } from "../../src/recordings/index.js";

/**
 * A driver with 300,000 live ranges and two requests in flight. The tree of Linux v4.3 remembers the node of its last allocation and
 * searches downwards from it. While only the newest ranges go, the next one fits just below. Once an old range goes (one unmap, late), the
 * hole at its address is found and filled by one request, and the other walks past all live ranges: every second allocation is slow.
 */
function recording(unmapLate: boolean): string {
  const live = 300_000;
  const rows = ["t_ns,cpu,op,dev,iova_pfn,pages"];
  let time = 0;
  const row = (op: string, slot: number) => rows.push(`${time++},0,${op},nic,${(0x100000 + slot).toString(16)},1`);
  for (let slot = 0; slot < live; slot++) row("M", slot);
  if (unmapLate) row("U", 10);
  row("M", live);
  row("M", live + 1);
  for (let i = 2; i < 1000; i++) {
    row("U", live + i - 2);
    row("M", live + i);
  }
  return `${rows.join("\n")}\n`;
}

test.each([
  [false, 0, 0],
  [true, 400, 600],
])("one unmap late in 300,000 live ranges (%s): slow allocations of 1,000 in the v4.3 tree", (late, least, most) => {
  const { trace } = importTrace(recording(late), { file: "x.csv" });
  const { visits } = replay(parseTrace(requestsOf(trace, 0)), "rbtree");
  const slow = visits.slice(300_000).filter((count) => count > 1000).length;
  expect(visits).toHaveLength(301_000);
  expect(slow).toBeGreaterThanOrEqual(least);
  expect(slow).toBeLessThanOrEqual(most);
});
