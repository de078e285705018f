import type { HostMachine as Machine } from "../memory/host-machine.js";

/** Hears every access to a contended line: who, what, when it was asked for, when the home took it up, when it was done. */
export type LineListener = (
  cpu: number,
  access: "read" | "write" | "atomic",
  asked: number,
  begun: number,
  done: number,
) => void;

/**
 * A line that several CPUs want at once: the machine says what an access costs, this says when it can begin.
 *
 * The line's home serves one request for it after another, in the order in which they arrive, and is taken by each for
 * `homeOccupancyPercent` of the request's latency. Each socket's L3 is home to what it can answer alone. What has to cross the sockets waits
 * for both, takes its own for its latency, and the other for an L3 access. An access that stays within its core asks no home; a locked one still holds the line until it is done.
 * Calls must come in the order of simulated time.
 */
export class ContendedLine {
  /** When each socket's home has served all it was asked so far. */
  private readonly busyUntil: Float64Array;
  private readonly atomicCycles: number;
  private readonly l3Cycles: number;
  private readonly sockets: number;

  constructor(
    private readonly machine: Machine,
    readonly address: number,
    private readonly listener?: LineListener,
    /** How long a request takes the home, in percent of its latency. */
    private readonly occupancy = machine.config.homeOccupancyPercent,
  ) {
    this.sockets = machine.homes;
    this.busyUntil = new Float64Array(this.sockets);
    this.l3Cycles = Math.ceil((machine.config.l3Cycles * this.occupancy) / 100);
    this.atomicCycles = machine.config.atomicCycles;
  }

  /** A load that begins at `now`, or when the home is free; returns when it is done. */
  read(cpu: number, now: number): number {
    const reach = this.machine.reach(cpu, this.address, false);
    if (reach === 0) return this.local(cpu, "read", now, this.machine.read(cpu, this.address));
    const start = this.freeFrom(cpu, reach, now);
    const done = this.served(cpu, reach, start, this.machine.read(cpu, this.address), 0);
    this.listener?.(cpu, "read", now, start, done);
    return done;
  }

  /** A store; returns when the line is owned and the store is done. The CPU need not wait for that: see {@link SpinLock}. */
  write(cpu: number, now: number): number {
    const reach = this.machine.reach(cpu, this.address, true);
    if (reach === 0) return this.local(cpu, "write", now, this.machine.write(cpu, this.address));
    const start = this.freeFrom(cpu, reach, now);
    const done = this.served(cpu, reach, start, this.machine.write(cpu, this.address), 0);
    this.listener?.(cpu, "write", now, start, done);
    return done;
  }

  /** The store that ends a section: as {@link write}, and nobody gets the line before it is done. */
  store(cpu: number, now: number): number {
    const done = this.write(cpu, now);
    for (let socket = 0; socket < this.sockets; socket++)
      if (this.busyUntil[socket] < now) this.busyUntil[socket] = now;
    return done;
  }

  /** A locked read-modify-write; returns when it is done. */
  atomic(cpu: number, now: number): number {
    const reach = this.machine.reach(cpu, this.address, true);
    const start = this.freeFrom(cpu, reach, now);
    const done = this.served(cpu, reach, start, this.machine.atomic(cpu, this.address), this.atomicCycles);
    this.listener?.(cpu, "atomic", now, start, done);
    return done;
  }

  /** When every home has served all it was asked so far. */
  get idleFrom(): number {
    return this.sockets === 1 ? this.busyUntil[0] : Math.max(this.busyUntil[0], this.busyUntil[1]);
  }

  private local(cpu: number, access: "read" | "write", now: number, cost: number): number {
    this.listener?.(cpu, access, now, now, now + cost);
    return now + cost;
  }

  private freeFrom(cpu: number, reach: number, now: number): number {
    const free = reach === 2 ? this.idleFrom : this.busyUntil[this.machine.homeOf(cpu)];
    return now > free ? now : free;
  }

  private served(cpu: number, reach: number, start: number, cost: number, afterwards: number): number {
    // While the core runs the locked instruction, it answers no request for the line.
    const until = start + afterwards + Math.ceil(((cost - afterwards) * this.occupancy) / 100);
    const socket = this.machine.homeOf(cpu);
    this.busyUntil[socket] = until;
    if (reach === 2 && this.sockets > 1) this.busyUntil[1 - socket] = start + this.l3Cycles;
    return start + cost;
  }
}
