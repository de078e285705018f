import type { Machine } from "../memory/machine.js";

/**
 * A line that several CPUs want at once: the machine says what an access costs, this says when it can begin.
 *
 * The line's home (its L3 slice and, across sockets, its directory) takes up one request for a line after another, in the order in which
 * they arrive: each holds it for `homeOccupancyPercent` of its latency. An access that stays within the own core asks no home.
 * Calls must come in the order of simulated time.
 */
export class ContendedLine {
  /** When the home has served all it was asked so far. */
  busyUntil = 0;

  constructor(
    private readonly machine: Machine,
    readonly address: number,
  ) {}

  /** A load that begins at `now` or when the home is free; returns when it is done. */
  read(cpu: number, now: number): number {
    if (this.machine.isLocal(cpu, this.address, false)) return now + this.machine.read(cpu, this.address);
    const start = now > this.busyUntil ? now : this.busyUntil;
    return this.served(start, this.machine.read(cpu, this.address), 0);
  }

  /** A store; returns when the line is owned and the store is done. */
  write(cpu: number, now: number): number {
    if (this.machine.isLocal(cpu, this.address, true)) return now + this.machine.write(cpu, this.address);
    const start = now > this.busyUntil ? now : this.busyUntil;
    return this.served(start, this.machine.write(cpu, this.address), 0);
  }

  /** A locked read-modify-write; returns when it is done. */
  atomic(cpu: number, now: number): number {
    if (this.machine.isLocal(cpu, this.address, true)) return now + this.machine.atomic(cpu, this.address);
    const start = now > this.busyUntil ? now : this.busyUntil;
    return this.served(start, this.machine.atomic(cpu, this.address), this.machine.config.atomicCycles);
  }

  private served(start: number, cost: number, afterwards: number): number {
    // The locked instruction itself runs in the core; while it does, the core answers no snoop for the line.
    const transfer = cost - afterwards;
    this.busyUntil = start + afterwards + Math.ceil((transfer * this.machine.config.homeOccupancyPercent) / 100);
    return start + cost;
  }
}
