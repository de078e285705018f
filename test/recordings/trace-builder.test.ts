import { expect, test } from "vitest";
import { TraceBuilder } from "../../src/recordings/index.js";
import { fc } from "../support/property.js";

/** Small ranges close together, ranges around a block's edge, and ranges of gigabytes. */
const range = fc.oneof(
  fc.record({ iovaPfn: fc.nat(200), pages: fc.integer({ min: 1, max: 70 }) }),
  fc.record({ iovaPfn: fc.nat(300_000), pages: fc.integer({ min: 65_530, max: 65_540 }) }),
  fc.record({ iovaPfn: fc.nat(2 ** 40), pages: fc.integer({ min: 1, max: 0xffffffff }) }),
);
const request = { timeNs: 0, cpu: 0, bytes: 0, direction: 0, kind: 0, context: 0, paddrPfn: 0 };

test("overlap with a live range is found exactly when comparing with every live range finds one", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(range, fc.boolean(), fc.nat()), { maxLength: 40 }), (steps) => {
      const builder = new TraceBuilder();
      const device = builder.device("a");
      const live: { iovaPfn: number; pages: number }[] = [];
      for (const [next, unmap, which] of steps) {
        if (unmap && live.length > 0)
          builder.unmap({ ...request, device, iovaPfn: live.splice(which % live.length, 1)[0].iovaPfn });
        const clash = live.some((l) => l.iovaPfn < next.iovaPfn + next.pages && next.iovaPfn < l.iovaPfn + l.pages);
        expect(builder.overlapping(device, next.iovaPfn, next.pages) !== undefined).toBe(clash);
        if (clash) expect(() => builder.map({ ...request, device, ...next })).toThrow("mapped already");
        else {
          builder.map({ ...request, device, ...next });
          live.push(next);
        }
      }
    }),
  );
});
