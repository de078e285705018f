import { describe, expect, test } from "vitest";
import { CalendarQueue, type EventHandle, type EventQueue, HeapQueue, LATER, NONE } from "../../src/engine/index.js";
import { fc } from "../support/property.js";

/** The obviously right queue: a list, searched for its first event. */
class ListQueue {
  private readonly pending: { time: number; priority: number; insertion: number; data: number }[] = [];
  private insertions = 0;

  push(time: number, priority: number, data: number) {
    const event = { time, priority, insertion: this.insertions++, data };
    this.pending.push(event);
    return event;
  }

  cancel(event: object): boolean {
    const at = this.pending.indexOf(event as never);
    if (at >= 0) this.pending.splice(at, 1);
    return at >= 0;
  }

  pop(limit: number): { time: number; data: number } | "none" | "later" {
    if (this.pending.length === 0) return "none";
    const first = this.pending.reduce((a, b) => (isBefore(b, a) ? b : a));
    if (first.time > limit) return "later";
    this.pending.splice(this.pending.indexOf(first), 1);
    return first;
  }

  get size() {
    return this.pending.length;
  }
}

type Keys = { time: number; priority: number; insertion: number };
function isBefore(a: Keys, b: Keys): boolean {
  if (a.time !== b.time) return a.time < b.time;
  if (a.priority !== b.priority) return a.priority < b.priority;
  return a.insertion < b.insertion;
}

const queues: [string, () => EventQueue][] = [
  ["heap", () => new HeapQueue()],
  ["calendar queue", () => new CalendarQueue()],
];

describe.each(queues)("%s", (_, make) => {
  test("gives events by time, then priority, then insertion", () => {
    const queue = make();
    queue.push(20, 1, 0, 0, 0);
    queue.push(10, 2, 0, 0, 0);
    queue.push(10, 3, 0, 0, -1);
    queue.push(10, 4, 0, 0, 0);
    const actors: number[] = [];
    for (let slot = queue.pop(100); slot !== NONE; slot = queue.pop(100)) actors.push(queue.actor[slot]);
    expect(actors).toEqual([3, 2, 4, 1]);
  });

  test("keeps an event later than the limit", () => {
    const queue = make();
    queue.push(1e12, 0, 0, 7, 0);
    expect(queue.pop(1e12 - 1)).toBe(LATER);
    queue.push(5, 0, 0, 8, 0);
    expect(queue.data[queue.pop(1e12 - 1)]).toBe(8);
    expect(queue.data[queue.pop(1e12)]).toBe(7);
    expect(queue.pop(Number.MAX_SAFE_INTEGER)).toBe(NONE);
  });

  test("a handle names nothing after its event has fired or was cancelled, even when its slot is used again", () => {
    const queue = make();
    const fired = queue.handle(queue.push(1, 0, 0, 0, 0));
    const cancelled = queue.handle(queue.push(2, 0, 0, 0, 0));
    queue.pop(1);
    expect(queue.cancel(cancelled)).toBe(true);
    expect(queue.pop(10)).toBe(NONE);
    for (let i = 0; i < 10; i++) queue.push(3, 0, 0, 0, 0);
    expect(queue.cancel(fired)).toBe(false);
    expect(queue.cancel(cancelled)).toBe(false);
    expect(queue.size).toBe(10);
  });

  test("a million cancelled timeouts leave no million slots", () => {
    const queue = make();
    for (let i = 0; i < 1_000_000; i++) queue.cancel(queue.handle(queue.push(i + 1_000_000, 0, 0, 0, 0)));
    expect(queue.time.length).toBeLessThan(8192);
    expect(queue.pop(1e9)).toBe(NONE);
  });

  test("names the priority that it can not keep", () => {
    expect(() => make().push(0, 0, 0, 0, 128)).toThrow("128");
    expect(() => make().push(0, 0, 0, 0, 0.5)).toThrow("0.5");
  });

  test("gives the order of a sorted list, for any mix of insertions, cancellations and removals", () => {
    const delay = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 5 }) },
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 0, max: 1_000_000_000 }),
    );
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ op: fc.constant("push" as const), delay, priority: fc.integer({ min: -2, max: 2 }) }),
      },
      { weight: 4, arbitrary: fc.record({ op: fc.constant("pop" as const), limit: fc.option(delay) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("cancel" as const), which: fc.nat() }) },
    );
    // Repeating a short script many times reaches the sizes at which the calendar queue rebuilds itself.
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (steps, rounds) => {
        const queue = make();
        const list = new ListQueue();
        const handles: [EventHandle, object][] = [];
        let now = 0;
        let data = 0;
        const popBoth = (limit: number) => {
          const slot = queue.pop(limit);
          const expected = list.pop(limit);
          if (expected === "none") expect(slot).toBe(NONE);
          else if (expected === "later") expect(slot).toBe(LATER);
          else {
            expect([queue.time[slot], queue.data[slot]]).toEqual([expected.time, expected.data]);
            now = expected.time;
          }
          return slot;
        };
        for (let round = 0; round < rounds; round++)
          for (const s of steps) {
            if (s.op === "push") {
              data++;
              handles.push([
                queue.handle(queue.push(now + s.delay, 0, 1, data, s.priority)),
                list.push(now + s.delay, s.priority, data),
              ]);
            } else if (s.op === "pop") popBoth(s.limit === null ? Number.MAX_SAFE_INTEGER : now + s.limit);
            else if (handles.length > 0) {
              const [handle, event] = handles[s.which % handles.length];
              expect(queue.cancel(handle)).toBe(list.cancel(event));
            }
            expect(queue.size).toBe(list.size);
          }
        while (popBoth(Number.MAX_SAFE_INTEGER) !== NONE);
      }),
      { numRuns: 150 },
    );
  });
});

test("the calendar queue follows changes of rate and size with the order of the heap", () => {
  const heap = new HeapQueue();
  const calendar = new CalendarQueue();
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
  let now = 0;
  for (const [scale, operations, target] of [
    [10, 20_000, 3000],
    [1e9, 20_000, 3000],
    [3, 20_000, 50],
    [1e6, 30_000, 10_000],
    [0, 5000, 1000],
    [1e3, 20_000, 10],
  ]) {
    for (let i = 0; i < operations; i++) {
      if (heap.size < target) {
        const time = now + Math.floor(random() ** 4 * scale * 10);
        heap.push(time, i, 0, 0, 0);
        calendar.push(time, i, 0, 0, 0);
      } else {
        const a = heap.pop(Number.MAX_SAFE_INTEGER);
        const b = calendar.pop(Number.MAX_SAFE_INTEGER);
        if (heap.time[a] !== calendar.time[b] || heap.actor[a] !== calendar.actor[b])
          expect.fail(`they part at tick ${heap.time[a]}`);
        now = heap.time[a];
      }
    }
  }
  expect(calendar.size).toBe(heap.size);
});
