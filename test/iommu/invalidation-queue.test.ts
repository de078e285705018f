import { describe, expect, it } from "vitest";
import { type Invalidation, InvalidationQueue, invalidationOf } from "../../src/iommu/index.js";
import { fc } from "../support/property.js";

const page = (pfn: number): Invalidation => ({ kind: "pages", domain: 3, pfn, order: 0, leafOnly: true });

describe("queued invalidation", () => {
  it("executes in ring order and completes each submitter's own wait descriptor", () => {
    const queue = new InvalidationQueue({ length: 8 });
    const a = queue.submit(page(10));
    const b = queue.submit({ kind: "global" });
    expect(queue.execute()).toEqual(page(10));
    expect([queue.isDone(a), queue.isDone(b)]).toEqual([true, false]);
    expect(queue.execute()).toEqual({ kind: "global" });
    expect(queue.isDone(b)).toBe(true);
  });

  it("keeps slots behind an unfinished one: freed in order only", () => {
    const queue = new InvalidationQueue({ length: 8 });
    const a = queue.submit(page(1));
    const b = queue.submit(page(2));
    queue.execute();
    queue.execute();
    queue.reclaim(b);
    expect(queue.freeCount).toBe(4);
    queue.reclaim(a);
    expect(queue.freeCount).toBe(8);
  });

  it("is full when fewer than three descriptors are free", () => {
    const queue = new InvalidationQueue({ length: 8 });
    for (let i = 0; i < 3; i++) queue.submit(page(i));
    expect(queue.hasRoom).toBe(false);
    expect(() => queue.submit(page(9))).toThrow(/full/);
    expect(() => new InvalidationQueue({ length: 256 }).execute()).toThrow(/empty/);
  });

  it("invalidates the next power of two, or the domain where that is too much for the hardware", () => {
    expect(invalidationOf(1, 64, 5, true)).toEqual({ kind: "pages", domain: 1, pfn: 64, order: 3, leafOnly: true });
    expect(invalidationOf(1, 0, 2 ** 18, false)).toMatchObject({ kind: "pages", order: 18 });
    expect(invalidationOf(1, 0, 2 ** 18 + 1, false)).toEqual({ kind: "domain", domain: 1 });
  });

  it("under any interleaving nothing is lost, nothing completes early, no slot is handed out twice", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 400 }), (choices) => {
        const queue = new InvalidationQueue({ length: 16 });
        const pending: { pfn: number; wait: number }[] = []; // submitted, hardware has not reached it
        let done: number[] = [];
        let next = 0;
        for (const choice of choices) {
          if (choice < 45) {
            const room = queue.hasRoom;
            if (!room) expect(pending.length + done.length).toBeGreaterThan(0);
            else {
              const wait = queue.submit(page(next));
              expect(pending.some((p) => p.wait === wait) || done.includes(wait)).toBe(false);
              pending.push({ pfn: next++, wait });
            }
          } else if (choice < 75 && pending.length > 0) {
            const first = pending.shift()!;
            expect(queue.isDone(first.wait)).toBe(false);
            expect(queue.execute()).toMatchObject({ pfn: first.pfn });
            done.push(first.wait);
          } else if (done.length > 0) {
            const wait = done[choice % done.length];
            queue.reclaim(wait);
            done = done.filter((w) => w !== wait);
          }
          expect(pending.every((p) => !queue.isDone(p.wait))).toBe(true);
        }
        for (const p of pending) {
          queue.execute();
          done.push(p.wait);
        }
        for (const wait of done) queue.reclaim(wait);
        expect(queue.freeCount).toBe(16);
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
