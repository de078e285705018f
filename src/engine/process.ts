import type { EventHandle } from "./queue/events.js";
import type { Simulation, StateMachine } from "./simulation.js";

/**
 * Behaviour written as generators: the readable way. A process yields what it waits for, and its next line runs when that has come:
 *
 * ```ts
 * processes.start("client", function* () {
 *   for (;;) {
 *     yield processes.timeout(think.exponential(1000));
 *     yield server.acquire();
 *     yield processes.timeout(200);
 *     server.release();
 *   }
 * });
 * ```
 *
 * A state machine can have its actors' programs written so as well: it begins a process for each ({@link Processes.begin}), posts an event
 * of its own for what the process yields {@link waiting} for, and lets it go on when that event is due ({@link Process.resume}).
 * Behaviours call one another with `yield*`, and give results back.
 */
export type Behaviour<Result = void> = Generator<Wait, Result, unknown>;

/** What `timeout`, `acquire`, `wait` and `join` return, to be yielded at once by the process that called them. */
export type Wait = typeof ready | typeof waiting;

/** What was asked for is there: the process goes on without an event. */
export const ready = 1;
/** The process sleeps until something wakes it. */
export const waiting = 2;

const started = 0;
const woken = 1;
const interrupted = 2;
const noEvent = -1;

/** Thrown into a process by {@link Process.interrupt}, at the line where it waits. */
export class Interrupt extends Error {
  override name = "Interrupt";
  /** @param reason what the interrupter said */
  constructor(readonly reason: unknown) {
    super(`Interrupted: ${String(reason)}`);
  }
}

/** Something in whose queue a process can stand, and from which an interrupt takes it. */
interface Queueing {
  leave(process: Process): void;
}

/** A running process. */
export class Process {
  /** @internal */ generator: Behaviour | undefined;
  /** @internal The event that will wake it, when that can still be cancelled. */
  event: EventHandle = noEvent;
  /** @internal */ standsIn: Queueing | undefined;
  /** @internal What the yield will give. */
  value: unknown;
  /** @internal */ interrupts: Interrupt[] = [];
  private readonly ending: Signal;

  /** @internal Made by {@link Processes.start}. */
  constructor(
    private readonly processes: Processes,
    readonly id: number,
    readonly name: string,
  ) {
    this.ending = new Signal(processes);
  }

  /** True once it has returned or thrown. */
  get ended(): boolean {
    return this.generator === undefined;
  }

  /** Waits for its end: `yield other.join()`. Ready at once if it has ended. */
  join(): Wait {
    return this.ended ? ready : this.ending.wait();
  }

  /**
   * Takes the process out of what it waits for and throws an {@link Interrupt} at that line. If its wait is already over at this tick
   * (a lock was handed to it, say), it keeps what it got and its next wait is interrupted instead: nothing granted is lost.
   * @returns false if it has ended: nothing happens then
   * @throws Error when a process interrupts itself
   */
  interrupt(reason: unknown): boolean {
    if (this.ended) return false;
    this.processes.interrupt(this, new Interrupt(reason));
    return true;
  }

  /**
   * Goes on at once, within the event that is being dispatched: for a state machine whose own event the process yielded {@link waiting} for.
   * The caller goes on when the process waits again.
   * @throws whatever the process throws
   */
  resume(): void {
    this.processes.resume(this);
  }

  /** @internal */
  end(): void {
    this.generator = undefined;
    this.ending.fire(undefined);
  }
}

/** The generator processes of a simulation, on the same event queue as its state machines. */
export class Processes implements StateMachine {
  private readonly base: number;
  private readonly table: Process[] = [];
  private readonly freeIds: number[] = [];
  private running: Process | undefined;

  constructor(readonly sim: Simulation) {
    this.base = sim.attach(this);
  }

  /** Starts a process: its first line runs at this tick, after what is already scheduled for it. */
  start(name: string, behaviour: (self: Process) => Behaviour): Process {
    const process = this.make(name, behaviour);
    this.sim.post(0, this.base + started, process.id);
    return process;
  }

  /** Starts a process whose first lines run at once, before this call returns: it takes no event. */
  begin(name: string, behaviour: (self: Process) => Behaviour): Process {
    const process = this.make(name, behaviour);
    this.resume(process);
    return process;
  }

  /** Waits for a number of ticks. */
  timeout(ticks: number): Wait {
    const process = this.current();
    if (process.event !== noEvent) throw new Error(`Process "${process.name}" did not yield its last wait.`);
    process.event = this.sim.schedule(ticks, this.base + woken, process.id);
    return waiting;
  }

  /** The process whose line is running. @throws Error outside of a process */
  current(): Process {
    if (!this.running)
      throw new Error("timeout, acquire, wait and join are for a running process: yield them inside one.");
    return this.running;
  }

  /** @internal The current process sleeps in a queue. */
  sleep(queue: Queueing): Process {
    const process = this.current();
    if (process.standsIn) throw new Error(`Process "${process.name}" did not yield its last wait.`);
    process.standsIn = queue;
    return process;
  }

  /** @internal Ends a sleep: the process goes on at this tick, after what is already scheduled for it. */
  wake(process: Process, value: unknown): void {
    process.standsIn = undefined;
    process.value = value;
    this.sim.post(0, this.base + woken, process.id);
  }

