import type { HostMachine as Machine } from "../memory/host-machine.js";
import type { LineListener } from "./contended-line.js";
import { LockStatistics } from "./lock-statistics.js";

/** What a lock needs of the simulation: its clock and its events. The engine's Simulation is one. */
export interface LockSimulation {
  /** Simulated time in core cycles. */
  readonly now: number;
  /** Adds a state machine; returns the base of its kinds. */
  attach(machine: { dispatch(kind: number, actor: number, data: number): void }): number;
  /** Schedules an event of a kind, for an actor, `delay` cycles from now. */
  post(delay: number, kind: number, actor?: number, data?: number, priority?: number): void;
  /** Goes on at once where such an event would be the very next one. @returns whether it has; without it, never */
  skip?(delay: number): boolean;
}

/** Draws whole numbers below a bound: the order in which cores win a line is arbitrary, and named by a seed. */
export interface Arbiter {
  /** A whole number from 0 to one less than the bound. */
  below(bound: number): number;
}

/** How a lock is set up. */
export interface LockOptions {
  name: string;
  /** Where the lock word lies; without it the lock gets a line of its own. A lock may share a line with the data beside it. */
  address?: number;
  /** The socket whose memory holds the lock and its queue nodes. */
  home?: number;
  /** Taken with interrupts disabled (spin_lock_irqsave): costs, and counts the time with interrupts off. */
  irqSave?: boolean;
  /** Decides in which order waiters read a released line. */
  arbiter: Arbiter;
  /**
   * Ticket locks only. Core cycles by which each other waiter makes a hand-off longer, instead of what the line's home makes of their
   * reads: the home then serves all at once, and a hand-off costs its own line transfers and this for each of the others.
   */
  handoffCycles?: number | undefined;
  /** Hears every access to the lock's word, for a timeline. */
  onWord?: LineListener;
}

/**
 * A spinlock made of lines of the simulated memory. Its steps are events; every access to its lines costs what coherence makes it cost,
 * and is queued at the line's home with everybody else's.
 *
 * A model asks with `acquire(cpu, kind, token)` and gets its own event `kind` (actor = cpu, data = token) at the moment the CPU holds
 * the lock. It ends its section by calling `release(cpu)` at that section's last cycle, and carries on after the cycles returned.
 * A CPU waits for at most one lock at a time.
 *
 * Locked instructions and loads make a CPU wait for their line; the plain stores of a lock do not: the store buffer takes them, and they
 * become visible in their order, each when its line has come (x86's memory model). That is when a waiter can see them.
 */
export abstract class SpinLock {
  readonly statistics: LockStatistics;
  readonly address: number;
  protected readonly base: number;
  private readonly resumeKind: Int32Array;
  private readonly resumeToken: Int32Array;
  private readonly askedAt: Float64Array;
  private readonly irqCycles: number;
  /** When each CPU's earlier stores to lines of this lock are visible. */
  protected readonly storesDone: Float64Array;
  private heldBy = -1;
  private heldSince = 0;
  private irqOffSince: Float64Array;
  /** When the CPU that asks now gets the lock, where it need not wait for anybody; -1 until that is known. */
  private grantedAt = -1;
  private asking = false;
  /** 1 for a CPU that gave the lock back with interrupts still off, to take it again. */
  private readonly irqStaysOff: Uint8Array;

  constructor(
    protected readonly machine: Machine,
    protected readonly simulation: LockSimulation,
    protected readonly options: LockOptions,
  ) {
    this.statistics = new LockStatistics(options.name);
    this.base = simulation.attach(this);
    this.address =
      options.address ?? machine.region({ name: `lock ${options.name}`, bytes: 64, home: options.home ?? 0 }).base;
    this.resumeKind = new Int32Array(machine.cpus);
    this.resumeToken = new Int32Array(machine.cpus);
    this.askedAt = new Float64Array(machine.cpus).fill(-1);
    this.storesDone = new Float64Array(machine.cpus);
    this.irqOffSince = new Float64Array(machine.cpus);
    this.irqStaysOff = new Uint8Array(machine.cpus);
    this.irqCycles = options.irqSave ? machine.config.irqSaveCycles : 0;
  }

  /** Who holds the lock; -1 if nobody. */
  get holder(): number {
    return this.heldBy;
  }

