import type { Simulation, StateMachine } from "../engine/index.js";
import type { SpinLock } from "../machine/index.js";
import type { CoreState } from "./core-state.js";
import type { CycleAccounts } from "./cycle-accounts.js";

const RESUME = 0;
/** Kind GRANTED + lock: the core holds the lock. */
const GRANTED = 1;
const mostLocks = 256 - GRANTED;
/** Buckets of the wait and hold distributions: up to 2^31 cycles. */
const BUCKETS = 32;
const bucket = (cycles: number): number => 32 - Math.clz32(Math.min(cycles, 0x7fff_ffff));

/** The cores' programs, as {@link Execution} sees them. */
export interface Resumable {
  /** Continues a core's program, at the cycle in which it can go on. */
  resume(core: number): void;
}

/** A lock and who waits for it. */
interface LockBook {
  lock: SpinLock;
  spinStep: number;
  /** Cores that asked and do not hold it yet. */
  asked: number;
  heldSince: number;
  /** Waits and holds by power of two. */
  waits: Float64Array;
  holds: Float64Array;
}

/**
 * How the cores of a {@link DmaApi} spend simulated time and take locks, with every cycle booked in the accounts and every wait and hold in
 * a distribution. A core that spends time or asks for a lock is resumed when the time is over or the lock is its own.
 */
export class Execution implements StateMachine {
  private readonly books: LockBook[] = [];
  private readonly askedAt: Float64Array;
  private readonly kinds: number;

  constructor(
    private readonly simulation: Simulation,
    readonly accounts: CycleAccounts,
    private readonly cores: readonly CoreState[],
    private readonly programs: Resumable,
  ) {
    this.askedAt = new Float64Array(cores.length);
    this.kinds = simulation.attach(this);
  }

  /** Adds a lock; waiting for it is booked as `spinStep`. @returns its number */
  addLock(lock: SpinLock, spinStep: number): number {
    if (this.books.length === mostLocks)
      throw new Error(`more than ${mostLocks} locks: a state machine has no events for them`);
    const waits = new Float64Array(BUCKETS);
    const holds = new Float64Array(BUCKETS);
    return this.books.push({ lock, spinStep, asked: 0, heldSince: 0, waits, holds }) - 1;
  }

  /** The locks by number. */
  get locks(): SpinLock[] {
    return this.books.map(({ lock }) => lock);
  }

  /** The core is busy with `step` for some cycles, and goes on then. */
  spend(core: number, step: number, cycles: number): void {
    this.accounts.enter(core, step, this.cores[core].context, this.simulation.now);
    this.simulation.post(cycles, this.kinds + RESUME, core);
  }

  /** The core asks for a lock, and goes on when it holds it. An uncontended acquisition is booked as `step`. */
  acquire(core: number, lock: number, step: number): void {
    const state = this.cores[core];
    const book = this.books[lock];
    const contended = book.lock.holder >= 0 || book.asked > 0;
    state.lockStep = step;
    book.asked++;
    this.askedAt[core] = this.simulation.now;
    this.accounts.enter(core, contended ? book.spinStep : step, state.context, this.simulation.now);
    book.lock.acquire(core, this.kinds + GRANTED + lock);
  }

  /** The core gives a lock back, and goes on when that is done. */
  release(core: number, lock: number, step: number): void {
    this.spend(core, step, this.drop(core, lock));
  }

  /** Gives a lock back; returns the cycles that takes, for the caller to spend. */
  drop(core: number, lock: number): number {
    const book = this.books[lock];
    book.holds[bucket(this.simulation.now - book.heldSince)]++;
    return book.lock.release(core);
  }

  dispatch(kind: number, core: number): void {
    if (kind !== RESUME) {
      const book = this.books[kind - GRANTED];
      const { now } = this.simulation;
      book.asked--;
      book.heldSince = now;
      book.waits[bucket(now - this.askedAt[core])]++;
      const { lockStep, context } = this.cores[core];
      this.accounts.enter(core, lockStep, context, now);
    }
    this.programs.resume(core);
  }

  /** How long acquisitions of each lock waited and held, by power of two of cycles: bucket b counts 2^(b−1) to 2^b. */
  lockTimes(): { lock: string; waits: number[]; holds: number[] }[] {
    return this.books.map(({ lock, waits, holds }) => ({
      lock: lock.statistics.columns().name,
      waits: [...waits],
      holds: [...holds],
    }));
  }

  /** Forgets times and lock statistics so far: the end of the warm-up. */
  reset(): void {
    this.accounts.reset(this.simulation.now);
    for (const { lock, waits, holds } of this.books) {
      lock.statistics.reset();
      waits.fill(0);
      holds.fill(0);
    }
  }
}
