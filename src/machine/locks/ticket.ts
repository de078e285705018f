import type { HostMachine as Machine } from "../memory/host-machine.js";
import { ContendedLine } from "./contended-line.js";
import { CpuQueue, type LockOptions, type LockSimulation, SpinLock } from "./spin-lock.js";

/**
 * The ticket lock of Linux until v4.1 (arch/x86/include/asm/spinlock.h): next and owner ticket share one word.
 *
 * Taking a ticket is one locked add to the word; all waiters spin reading the same word. A release stores the next owner's ticket, which
 * invalidates every waiter's copy: all of them ask the line's home at once, and are served in arbitrary order. The one whose turn it is
 * waits for half of them on average, so a hand-off grows with the number of waiters. A newcomer's locked add does the same to them.
 *
 * The padded variant, which Linux never had, keeps the ticket to draw on a line of its own: newcomers then leave the waiters in peace. It
 * tells the two causes of a slow hand-off apart.
 *
 * `handoffCycles` replaces that queue at the home by a fixed number of cycles for each other waiter, so that it can be swept as a number.
 */
export class TicketLock extends SpinLock {
  private readonly line: ContendedLine;
  /** Where newcomers draw their tickets: the same line in Linux, another one in the padded variant. */
  private readonly tickets: ContendedLine;
  private readonly waiters: CpuQueue;
  private readonly order: Int32Array;
  /** What each other waiter adds to a hand-off; undefined where the line's home decides. */
  private readonly perWaiter: number | undefined;
  private taken = false;

  constructor(machine: Machine, simulation: LockSimulation, options: LockOptions, padded = false) {
    super(machine, simulation, options);
    this.perWaiter = options.handoffCycles;
    const occupancy = this.perWaiter === undefined ? machine.config.homeOccupancyPercent : 0;
    this.line = new ContendedLine(machine, this.address, options.onWord, occupancy);
    this.tickets = padded ? new ContendedLine(machine, ticketLine(machine, options), undefined, occupancy) : this.line;
    this.waiters = new CpuQueue(machine.cpus);
    this.order = new Int32Array(machine.cpus);
  }

  protected enter(cpu: number): void {
    const drawn = this.tickets.atomic(cpu, this.simulation.now);
    const shared = this.tickets === this.line;
    const done = shared ? drawn : this.line.read(cpu, drawn);
    if (!this.taken) {
      this.taken = true;
      this.grant(cpu, done, false);
      return;
    }
    if (shared) this.reread(done, -1);
    this.waiters.push(cpu);
  }

  protected leave(cpu: number, now: number): number {
    const stored = this.line.store(cpu, this.storeFrom(cpu, now));
    if (this.waiters.length === 0) this.taken = false;
    else {
      const next = this.waiters.at(0);
      const seen = this.reread(stored, next);
      this.waiters.shift();
      this.grant(next, seen + (this.perWaiter ?? 0) * this.waiters.length, true);
    }
    return this.machine.config.storeHitCycles;
  }

  /** Every waiter fetches the line again, in arbitrary order; returns when `next` has it. */
  private reread(from: number, next: number): number {
    const order = this.order;
    const waiters = this.waiters;
    const n = waiters.length;
    for (let i = 0; i < n; i++) {
      const j = i === 0 ? 0 : this.options.arbiter.below(i + 1);
      order[i] = order[j];
      order[j] = waiters.at(i);
    }
    let seen = from;
    for (let i = 0; i < n; i++) {
      const done = this.line.read(order[i], from);
      if (order[i] === next) seen = done;
    }
    return seen;
  }
}

function ticketLine(machine: Machine, options: LockOptions): number {
  return machine.region({ name: `tickets of lock ${options.name}`, bytes: 64, home: options.home ?? 0 }).base;
}
