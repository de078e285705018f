import { describe, expect, test } from "vitest";
import { Simulation, type StateMachine } from "../../src/engine/index.js";

/** Notes what it is told, with the time. */
class Recorder implements StateMachine {
  readonly seen: number[][] = [];
  readonly base: number;
  constructor(readonly sim: Simulation) {
    this.base = sim.attach(this);
  }
  dispatch(kind: number, actor: number, data: number): void {
    this.seen.push([this.sim.now, kind, actor, data]);
  }
}

test("an event arrives at its time, at its machine, with its actor and data", () => {
  const sim = new Simulation();
  const first = new Recorder(sim);
  const second = new Recorder(sim);
  sim.post(30, second.base + 5, 1, -7);
  sim.post(10, first.base + 255, 2, 8);
  expect(sim.run()).toEqual({ reason: "empty", events: 2, now: 30 });
  expect(first.seen).toEqual([[10, 255, 2, 8]]);
  expect(second.seen).toEqual([[30, 5, 1, -7]]);
});

test("a cancelled event never arrives, a rescheduled one arrives once and counts as just inserted", () => {
  const sim = new Simulation();
  const machine = new Recorder(sim);
  const gone = sim.schedule(5, machine.base, 1);
  const moved = sim.schedule(5, machine.base, 2);
  sim.post(20, machine.base, 3);
  expect(sim.cancel(gone)).toBe(true);
  const again = sim.reschedule(moved, 20);
  expect(again).toBeDefined();
  expect(sim.cancel(moved)).toBe(false);
  expect(sim.reschedule(gone, 1)).toBeUndefined();
  sim.run();
  expect(machine.seen.map(([time, , actor]) => [time, actor])).toEqual([
    [20, 3],
    [20, 2],
  ]);
  expect(sim.reschedule(again as number, 1)).toBeUndefined();
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("a delay of %s is refused, and named", (delay) => {
  const sim = new Simulation();
  const { base } = new Recorder(sim);
  expect(() => sim.post(delay, base)).toThrow(String(delay));
  expect(() => sim.schedule(delay, base)).toThrow(RangeError);
});

describe("a run", () => {
  const ticking = () => {
    const sim = new Simulation();
    const machine = {
      ticks: 0,
      dispatch() {
        machine.ticks++;
        sim.post(10, base);
      },
    };
    const base = sim.attach(machine);
    sim.post(10, base);
    return { sim, machine };
  };

  test("stops at a time, with the clock there, and goes on as if it had not", () => {
    const { sim, machine } = ticking();
    expect(sim.run({ until: 35 })).toEqual({ reason: "until", events: 3, now: 35 });
    expect(sim.run({ until: 40 })).toEqual({ reason: "until", events: 1, now: 40 });
    expect(machine.ticks).toBe(4);
    expect(() => sim.run({ until: 39 })).toThrow("40");
  });

  test("keeps to a budget of events and of wall time", () => {
    const { sim } = ticking();
    expect(sim.run({ maxEvents: 1000 })).toEqual({ reason: "events", events: 1000, now: 10_000 });
    let wall = 0;
    const outcome = sim.run({ maxWallMs: 30, wallClock: () => (wall += 10), every: 100 });
    expect(outcome).toEqual({ reason: "wall", events: 300, now: 13_000 });
    expect(() => sim.run({ maxWallMs: 30 })).toThrow("wallClock");
  });

  test("tells its progress, and stops when told so", () => {
    const { sim } = ticking();
    const told: number[] = [];
    const outcome = sim.run({ every: 10, onProgress: (now, events) => told.push(now, events) < 6 });
    expect(told).toEqual([100, 10, 200, 20, 300, 30]);
    expect(outcome.reason).toBe("stopped");
    expect(sim.dispatched).toBe(30);
  });

  test("stops from inside after the event at hand", () => {
    const sim = new Simulation();
    const base = sim.attach({ dispatch: () => sim.stop() });
    sim.post(1, base);
    sim.post(1, base);
    expect(sim.run()).toEqual({ reason: "stopped", events: 1, now: 1 });
    expect(sim.run().events).toBe(1);
  });
});