  /** @internal */
  interrupt(process: Process, interrupt: Interrupt): void {
    if (process === this.running) throw new Error(`Process "${process.name}" can not interrupt itself: throw instead.`);
    process.interrupts.push(interrupt);
    if (this.leaveWait(process)) this.sim.post(0, this.base + interrupted, process.id);
  }

  /** @internal Runs a process to its next wait, within whatever runs now. */
  resume(process: Process): void {
    if (process.ended) throw new Error(`Process "${process.name}" has ended and can not go on.`);
    this.run(process, undefined, false);
  }

  dispatch(kind: number, actor: number): void {
    const process = this.table[actor];
    const { value } = process;
    process.event = noEvent;
    process.value = undefined;
    this.run(process, value, kind === interrupted);
  }

  private run(process: Process, value: unknown, throwing: boolean): void {
    const generator = process.generator as Behaviour;
    // A process that resumes another one runs on after it.
    const outer = this.running;
    this.running = process;
    try {
      let result = throwing ? generator.throw(process.interrupts.shift()) : (generator.next(value) as Step);
      while (!result.done) {
        if (result.value === ready) result = generator.next(undefined);
        else if (process.interrupts.length > 0) {
          this.leaveWait(process);
          result = generator.throw(process.interrupts.shift());
        } else return;
      }
      this.finish(process);
    } catch (error) {
      this.finish(process);
      throw error;
    } finally {
      this.running = outer;
    }
  }

  private make(name: string, behaviour: (self: Process) => Behaviour): Process {
    const id = this.freeIds.pop() ?? this.table.length;
    const process = new Process(this, id, name);
    process.generator = behaviour(process);
    this.table[id] = process;
    return process;
  }

  /** Takes a process out of what it waits for; false if its waking is already on the way. */
  private leaveWait(process: Process): boolean {
    if (process.standsIn) {
      process.standsIn.leave(process);
      process.standsIn = undefined;
      return true;
    }
    const { event } = process;
    process.event = noEvent;
    return event !== noEvent && this.sim.cancel(event);
  }

  private finish(process: Process): void {
    this.leaveWait(process);
    this.freeIds.push(process.id);
    process.end();
  }
}

type Step = IteratorResult<Wait, void>;

/** Something that happens now and then, and that processes wait for. */
export class Signal implements Queueing {
  private waiters: Process[] = [];

  constructor(private readonly processes: Processes) {}

  /** Waits until it fires; the yield then gives the fired value. */
  wait(): Wait {
    this.waiters.push(this.processes.sleep(this));
    return waiting;
  }

  /** Wakes all that wait, in the order in which they came. */
  fire(value: unknown): void {
    const { waiters } = this;
    if (waiters.length === 0) return;
    this.waiters = [];
    for (const process of waiters) this.processes.wake(process, value);
  }

  /** @internal */
  leave(process: Process): void {
    this.waiters.splice(this.waiters.indexOf(process), 1);
  }
}

/** A number of equal servers, or a lock (one server): first come, first served, handed over directly by the one that releases. */
export class Resource implements Queueing {
  private inUse_ = 0;
  /** Ring of waiting processes: a power of two long. */
  private ring: (Process | undefined)[] = new Array(8).fill(undefined);
  private head = 0;
  private count = 0;

  /** @param capacity servers, 1 or more */
  constructor(
    private readonly processes: Processes,
    readonly capacity: number = 1,
  ) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity: a whole number of servers, 1 or more; got ${capacity}.`);
  }

  /** Servers taken. */
  get inUse(): number {
    return this.inUse_;
  }

  /** Processes waiting. */
  get waiting(): number {
    return this.count;
  }

  /** Waits for a server: ready at once if one is free. */
  acquire(): Wait {
    if (this.inUse_ < this.capacity) {
      this.inUse_++;
      return ready;
    }
    const process = this.processes.sleep(this);
    if (this.count === this.ring.length) this.grow();
    this.ring[(this.head + this.count++) & (this.ring.length - 1)] = process;
    return waiting;
  }

  /** Gives a server back: the first that waits has it from this tick on. @throws Error if none was taken */
  release(): void {
    if (this.inUse_ === 0) throw new Error("A resource was released more often than it was acquired.");
    if (this.count === 0) {
      this.inUse_--;
      return;
    }
    const { ring, head } = this;
    const process = ring[head] as Process;
    ring[head] = undefined;
    this.head = (head + 1) & (ring.length - 1);
    this.count--;
    this.processes.wake(process, undefined);
  }

  /** Acquires, holds for a number of ticks and releases, also when interrupted: `yield* resource.hold(200)`. */
  *hold(ticks: number): Behaviour {
    yield this.acquire();
    try {
      yield this.processes.timeout(ticks);
    } finally {
      this.release();
    }
  }

  /** @internal */
  leave(process: Process): void {
    const waiters = this.inOrder().filter((other) => other !== process);
    this.ring.fill(undefined);
    for (const [i, other] of waiters.entries()) this.ring[i] = other;
    this.head = 0;
    this.count = waiters.length;
  }

  private grow(): void {
    const waiters = this.inOrder();
    this.ring = [...waiters, ...new Array(waiters.length).fill(undefined)];
    this.head = 0;
  }

  private inOrder(): Process[] {
    return Array.from({ length: this.count }, (_, i) => this.ring[(this.head + i) & (this.ring.length - 1)] as Process);
  }
}
