import { expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { FreeLists, SharedPages } from "../../src/host/pages.js";
import { fc } from "../support/property.js";

const source = () => new FreeLists(2, new Streams(1).stream("zone"), { now: 0 }, undefined);

test("buffers of a page follow one another, and the page goes back with the last of them", () => {
  const shared = new SharedPages(1, source(), { buffersAPage: 2, repeatShare: 0 }, new Streams(1).stream("again"));
  const [a, b, c] = [0, 0, 0].map((core) => shared.take(core, 1));
  expect(a).toBe(b);
  expect(c).not.toBe(a);
  expect(shared.give(0, a, 1)).toBe(false);
  expect(shared.give(0, b, 1)).toBe(true);
});

test("however buffers come and go, a page is given back exactly when nobody has it any more, and never handed to two owners by the zone", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 0.3, 0.9),
      fc.array(fc.tuple(fc.nat(1), fc.boolean(), fc.nat(1000)), { maxLength: 200 }),
      (buffersAPage, repeatShare, steps) => {
        const zone = source();
        const out = new Map<number, number>();
        const shared = new SharedPages(2, zone, { buffersAPage, repeatShare }, new Streams(2).stream("again"));
        for (const [core, takes, which] of steps) {
          const held = [...out.keys()];
          if (takes || held.length === 0) {
            const frame = shared.take(core, 1);
            out.set(frame, (out.get(frame) ?? 0) + 1);
            if (repeatShare === 0) expect(out.get(frame)).toBeLessThanOrEqual(buffersAPage);
          } else {
            const frame = held[which % held.length];
            const left = out.get(frame)! - 1;
            if (left === 0) out.delete(frame);
            else out.set(frame, left);
            expect(shared.give(core, frame, 1)).toBe(left === 0);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
