import { expect, test } from "vitest";
import { holdings, loadTrace, Op, occupancy, phaseRange, rankQuantile, readdress } from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { anyTrace } from "./any-trace.js";

test.each([
  "rbtree",
  "magazines",
] as const)("%s: the same requests, at addresses of its own that never overlap", (allocator) => {
  fc.assert(
    fc.property(anyTrace(), (trace) => {
      const moved = readdress(trace, allocator);
      expect([moved.op, moved.device, moved.partner, moved.timeNs]).toEqual([
        trace.op,
        trace.device,
        trace.partner,
        trace.timeNs,
      ]);
      const taken = trace.devices.map(() => new Set<number>());
      for (let op = 0; op < moved.length; op++) {
        expect(moved.pages[op]).toBeGreaterThanOrEqual(trace.pages[op]);
        for (let page = moved.iovaPfn[op]; page < moved.iovaPfn[op] + moved.pages[op]; page++) {
          expect(taken[moved.device[op]].has(page)).toBe(moved.op[op] === Op.unmap);
          if (moved.op[op] === Op.map) taken[moved.device[op]].add(page);
          else taken[moved.device[op]].delete(page);
        }
      }
    }),
  );
});

test("the tree of Linux v4.3 packs the static maps of the recording from the top, and holds as many", () => {
  const trace = loadTrace("igb");
  const up = phaseRange(trace, "up").first;
  const moved = readdress(trace, "rbtree");
  const [recorded, packed] = [holdings(trace, up)[0], holdings(moved, up)[0]];
  expect(packed.maps).toBe(recorded.maps);
  expect(packed.gapPages).toBeLessThan(recorded.gapPages);
  const steady = occupancy(moved, 0, phaseRange(moved, "rr")).intervals;
  expect(rankQuantile(steady, 0.5)).toBeGreaterThan(packed.intervals);
});
