/**
 * Simulated time: an event queue with a written order, behaviour as state machines or as generator processes, named random
 * streams, and the statistics of a simulation's output.
 *
 * Units: time is whole ticks in a double, which holds every whole number up to 2^53. A model names its tick: hosts count core cycles,
 * because what they wait for is published in cycles; links and IOMMUs count picoseconds, because their symbol times are not whole
 * nanoseconds. Whole ticks add exactly, in whatever order.
 * Invariants: events run by time, then priority, then insertion; the same seed gives the same bytes on every engine; no clock of the
 * machine it runs on, and no ambient randomness, is ever read.
 *
 * ```ts
 * const sim = new Simulation();
 * const random = new Streams(1).stream("arrivals");
 * const base = sim.attach({ dispatch(kind, actor, data) { sim.post(100, base + kind, actor, data); } });
 * sim.post(0, base + ARRIVAL, 0);
 * sim.run({ until: 1_000_000 });
 * ```
 */
export { type Behaviour, Process, Processes, ready, type Wait, waiting } from "./process.js";
export { CalendarQueue } from "./queue/calendar.js";
export { type EventHandle, EventQueue, LATER, maxPriority, minPriority, NONE } from "./queue/events.js";
export { HeapQueue } from "./queue/heap.js";
export { RandomStream, Streams } from "./random/streams.js";
export { Xoshiro128 } from "./random/xoshiro128.js";
export {
  type EndReason,
  type RunBudget,
  type RunOutcome,
  Simulation,
  type StateMachine,
} from "./simulation.js";
export { confidenceInterval, type Interval } from "./statistics/interval.js";