  /**
   * Asks for the lock.
   * @param cpu who asks
   * @param kind the caller's kind of event that tells it that it holds the lock
   * @param token the event's data
   * @returns true where it holds the lock already, and no event comes: only in a thread that may skip events
   * @throws Error when the CPU already waits for or holds this lock: it would wait for itself forever
   */
  acquire(cpu: number, kind: number, token = 0): boolean {
    if (this.askedAt[cpu] >= 0 || this.heldBy === cpu)
      throw new Error(
        `CPU ${cpu} asks for lock "${this.options.name}" that it already ${this.heldBy === cpu ? "holds" : "waits for"}.`,
      );
    this.resumeKind[cpu] = kind;
    this.resumeToken[cpu] = token;
    this.askedAt[cpu] = this.simulation.now;
    if (this.irqCycles > 0) {
      if (this.irqStaysOff[cpu] === 0) this.irqOffSince[cpu] = this.simulation.now;
      if (!this.simulation.skip?.(this.irqCycles)) {
        this.simulation.post(this.irqCycles, this.base, cpu);
        return false;
      }
    }
    this.asking = true;
    this.grantedAt = -1;
    this.enter(cpu);
    this.asking = false;
    if (this.grantedAt < 0) return false;
    const delay = this.grantedAt - this.simulation.now;
    if (this.simulation.skip?.(delay)) return true;
    this.simulation.post(delay, kind, cpu, token);
    return false;
  }

  /**
   * Gives the lock back.
   * @param storesVisible when the stores of the section are visible: the store that gives the lock back is seen after them
   * @param irqStaysOff the CPU leaves interrupts off and takes the lock again: all of it is one time with interrupts off
   * @returns core cycles until the CPU goes on with what follows
   * @throws Error when the CPU does not hold it
   */
  release(cpu: number, storesVisible = 0, irqStaysOff = false): number {
    const { now } = this.simulation;
    if (this.heldBy !== cpu || now < this.heldSince)
      throw new Error(`CPU ${cpu} releases lock "${this.options.name}" that it does not hold.`);
    this.statistics.held(now - this.heldSince);
    this.heldBy = -1;
    if (storesVisible > this.storesDone[cpu]) this.storesDone[cpu] = storesVisible;
    const cost = this.leave(cpu, now) + this.irqCycles;
    this.irqStaysOff[cpu] = irqStaysOff ? 1 : 0;
    if (this.irqCycles > 0 && !irqStaysOff) this.statistics.interruptsOff(now + cost - this.irqOffSince[cpu]);
    return cost;
  }

  /** Kind 0 begins the attempt; the lock's own kinds follow. */
  dispatch(kind: number, actor: number, data: number): void {
    if (kind === 0) this.enter(actor);
    else this.step(kind, actor, data);
  }

  /** The first access of an attempt; where that {@link grant}s the lock, it is the last that it does. */
  protected abstract enter(cpu: number): void;
  /** The accesses of a release that begins at `now`; returns the cycles that the CPU waits for. */
  protected abstract leave(cpu: number, now: number): number;

  /** When the next store of a CPU can begin: after its earlier ones. */
  protected storeFrom(cpu: number, now: number): number {
    return now > this.storesDone[cpu] ? now : this.storesDone[cpu];
  }
  /** A later step of an attempt. */
  protected step(kind: number, _cpu: number, _data: number): void {
    throw new Error(`Lock "${this.options.name}" has no step ${kind}.`);
  }

  /** The lock belongs to `cpu` from time `at` on. */
  protected grant(cpu: number, at: number, contended: boolean): void {
    const waited = at - this.askedAt[cpu];
    this.askedAt[cpu] = -1;
    this.heldBy = cpu;
    this.heldSince = at;
    this.statistics.acquired(cpu, contended, waited);
    if (this.asking) this.grantedAt = at;
    else this.simulation.post(at - this.simulation.now, this.resumeKind[cpu], cpu, this.resumeToken[cpu]);
  }
}

/** CPUs in the order in which they came: a ring that allocates nothing. */
export class CpuQueue {
  private readonly cpus: Int32Array;
  private head = 0;
  length = 0;

  constructor(capacity: number) {
    this.cpus = new Int32Array(capacity);
  }

  push(cpu: number): void {
    this.cpus[(this.head + this.length++) % this.cpus.length] = cpu;
  }

  shift(): number {
    const cpu = this.cpus[this.head];
    this.head = (this.head + 1) % this.cpus.length;
    this.length--;
    return cpu;
  }

  at(i: number): number {
    return this.cpus[(this.head + i) % this.cpus.length];
  }
}
