import { describe, expect, it } from "vitest";
import { delayTicks, FlushRings, firingTick } from "../../src/iova/index.js";
import { fc } from "../support/property.js";

describe("the flush rings", () => {
  it("free an entry once a flush that started after it has finished, oldest first (naive model)", () => {
    const event = fc.oneof(
      fc.record({ do: fc.constant("append" as const), ring: fc.nat(2) }),
      fc.record({ do: fc.constant("take" as const), ring: fc.nat(2) }),
      fc.record({ do: fc.constantFrom("start" as const, "finish" as const, "flush" as const), ring: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const rings = new FlushRings(3, 8);
        /** Waiting pfns of each ring, each with the flushes that must finish: all those that had started, and one more. */
        const waiting: { pfn: number; needs: number }[][] = [[], [], []];
        let started = 0;
        let finished = 0;
        let pfn = 0;
        for (const { do: what, ring } of events) {
          if (what === "append" && !rings.isFull(ring)) {
            rings.append(ring, ++pfn, 1);
            waiting[ring].push({ pfn, needs: started + 1 });
          } else if (what === "take") {
            const oldest = waiting[ring][0];
            const covered = oldest !== undefined && finished >= oldest.needs;
            expect(rings.takeCovered(ring)?.pfn).toBe(covered ? oldest.pfn : undefined);
            if (covered) waiting[ring].shift();
          } else if (what === "start") {
            rings.started = ++started;
          } else if (what === "finish" && finished < started) {
            rings.finished = ++finished;
          } else if (what === "flush" && finished === started) {
            rings.flush();
            finished = ++started;
          }
          expect(rings.queued).toBe(waiting.flat().length);
          expect(rings.isFull(ring)).toBe(waiting[ring].length === 7);
        }
      }),
      { numRuns: 1000, seed: 611 },
    );
  });

  it("leave an entry that was queued during a flush for the next one", () => {
    const rings = new FlushRings(1, 4);
    rings.started++;
    rings.append(0, 10, 1);
    rings.finished++;
    expect(rings.takeCovered(0)).toBeUndefined();
    rings.flush();
    expect(rings.takeCovered(0)).toEqual({ pfn: 10, pages: 1 });
  });

  it("are one for all CPUs where the device asks for that, and refuse a size that is no power of two", () => {
    expect([new FlushRings(8, 16, true).count, new FlushRings(8, 16, true).ringOf(5)]).toEqual([1, 0]);
    expect(() => new FlushRings(1, 100)).toThrow(/100 slots; a power of two from 2/);
    expect(() => new FlushRings(4096, 1 << 24)).toThrow(/4096 rings of \d+ slots/);
  });
});

describe("the timer wheel", () => {
  it.each([
    [1000, 10, 0, 11],
    [1000, 100, 0, 104],
    [1000, 100, 104, 208],
    [1000, 62, 5, 68],
    [1000, 63, 1, 72],
    [1000, 504, 8, 576],
    [1000, 1000, 0, 1024],
    [250, 100, 0, 26],
    [250, 10, 0, 4],
    [1000, 4032, 0, 4096],
  ])("at %i ticks a second, %i ms from tick %i on fire at tick %i", (hz, ms, now, tick) => {
    expect(firingTick(now, delayTicks(ms, hz), true)).toBe(tick);
    expect(firingTick(now, delayTicks(ms, hz), false)).toBe(now + delayTicks(ms, hz));
  });
});
