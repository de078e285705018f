import { CalendarQueue } from "./queue/calendar.js";
import { type EventHandle, type EventQueue, LATER, NONE } from "./queue/events.js";

/**
 * Behaviour written as a state machine: the fast way. What an actor is in the middle of lies in the machine's own arrays, and
 * `dispatch` carries on from there. Nothing is allocated for an event.
 */
export interface StateMachine {
  /**
   * Called when an event is due.
   * @param kind the machine's own kind of event, 0 … 255
   * @param actor whose event it is, as given when it was scheduled
   * @param data 32 bits of the model's own
   */
  dispatch(kind: number, actor: number, data: number): void;
}

/** Why a run came to its end. A run that ended for any reason but an error can be continued by calling `run` again. */
export type EndReason = "empty" | "until" | "events" | "wall" | "stopped";

/** What a run did. */
export interface RunOutcome {
  reason: EndReason;
  /** Events dispatched in this call. */
  events: number;
  /** Simulated time at the end, in ticks. */
  now: number;
}

/** The budget of a run, and who watches it. */
export interface RunBudget {
  /** Runs the events up to and at this time; the clock then stands at it. */
  until?: number;
  /** At most this many events. */
  maxEvents?: number;
  /** At most this many milliseconds of the given wall clock, looked at every `every` events. */
  maxWallMs?: number;
  /** A wall clock in milliseconds. The core reads none by itself, so that a result can not depend on one. */
  wallClock?: () => number;
  /** Told how far the run is, every `every` events. Return false to stop the run there. */
  onProgress?: (now: number, events: number) => boolean | undefined;
  /** How often to look at the wall clock and tell the progress, in events (default 65,536). */
  every?: number;
}

/** Kinds of event that a state machine can have. */
const kindsPerMachine = 256;
const lastTick = Number.MAX_SAFE_INTEGER;

/** A simulation: the clock, the pending events and the machines that they are for. */
export class Simulation {
  /** Simulated time, in whole ticks. */
  now = 0;
  /** Events dispatched since the beginning. */
  dispatched = 0;
  private readonly machines: StateMachine[] = [];
  private stopping = false;
  /** Of the events that are being dispatched: how many there were, how many there may be, and up to when. */
  private done = 0;
  private most = 0;
  private until = 0;
  /** What is left of the event that is being dispatched is one thread of work ({@link follow}). */
  private following = false;

  /** @param queue the pending events; the calendar queue unless a test or benchmark wants another */
  constructor(readonly queue: EventQueue = new CalendarQueue()) {}

  /**
   * Adds a state machine.
   * @returns the base of its kinds: schedule its kind `k` as `base + k`
   */
  attach(machine: StateMachine): number {
    this.machines.push(machine);
    return (this.machines.length - 1) * kindsPerMachine;
  }

  /**
   * Schedules an event that will not be cancelled: the hot path.
   * @param delay whole ticks from now
   * @param kind base of the machine (see {@link attach}) plus the machine's kind
   * @param actor a 32-bit integer
   * @param data a 32-bit integer
   * @param priority −128 … 127; at the same time the lower runs first
   * @throws RangeError for a delay that is negative, not whole or beyond 2^53
   */
  post(delay: number, kind: number, actor = 0, data = 0, priority = 0): void {
    const time = this.now + delay;
    if (!(delay >= 0 && time <= lastTick) || delay !== Math.floor(delay)) refuse(delay, this.now);
    this.queue.push(time, actor, kind, data, priority);
  }

  /**
   * Says that what is left of the event that is being dispatched is one thread of work, which does nothing more once it has posted the event
   * that it goes on with. Such a thread may {@link skip}.
   * @param alone false where something else follows after all: it may not from here on
   */
  follow(alone = true): void {
    this.following = alone;
  }

