import { type Behaviour, type Process, type Processes, ready, type Wait, waiting } from "../engine/index.js";
import type { Cpu } from "../iova/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { CycleAccounts } from "./cycle-accounts.js";
import type { DmaLock } from "./locks.js";
import * as S from "./steps.js";

/** What all cores of a domain share. */
export interface CoreParts {
  processes: Processes;
  accounts: CycleAccounts;
  memory: ChargedMemory;
  /** The locks by number: the allocator's first, as {@link Cpu} numbers them. */
  locks: readonly DmaLock[];
  /** First of the kinds of event that {@link CoreEvents} dispatches. */
  kinds: number;
}

/** Kinds of event: the core goes on · a lock is its own · it asks for a lock · it gives one back. The last three carry the lock's number. */
export const RESUME = 0;
export const GRANTED = 1;
export const ACQUIRE = 2;
export const RELEASE = 3;

/**
 * A core as the programs of the DMA API see it. What takes time is asked of it, and yielded:
 *
 * ```ts
 * yield core.at(STEP_UNMAP_API).spend(44);
 * yield core.at(STEP_APPEND).acquire(lock);
 * ```
 *
 * Every cycle is booked in the accounts, as the step that {@link at} named, within the context of the call.
 * Accesses to memory add up until the core waits: `charge` spends them; `acquire`, `release` and `settle` spend them first, if there are any.
 */
export class Core implements Cpu {
  /** The call that the time is booked to: a map, an unmap, a flush. */
  context: number = S.CONTEXT_NONE;
  /** The same core for an allocator whose lock it holds already: lock events take no time. */
  readonly underLock: Cpu = {
    acquire: () => this.settle(),
    release: () => this.settle(),
    settle: () => this.settle(),
  };
  /** Where the pools flush when a search starts over. */
  lazyFlush?: () => Behaviour;
  private step = S.STEP_IDLE;
  private process!: Process;
  private askedAt = 0;
  /** The step that asked for the lock. */
  private lockStep = S.STEP_IDLE;

  constructor(
    readonly id: number,
    protected readonly parts: CoreParts,
  ) {}

  /** Begins a call by the running process. */
  enter(context: number): void {
    const { processes, memory } = this.parts;
    this.process = processes.current();
    this.context = context;
    memory.core = this.id;
    memory.enabled = true;
  }

  /** Ends it: the core is the network stack's again. */
  leave(): void {
    const { accounts, processes } = this.parts;
    accounts.enter(this.id, S.STEP_STACK, S.CONTEXT_NONE, processes.sim.now);
  }

  /** From now on time is booked as this step. */
  at(step: number): this {
    this.step = step;
    return this;
  }

  /** The step that time is booked as. */
  get present(): number {
    return this.step;
  }

  /** Is busy for some cycles. */
  spend(cycles: number): Wait {
    return this.passes(cycles, RESUME, 0) ? ready : waiting;
  }

  /** Is busy for as long as the accesses since the last wait take. */
  charge(): Wait {
    return this.spend(this.parts.memory.take());
  }

  settle(): Wait {
    const cycles = this.parts.memory.take();
    return cycles > 0 ? this.spend(cycles) : ready;
  }

  acquire(lock: number): Wait {
    // A lock is taken with a locked instruction, which waits for the stores before it.
    this.parts.memory.drain();
    const cycles = this.parts.memory.take();
    if (cycles > 0 && !this.passes(cycles, ACQUIRE, lock)) return waiting;
    return this.ask(lock) ? ready : waiting;
  }

  release(lock: number): Wait {
    const cycles = this.parts.memory.take();
    if (cycles > 0 && !this.passes(cycles, RELEASE, lock)) return waiting;
    return this.giveBack(lock) ? ready : waiting;
  }

  /**
   * Gives a lock back and lets some cycles pass, as a loop that polls does (`cpu_relax`).
   * @param irqStaysOff interrupts stay off until the lock is taken again and given back
   */
  relax(lock: number, cycles: number, irqStaysOff = false): Wait {
    return this.spend(this.drop(lock, irqStaysOff) + cycles);
  }

  /** @internal An event of this core's is due. */
  dispatch(kind: number, lock: number): void {
    const { memory, processes } = this.parts;
    processes.sim.follow();
    if (kind === ACQUIRE) {
      if (!this.ask(lock)) return;
    } else if (kind === RELEASE) {
      if (!this.giveBack(lock)) return;
    } else if (kind === GRANTED) this.granted(lock);
    memory.core = this.id;
    this.process.resume();
  }

  /** @returns whether the lock is its own now */
  private ask(lock: number): boolean {
    const { accounts, locks, processes, kinds } = this.parts;
    const { now } = processes.sim;
    const book = locks[lock];
    this.lockStep = this.step;
    this.askedAt = now;
    accounts.enter(this.id, book.contended ? book.spinStep : this.step, this.context, now);
    book.asked++;
    if (!book.lock.acquire(this.id, kinds + GRANTED, lock)) return false;
    this.granted(lock);
    return true;
  }

  private granted(lock: number): void {
    const { accounts, locks, processes } = this.parts;
    const { now } = processes.sim;
    locks[lock].granted(this.askedAt, now);
    accounts.enter(this.id, this.lockStep, this.context, now);
  }

  private giveBack(lock: number): boolean {
    return this.passes(this.drop(lock), RESUME, 0);
  }

  private drop(lock: number, irqStaysOff = false): number {
    const book = this.parts.locks[lock];
    book.released(this.parts.processes.sim.now);
    return book.lock.release(this.id, this.parts.memory.drained(this.id), irqStaysOff);
  }

  /** Lets some cycles pass. @returns whether they have: if not, the event of that kind is still to come */
  private passes(cycles: number, kind: number, lock: number): boolean {
    const { accounts, processes, kinds } = this.parts;
    const { sim } = processes;
    accounts.enter(this.id, this.step, this.context, sim.now);
    if (sim.skip(cycles)) return true;
    sim.post(cycles, kinds + kind, this.id, lock);
    return false;
  }
}
