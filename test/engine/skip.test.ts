import { describe, expect, test } from "vitest";
import {
  CalendarQueue,
  type EventQueue,
  HeapQueue,
  Processes,
  ready,
  Simulation,
  waiting,
} from "../../src/engine/index.js";
import { fc } from "../support/property.js";

/** A queue that never says that all is later: every skip is refused, and the event is posted. */
class NoSkips extends HeapQueue {
  override allAfter(): boolean {
    return false;
  }
}

interface Story {
  /** Delays of each actor's steps. */
  steps: number[][];
  /** Events of others, some of which stop the run. */
  others: { at: number; stops: boolean }[];
  /** How the run is cut into pieces. */
  most: number;
  until: number;
}

/** Actors go on where they can and post where they can not; what happens is noted. @returns the notes, and how many skips there were */
function tell({ steps, others, most, until }: Story, queue: EventQueue): { notes: number[][]; skips: number } {
  const sim = new Simulation(queue);
  const notes: number[][] = [];
  let skips = 0;
  const at = steps.map(() => 0);
  const base = sim.attach({
    dispatch(_kind, actor) {
      sim.follow();
      for (;;) {
        notes.push([sim.now, actor]);
        if (at[actor] === steps[actor].length) return;
        const delay = steps[actor][at[actor]++];
        // Some steps leave something behind for another time, before they go on.
        if (delay % 3 === 0) sim.post(delay + 2, other, 100 + actor);
        if (!sim.skip(delay)) {
          sim.post(delay, base, actor);
          return;
        }
        skips++;
      }
    },
  });
  const other = sim.attach({
    dispatch(_kind, actor, stops) {
      notes.push([sim.now, actor]);
      if (stops === 1) sim.stop();
    },
  });
  for (const [actor] of steps.entries()) sim.post(actor, base, actor);
  for (const [i, { at: time, stops }] of others.entries()) sim.post(time, other, 1000 + i, stops ? 1 : 0);
  for (let turn = 1, end = until; ; turn++, end += until) {
    const outcome = sim.run({ maxEvents: most, until: end });
    notes.push([
      sim.now,
      -1,
      outcome.events,
      sim.dispatched,
      ["events", "stopped", "until", "empty"].indexOf(outcome.reason),
    ]);
    if (outcome.reason === "empty" || turn > 500) return { notes, skips };
  }
}

const stories = fc.record({
  steps: fc.array(fc.array(fc.nat(40), { maxLength: 30 }), { minLength: 1, maxLength: 4 }),
  others: fc.array(fc.record({ at: fc.nat(200), stops: fc.boolean() }), { maxLength: 10 }),
  most: fc.integer({ min: 1, max: 40 }),
  until: fc.integer({ min: 5, max: 400 }),
});

describe("a thread that skips the queue where its event would be the next", () => {
  test.each([
    ["calendar", () => new CalendarQueue()],
    ["heap", () => new HeapQueue()],
  ])("%s queue: same events, same order, same counts, same ends as one that always posts", (_name, queue) => {
    let skips = 0;
    fc.assert(
      fc.property(stories, (story) => {
        const told = tell(story, queue());
        skips += told.skips;
        expect(told.notes).toEqual(tell(story, new NoSkips()).notes);
      }),
      { numRuns: 300 },
    );
    expect(skips).toBeGreaterThan(300);
  });

  test("only inside an event whose rest is one thread, and never with a delay that can not be", () => {
    const sim = new Simulation();
    const asked: boolean[] = [];
    const base = sim.attach({
      dispatch() {
        asked.push(sim.skip(1));
        sim.follow();
        asked.push(sim.skip(-1), sim.skip(0.5), sim.skip(Number.NaN), sim.skip(1));
        sim.follow(false);
        asked.push(sim.skip(1));
      },
    });
    sim.post(0, base);
    expect(sim.skip(1)).toBe(false);
    expect(sim.run()).toEqual({ reason: "empty", events: 2, now: 1 });
    expect(sim.skip(1)).toBe(false);
    expect(asked).toEqual([false, false, false, false, true, false]);
  });

  test("a process that another one resumes does not run ahead of it", () => {
    const sim = new Simulation();
    const processes = new Processes(sim);
    const seen: string[] = [];
    const base = sim.attach({
      dispatch() {
        sim.follow();
        first.resume();
      },
    });
    const second = processes.begin("second", function* () {
      yield waiting;
      seen.push(`second at ${sim.now}`);
      yield sim.skip(10) ? ready : waiting;
      seen.push(`second ran ahead to ${sim.now}`);
    });
    const first = processes.begin("first", function* () {
      yield waiting;
      second.resume();
      seen.push(`first at ${sim.now}`);
    });
    sim.post(5, base);
    sim.run();
    expect(seen).toEqual(["second at 5", "first at 5"]);
  });
});
