import { EventQueue, LATER, NONE } from "./events.js";
import { SlotHeap } from "./heap.js";

const smallestYear = 64;
/** Events that a bucket should hold when it is opened: few enough to sort for nothing, many enough to skip few empty buckets. */
const eventsPerBucket = 2;

/**
 * A calendar queue (Brown 1988) that finds its own bucket width: insertion and removal take constant time on average.
 *
 * Time is cut into buckets of equal width, laid out on a ring (the year). An insertion only prepends to its bucket's list. When the
 * queue reaches a bucket, the events of this year in it move to a small heap, and leave from there in order; an event that is inserted
 * before the end of the open bucket goes to that heap directly. So the order never depends on the width, equal times cost no more than
 * a heap, and the width is free to follow the rate: every so many events it is compared with the gap seen between events.
 */
export class CalendarQueue extends EventQueue {
  private buckets: Int32Array = new Int32Array(smallestYear).fill(NONE);
  private mask = smallestYear - 1;
  /** Buckets per tick: times are multiplied, not divided, and the product's floor is the bucket's number since time 0. */
  private perTick = 1;
  /** Number of the open bucket; events up to its end are in `near`. */
  private open = 0;
  private readonly near = new SlotHeap();
  /** Slots on the ring, cancelled ones included. */
  private far = 0;
  /** Events popped, buckets opened, and the time at the last check of the width. */
  private popped = 0;
  private opened = 0;
  private checkedAt = 0;
  private lastPopped = 0;
  private nextCheck = 256;

  protected link(slot: number): void {
    const bucket = Math.floor(this.time[slot] * this.perTick);
    if (bucket <= this.open) {
      this.near.push(this.time[slot], this.order[slot], slot);
      return;
    }
    // Bucket numbers may exceed 2^31: the ring position is taken from the double's low bits, which ToInt32 keeps exactly.
    const place = bucket & this.mask;
    this.next[slot] = this.buckets[place];
    this.buckets[place] = slot;
    this.far++;
  }

  protected unlinkAll(keep: (slot: number) => void): void {
    const all: number[] = [];
    for (let i = 0; i < this.near.size; i++) all.push(this.near.slots[i]);
    this.near.size = 0;
    for (let place = 0; place <= this.mask; place++) {
      for (let slot = this.buckets[place]; slot !== NONE; slot = this.next[slot]) all.push(slot);
      this.buckets[place] = NONE;
    }
    this.far = 0;
    for (const slot of all) keep(slot);
  }

  pop(limit: number): number {
    const { near } = this;
    for (;;) {
      if (near.size === 0 && !this.advance()) return NONE;
      const slot = near.slots[0];
      if (this.kind[slot] < 0) {
        near.dropFirst();
        this.releaseDead(slot);
        continue;
      }
      if (near.times[0] > limit) return LATER;
      this.lastPopped = near.times[0];
      near.dropFirst();
      this.release(slot);
      if (++this.popped >= this.nextCheck) this.checkWidth(this.lastPopped);
      return slot;
    }
  }

  allAfter(time: number): boolean {
    const { near } = this;
    if (near.size > 0) return near.times[0] > time;
    // What lies on the ring is of later buckets than the open one.
    if (this.far === 0 || Math.floor(time * this.perTick) <= this.open) return true;
    return !this.advance() || near.times[0] > time;
  }

  /** Opens buckets until `near` has an event. False if there is none anywhere. */
  private advance(): boolean {
    if (this.far === 0) return false;
    const { near } = this;
    // Far too narrow a width shows as a lot of empty buckets before the next check is due.
    if (this.opened > 4 * this.popped + 4 * this.mask && this.popped > 0) {
      this.checkWidth(this.lastPopped);
      if (near.size > 0) return true;
    }
    const { buckets, mask, time, perTick } = this;
    for (let skipped = 0; ; skipped++) {
      if (skipped > mask) this.jump();
      const open = ++this.open;
      const place = open & mask;
      this.opened++;
      let slot = buckets[place];
      if (slot === NONE) continue;
      let kept = NONE;
      while (slot !== NONE) {
        const following = this.next[slot];
        if (Math.floor(time[slot] * perTick) <= open) {
          near.push(time[slot], this.order[slot], slot);
          this.far--;
        } else {
          this.next[slot] = kept;
          kept = slot;
        }
        slot = following;
      }
      buckets[place] = kept;
      if (near.size > 0) return true;
    }
  }

  /** A whole year was empty: goes to just before the earliest bucket that has an event. */
  private jump(): void {
    let first = Number.POSITIVE_INFINITY;
    for (let place = 0; place <= this.mask; place++)
      for (let slot = this.buckets[place]; slot !== NONE; slot = this.next[slot])
        first = Math.min(first, Math.floor(this.time[slot] * this.perTick));
    this.open = first - 1;
  }

  /** Compares the width with the gap between events since the last check, and rebuilds the ring where they have drifted apart. */
  private checkWidth(now: number): void {
    const gap = (now - this.checkedAt) / this.popped;
    const year = Math.max(smallestYear, powerOfTwoAtLeast(this.size));
    // Ticks are whole: a bucket of one tick holds events of one time.
    const width = Math.max(gap * eventsPerBucket, 1);
    const drift = gap > 0 ? width * this.perTick : 1;
    const length = this.mask + 1;
    if (drift > 2 || drift < 0.5 || year > 2 * length || year * 4 < length)
      this.rebuild(year, gap > 0 ? 1 / width : this.perTick, now);
    this.checkedAt = now;
    this.popped = 0;
    this.opened = 0;
    this.nextCheck = Math.max(256, this.size);
  }

  private rebuild(year: number, perTick: number, now: number): void {
    const slots: number[] = [];
    this.unlinkAll((slot) => slots.push(slot));
    this.buckets = new Int32Array(year).fill(NONE);
    this.mask = year - 1;
    this.perTick = perTick;
    this.open = Math.floor(now * perTick);
    for (const slot of slots) this.link(slot);
  }
}

function powerOfTwoAtLeast(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}
