import type { Simulation, StateMachine } from "../engine/index.js";
import type { IovaOperation } from "../iova/index.js";

/** An unmapped range that waits for its invalidation. */
export interface FlushEntry {
  /** The range; what `__free_iova` needs to find it again without a search is in it. */
  iova: IovaOperation;
  /** Table pages that the unmap collected. */
  freelist: readonly number[];
}

/**
 * A deferred flush table: Linux v4.3's `struct deferred_flush_table` with `list_size` (one for all CPUs), or v4.9's, one a CPU.
 * Entries leave in the order in which they came.
 */
export class FlushQueue {
  readonly entries: FlushEntry[] = [];
  /** Bytes of one table: three arrays of pointers and a count. */
  static readonly bytes = 4096 * 2;

  /**
   * @param base address of the table
   * @param lock number of its lock
   * @param cpu whose it is; 0 where all CPUs have one
   */
  constructor(
    readonly base: number,
    readonly lock: number,
    readonly cpu = 0,
  ) {}

  /** Addresses of the lines that appending or taking entry `i` touches: range, domain, page list. */
  lines(i: number): [number, number, number] {
    const slot = Math.min(i, 255) * 8;
    return [this.base + 64 + slot, this.base + 64 + 2048 + slot, this.base + 64 + 4096 + slot];
  }
}

/** The timers of the deferred flush (`unmap_timer`, with `timer_on`): one for all, or one for each CPU's table. They run in the kernel's ticks. */
export class FlushTimer implements StateMachine {
  /** By table: a flush clears the mark without stopping the timer. */
  private readonly armed: Uint8Array;
  private readonly generation: Int32Array;
  private readonly kinds: number;

  /**
   * @param delay cycles from arming to expiry
   * @param tick cycles of a tick
   * @param tables how many timers: 1, or one for each core
   * @param expired told on which core it expires, unless a flush came first
   */
  constructor(
    private readonly simulation: Simulation,
    private readonly delay: number,
    private readonly tick: number,
    private readonly tables: number,
    private readonly expired: (core: number) => void,
  ) {
    this.kinds = simulation.attach(this);
    this.armed = new Uint8Array(tables);
    this.generation = new Int32Array(tables);
  }

  /** Arms it on a core, where it is not: the core's own, where each has one. */
  arm(core: number): void {
    const table = this.tables === 1 ? 0 : core;
    if (this.armed[table] === 1) return;
    this.armed[table] = 1;
    this.generation[table]++;
    const { now } = this.simulation;
    const at = (Math.floor(now / this.tick) + Math.ceil(this.delay / this.tick)) * this.tick;
    this.simulation.post(at - now, this.kinds, core, this.generation[table]);
  }

  /** A flush of a table has begun: nothing is left to do for its timer. */
  disarm(table = 0): void {
    this.armed[table] = 0;
  }

  dispatch(_kind: number, core: number, generation: number): void {
    const table = this.tables === 1 ? 0 : core;
    if (generation !== this.generation[table] || this.armed[table] === 0) return;
    this.armed[table] = 0;
    this.expired(core);
  }
}
