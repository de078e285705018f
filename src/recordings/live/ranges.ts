/**
 * Disjoint page ranges in order of their first page: which of them hold a given page, in O(log n), with any sizes.
 *
 * Hot path: short sorted runs of typed arrays instead of a tree, so that a neighbour is the next element and nothing is allocated for a
 * range. A range's data is the caller's, by slot number.
 */
const most = 256;

interface Run {
  starts: Float64Array;
  slots: Int32Array;
  count: number;
}

const emptyRun = (): Run => ({ starts: new Float64Array(most), slots: new Int32Array(most), count: 0 });

export class LiveRanges {
  private readonly runs: Run[] = [emptyRun()];
  /** Number of ranges. */
  size = 0;

  /** @param endOf the page after the last of a slot's range */
  constructor(private readonly endOf: (slot: number) => number) {}

  /** The slot of the range that begins at this page, or −1. */
  at(start: number): number {
    const run = this.runs[this.runOf(start)];
    const i = place(run, start);
    return i >= 0 && run.starts[i] === start ? run.slots[i] : -1;
  }

  /** The slot of the first range that holds a page of [start, end), or −1. */
  firstIn(start: number, end: number): number {
    let r = this.runOf(start);
    let i = place(this.runs[r], start);
    if (i >= 0) {
      const slot = this.runs[r].slots[i];
      if (this.endOf(slot) > start) return slot;
    }
    i++;
    if (i >= this.runs[r].count) {
      r++;
      i = 0;
    }
    if (r >= this.runs.length || i >= this.runs[r].count) return -1;
    return this.runs[r].starts[i] < end ? this.runs[r].slots[i] : -1;
  }

  /** Appends the slots of all ranges that hold a page of [start, end), in ascending order. */
  allIn(start: number, end: number, slots: number[]): void {
    let r = this.runOf(start);
    let i = place(this.runs[r], start);
    if (i < 0 || this.endOf(this.runs[r].slots[i]) <= start) i++;
    for (; r < this.runs.length; r++, i = 0) {
      const run = this.runs[r];
      for (; i < run.count; i++) {
        if (run.starts[i] >= end) return;
        slots.push(run.slots[i]);
      }
    }
  }

  /** Adds a range, which must not overlap another. */
  add(start: number, slot: number): void {
    const r = this.runOf(start);
    let run = this.runs[r];
    if (run.count === most) run = this.split(r, start);
    const i = place(run, start) + 1;
    run.starts.copyWithin(i + 1, i, run.count);
    run.slots.copyWithin(i + 1, i, run.count);
    run.starts[i] = start;
    run.slots[i] = slot;
    run.count++;
    this.size++;
  }

  /** Takes out the range that begins at this page. */
  remove(start: number): void {
    const r = this.runOf(start);
    const run = this.runs[r];
    const i = place(run, start);
    if (i < 0 || run.starts[i] !== start) return;
    run.starts.copyWithin(i, i + 1, run.count);
    run.slots.copyWithin(i, i + 1, run.count);
    run.count--;
    this.size--;
    if (run.count === 0 && this.runs.length > 1) this.runs.splice(r, 1);
  }

  /** All slots, in ascending order of their ranges. */
  *slots(): Generator<number> {
    for (const run of this.runs) for (let i = 0; i < run.count; i++) yield run.slots[i];
  }

  /** The last run that begins at or before a page; the first where none does. */
  private runOf(start: number): number {
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runs[middle].starts[0] <= start) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private split(r: number, start: number): Run {
    const run = this.runs[r];
    const half = most >> 1;
    const upper = emptyRun();
    upper.starts.set(run.starts.subarray(half, run.count));
    upper.slots.set(run.slots.subarray(half, run.count));
    upper.count = run.count - half;
    run.count = half;
    this.runs.splice(r + 1, 0, upper);
    return start < upper.starts[0] ? run : upper;
  }
}

/** Index of a run's last start that is at most `start`, or −1. */
function place(run: Run, start: number): number {
  let low = -1;
  let high = run.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (run.starts[middle] <= start) low = middle;
    else high = middle - 1;
  }
  return low;
}
