import type { HostMachine as Machine } from "../memory/host-machine.js";
import { ContendedLine } from "./contended-line.js";
import { CpuQueue, type LockOptions, type LockSimulation, SpinLock } from "./spin-lock.js";

/**
 * The plain test-and-set lock: every waiter repeats a locked exchange on the word until it wins.
 *
 * Each try takes the line away from whoever has it, so the line never rests, and the holder's releasing store waits at the line's home
 * behind a try of every waiter. Tries are served in turn; they are charged when the next acquire or release looks at the lock.
 */
export class TestAndSetLock extends SpinLock {
  private readonly line: ContendedLine;
  /** Waiters in the order in which their tries are served. */
  private readonly spinners: CpuQueue;
  private taken = false;

  constructor(machine: Machine, simulation: LockSimulation, options: LockOptions) {
    super(machine, simulation, options);
    this.line = new ContendedLine(machine, this.address, options.onWord);
    this.spinners = new CpuQueue(machine.cpus);
  }

  protected enter(cpu: number): void {
    const { now } = this.simulation;
    if (!this.taken) {
      this.taken = true;
      this.grant(cpu, this.line.atomic(cpu, now), false);
      return;
    }
    this.spinUntil(now);
    this.spinners.push(cpu);
  }

  protected leave(cpu: number, now: number): number {
    this.spinUntil(now);
    // Every waiter has one try outstanding when the store arrives: they fail, and then the store is served.
    for (let i = this.spinners.length; i > 0; i--) this.tryOnce(now);
    const stored = this.line.store(cpu, this.storeFrom(cpu, now));
    if (this.spinners.length === 0) this.taken = false;
    else {
      const winner = this.spinners.shift();
      this.grant(winner, this.line.atomic(winner, stored), true);
    }
    return this.machine.config.storeHitCycles;
  }

  private tryOnce(now: number): void {
    const cpu = this.spinners.shift();
    this.line.atomic(cpu, now);
    this.spinners.push(cpu);
  }

  /** Serves the tries that fit in before `now`. While all waiters sit on one core, the line stays there and asks nobody. */
  private spinUntil(now: number): void {
    const { line, machine, spinners } = this;
    for (let local = 0; line.idleFrom < now && local < spinners.length; ) {
      local = machine.reach(spinners.at(0), this.address, true) === 0 ? local + 1 : 0;
      this.tryOnce(line.idleFrom);
    }
  }
}
