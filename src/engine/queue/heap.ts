import { EventQueue, LATER, NONE } from "./events.js";

/**
 * A binary heap over typed arrays: the plain queue, and the reference that the calendar queue is held to.
 * Insertion and removal take O(log n) comparisons, whatever the times.
 */
export class HeapQueue extends EventQueue {
  private readonly heap = new SlotHeap();

  protected link(slot: number): void {
    this.heap.push(this.time[slot], this.order[slot], slot);
  }

  protected unlinkAll(keep: (slot: number) => void): void {
    const { slots, size } = this.heap;
    const all = slots.slice(0, size);
    this.heap.size = 0;
    for (const slot of all) keep(slot);
  }

  pop(limit: number): number {
    const { heap } = this;
    while (heap.size > 0) {
      const slot = heap.slots[0];
      if (this.kind[slot] < 0) {
        heap.dropFirst();
        this.releaseDead(slot);
        continue;
      }
      if (heap.times[0] > limit) return LATER;
      heap.dropFirst();
      this.release(slot);
      return slot;
    }
    return NONE;
  }

  allAfter(time: number): boolean {
    return this.heap.size === 0 || this.heap.times[0] > time;
  }
}

/** A binary heap of slots by (time, order). The keys lie beside the slots, so that comparing touches no event. */
export class SlotHeap {
  times: Float64Array = new Float64Array(64);
  orders: Float64Array = new Float64Array(64);
  slots: Int32Array = new Int32Array(64);
  size = 0;

  push(time: number, order: number, slot: number): void {
    if (this.size === this.times.length) this.grow();
    const { times, orders, slots } = this;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const parentTime = times[parent];
      if (parentTime < time || (parentTime === time && orders[parent] < order)) break;
      times[hole] = parentTime;
      orders[hole] = orders[parent];
      slots[hole] = slots[parent];
      hole = parent;
    }
    times[hole] = time;
    orders[hole] = order;
    slots[hole] = slot;
  }

  /** Removes the first; the caller has read it. */
  dropFirst(): void {
    const { times, orders, slots } = this;
    const size = --this.size;
    if (size === 0) return;
    const time = times[size];
    const order = orders[size];
    const slot = slots[size];
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const right = child + 1;
      if (
        right < size &&
        (times[right] < times[child] || (times[right] === times[child] && orders[right] < orders[child]))
      )
        child = right;
      const childTime = times[child];
      if (time < childTime || (time === childTime && order < orders[child])) break;
      times[hole] = childTime;
      orders[hole] = orders[child];
      slots[hole] = slots[child];
      hole = child;
    }
    times[hole] = time;
    orders[hole] = order;
    slots[hole] = slot;
  }

  private grow(): void {
    const length = this.times.length * 2;
    const times = new Float64Array(length);
    times.set(this.times);
    this.times = times;
    const orders = new Float64Array(length);
    orders.set(this.orders);
    this.orders = orders;
    const slots = new Int32Array(length);
    slots.set(this.slots);
    this.slots = slots;
  }
}
