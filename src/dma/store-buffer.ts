/** How stores of a core drain. */
export interface StoreBufferSize {
  /** Stores that wait for their line at most; the next one makes the core wait. */
  depth: number;
  /** Lines that stores ask for at the same time. */
  atOnce: number;
}

/**
 * The store buffers of the cores: a store takes a cycle of its core and then waits for its line alone. Stores become visible in their order
 * (x86's memory model), each when its line is there; the lines of several are asked for at the same time. A locked instruction, a fence and an
 * uncached access wait until the buffer is empty; the plain store that releases a lock does not, but is seen only after all before it.
 */
export class StoreBuffers {
  /** When each of a core's last stores became visible, in a ring. */
  private readonly visible: Float64Array;
  /** When each of a core's last lines came. */
  private readonly came: Float64Array;
  private readonly stores: Int32Array;
  private readonly lines: Int32Array;
  private readonly emptyFrom: Float64Array;

  constructor(
    cores: number,
    private readonly size: StoreBufferSize,
  ) {
    this.visible = new Float64Array(cores * size.depth);
    this.came = new Float64Array(cores * size.atOnce);
    this.stores = new Int32Array(cores);
    this.lines = new Int32Array(cores);
    this.emptyFrom = new Float64Array(cores);
  }

  /**
   * A core stores at a time.
   * @param latency until it has the line for itself
   * @param hit the line was there
   * @returns how long the core waits for a place
   */
  store(core: number, now: number, latency: number, hit: boolean): number {
    const { depth, atOnce } = this.size;
    const at = core * depth + (this.stores[core]++ % depth);
    const begin = Math.max(now, this.visible[at]);
    let ready = begin + latency;
    if (!hit) {
      const line = core * atOnce + (this.lines[core]++ % atOnce);
      ready = Math.max(begin, this.came[line]) + latency;
      this.came[line] = ready;
    }
    // One store a cycle leaves the buffer.
    this.emptyFrom[core] = Math.max(this.emptyFrom[core] + 1, ready);
    this.visible[at] = this.emptyFrom[core];
    return begin - now;
  }

  /** From when on all that a core has stored so far is visible. */
  drained(core: number): number {
    return this.emptyFrom[core];
  }
}