  /**
   * Goes on at once where an event posted now, with this delay and the usual priority, would be the very next one: the clock moves on, and
   * the event counts as dispatched. Otherwise nothing changes, and the caller posts it. So no result depends on it; it saves the queue.
   * @returns whether it is that event's time now
   */
  skip(delay: number): boolean {
    const time = this.now + delay;
    if (!this.following || this.stopping || this.done >= this.most) return false;
    // A delay that can not be is left to post to refuse.
    if (!(delay >= 0 && time <= this.until) || delay !== Math.floor(delay) || !this.queue.allAfter(time)) return false;
    this.now = time;
    this.done++;
    return true;
  }

  /** As {@link post}, and returns a handle for {@link cancel} and {@link reschedule}. */
  schedule(delay: number, kind: number, actor = 0, data = 0, priority = 0): EventHandle {
    const time = this.now + delay;
    if (!(delay >= 0 && time <= lastTick) || delay !== Math.floor(delay)) refuse(delay, this.now);
    const { queue } = this;
    return queue.handle(queue.push(time, actor, kind, data, priority));
  }

  /** Cancels an event. False if it has fired or was cancelled before. */
  cancel(handle: EventHandle): boolean {
    return this.queue.cancel(handle);
  }

  /**
   * Moves a pending event to `delay` ticks from now; among events of that time it counts as just inserted.
   * @returns its new handle; undefined if it has fired or was cancelled before
   */
  reschedule(handle: EventHandle, delay: number, priority = 0): EventHandle | undefined {
    const { queue } = this;
    const slot = queue.slotOf(handle);
    if (slot === NONE) return undefined;
    const kind = queue.kind[slot];
    const actor = queue.actor[slot];
    const data = queue.data[slot];
    queue.cancel(handle);
    return this.schedule(delay, kind, actor, data, priority);
  }

  /** Ends the run after the event that is being dispatched. */
  stop(): void {
    this.stopping = true;
  }

  /** Runs until there are no events, or the budget is used up. Call it again to go on. */
  run(budget: RunBudget = {}): RunOutcome {
    const {
      until = lastTick,
      maxEvents = Number.POSITIVE_INFINITY,
      every = 65_536,
      maxWallMs,
      wallClock,
      onProgress,
    } = budget;
    if (maxWallMs !== undefined && !wallClock)
      throw new TypeError(
        "A budget of wall time (maxWallMs) needs a clock: give wallClock, for example () => performance.now().",
      );
    if (until < this.now) throw new RangeError(`The run is at tick ${this.now} and can not go back to ${until}.`);
    const watched = wallClock !== undefined || onProgress !== undefined;
    const began = wallClock?.() ?? 0;
    this.stopping = false;
    let events = 0;
    let reason: EndReason = "events";
    while (events < maxEvents) {
      const chunk = watched ? Math.min(every, maxEvents - events) : maxEvents - events;
      const done = this.dispatchSome(chunk, until);
      events += done;
      if (done < chunk || this.stopping) {
        reason = this.stopping ? "stopped" : this.queue.size > 0 ? "until" : "empty";
        break;
      }
      if (onProgress?.(this.now, events) === false) {
        reason = "stopped";
        break;
      }
      if (maxWallMs !== undefined && wallClock && wallClock() - began >= maxWallMs) {
        reason = "wall";
        break;
      }
    }
    if ((reason === "until" || reason === "empty") && budget.until !== undefined) this.now = until;
    return { reason, events, now: this.now };
  }

  private dispatchSome(count: number, until: number): number {
    const { queue, machines } = this;
    this.done = 0;
    this.most = count;
    this.until = until;
    while (this.done < count && !this.stopping) {
      const slot = queue.pop(until);
      if (slot === NONE || slot === LATER) break;
      const kind = queue.kind[slot];
      this.now = queue.time[slot];
      this.done++;
      this.following = false;
      machines[kind >> 8].dispatch(kind & 255, queue.actor[slot], queue.data[slot]);
    }
    this.following = false;
    this.dispatched += this.done;
    return this.done;
  }
}

function refuse(delay: number, now: number): never {
  throw new RangeError(
    `An event's delay is a whole number of ticks, 0 or more, and ends before tick 2^53; got ${delay} at tick ${now}.`,
  );
}
