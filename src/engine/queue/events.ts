/**
 * What every event queue of the engine keeps, and the order it promises.
 *
 * **The ordering contract.** Events leave a queue by time; at the same time, by priority (lower first); at the same priority, in the
 * order in which they were inserted. A rescheduled event counts as inserted when it was rescheduled. Every queue here gives exactly the
 * same order, so that a faster one never changes a result.
 *
 * An event is three small integers (actor, kind, data) in typed arrays, found by its slot: nothing is allocated for an event.
 */

/** Names a scheduled event, for cancelling it. It stays safe to use after the event has fired: it then names nothing. */
export type EventHandle = number;

/** What `pop` returns when there is no event at all. */
export const NONE = -1;
/** What `pop` returns when the next event is later than the limit. */
export const LATER = -2;

/** Lowest and highest priority of an event; lower runs first. */
export const minPriority = -128;
/** @see minPriority */
export const maxPriority = 127;

/** At most this many events can be pending in one queue. */
const maxSlots = 4_194_304;
/** Priority and insertion number share one double: 8 bits and 44 bits, exact below 2^53. */
const insertionsPerPriority = 17_592_186_044_416;
const dead = -1;

/** The slots of a queue's events: the part that all queues share. */
export abstract class EventQueue {
  /** Time of the event in a slot, in ticks. Valid for a popped slot until the next insertion, as are the four below. */
  time: Float64Array = new Float64Array(64);
  /** Second key: priority and insertion number. */
  protected order: Float64Array = new Float64Array(64);
  actor: Int32Array = new Int32Array(64);
  kind: Int32Array = new Int32Array(64);
  data: Int32Array = new Int32Array(64);
  /** The next slot of the same list: the free list here, a bucket in the calendar queue. */
  protected next: Int32Array = new Int32Array(64);
  private generation: Int32Array = new Int32Array(64);
  private freeSlot = NONE;
  private slots = 0;
  private insertions = 0;
  /** Cancelled events that still sit in the structure. */
  protected cancelled = 0;
  /** Pending events. */
  size = 0;

  /** Puts a filled slot into the structure. */
  protected abstract link(slot: number): void;
  /** Takes every slot out of the structure, cancelled ones included, and calls `keep` with each. */
  protected abstract unlinkAll(keep: (slot: number) => void): void;

  /**
   * Removes the first event and returns its slot; {@link NONE} if there is none, {@link LATER} if it is later than `limit` (it then stays).
   */
  abstract pop(limit: number): number;

  /** Whether every pending event is later than a time, as far as that is cheap to say: false says nothing. */
  abstract allAfter(time: number): boolean;

  /**
   * Inserts an event.
   * @param time in ticks; not before the last popped event's (the simulation checks that)
   * @returns the slot; `handle(slot)` names the event for good
   * @throws RangeError for a priority outside −128 … 127, or with more than 4,194,304 events pending
   */
  push(time: number, actor: number, kind: number, data: number, priority: number): number {
    let slot = this.freeSlot;
    if (slot === NONE) slot = this.freshSlot();
    else this.freeSlot = this.next[slot];
    this.time[slot] = time;
    if (priority === 0) this.order[slot] = this.insertions++;
    else this.order[slot] = orderOf(priority, this.insertions++);
    this.actor[slot] = actor;
    this.kind[slot] = kind;
    this.data[slot] = data;
    this.size++;
    this.link(slot);
    return slot;
  }

  /** The lasting name of the event in a slot. */
  handle(slot: number): EventHandle {
    return this.generation[slot] * maxSlots + slot;
  }

  /** Cancels an event. False if it has fired or was cancelled before: nothing changes then. */
  cancel(handle: EventHandle): boolean {
    const slot = this.slotOf(handle);
    if (slot === NONE) return false;
    this.generation[slot] = (this.generation[slot] + 1) & 0x7fffffff;
    this.kind[slot] = dead;
    this.size--;
    this.cancelled++;
    if (this.cancelled > this.size + 1024) this.sweepCancelled();
    return true;
  }

  /** The slot of a pending event, or NONE. A slot's generation moves on when its event fires or is cancelled. */
  slotOf(handle: EventHandle): number {
    const slot = handle % maxSlots;
    return slot >= 0 && slot < this.slots && Math.floor(handle / maxSlots) === this.generation[slot] ? slot : NONE;
  }

  /** Whether a slot's event was cancelled and waits to be swept. */
  protected isDead(slot: number): boolean {
    return this.kind[slot] === dead;
  }

  /** Gives back a slot whose event is popped: its fields stay readable until the next insertion. */
  protected release(slot: number): void {
    this.generation[slot] = (this.generation[slot] + 1) & 0x7fffffff;
    this.next[slot] = this.freeSlot;
    this.freeSlot = slot;
    this.size--;
  }

  /** Gives back a slot whose event was cancelled. */
  protected releaseDead(slot: number): void {
    this.next[slot] = this.freeSlot;
    this.freeSlot = slot;
    this.cancelled--;
  }

  /** Drops the cancelled events when they outnumber the pending ones: memory stays within a constant of what is pending. */
  private sweepCancelled(): void {
    const kept: number[] = [];
    this.unlinkAll((slot) => {
      if (this.isDead(slot)) this.releaseDead(slot);
      else kept.push(slot);
    });
    for (const slot of kept) this.link(slot);
  }

  private freshSlot(): number {
    if (this.slots === this.time.length) {
      if (this.slots >= maxSlots)
        throw new RangeError(`More than ${maxSlots} events are pending: the model never stops scheduling.`);
      const length = this.slots * 2;
      this.time = grown(this.time, new Float64Array(length));
      this.order = grown(this.order, new Float64Array(length));
      this.actor = grown(this.actor, new Int32Array(length));
      this.kind = grown(this.kind, new Int32Array(length));
      this.data = grown(this.data, new Int32Array(length));
      this.next = grown(this.next, new Int32Array(length));
      this.generation = grown(this.generation, new Int32Array(length));
    }
    return this.slots++;
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}

function orderOf(priority: number, insertion: number): number {
  if (!(priority >= minPriority && priority <= maxPriority) || priority !== Math.floor(priority))
    throw new RangeError(
      `An event's priority is a whole number from ${minPriority} to ${maxPriority}; got ${priority}.`,
    );
  return priority * insertionsPerPriority + insertion;
}
