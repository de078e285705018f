import type { Simulation } from "./simulation.js";

/**
 * Behaviour written as generators: the readable way. A state machine can have its actors' programs written so: it begins a process for each
 * ({@link Processes.begin}), posts an event of its own for what the process yields {@link waiting} for, and lets it go on when that event is
 * due ({@link Process.resume}). Behaviours call one another with `yield*`, and give results back.
 *
 * ```ts
 * const base = sim.attach({ dispatch: (_, actor) => clients[actor].resume() });
 * function* think(client: number, ticks: number): Behaviour {
 *   sim.post(ticks, base, client);
 *   yield waiting;
 * }
 * ```
 */
export type Behaviour<Result = void> = Generator<Wait, Result, unknown>;

/** What a process yields. */
export type Wait = typeof ready | typeof waiting;

/** What was asked for is there: the process goes on without an event. */
export const ready = 1;
/** The process sleeps until its state machine resumes it. */
export const waiting = 2;

/** A running process. */
export class Process {
  /** @internal */ generator: Behaviour | undefined;

  /** @internal Made by {@link Processes.begin}. */
  constructor(
    private readonly processes: Processes,
    readonly name: string,
  ) {}

  /** True once it has returned or thrown. */
  get ended(): boolean {
    return this.generator === undefined;
  }

  /**
   * Goes on at once, within the event that is being dispatched. The caller goes on when the process waits again.
   * @throws whatever the process throws
   */
  resume(): void {
    this.processes.resume(this);
  }
}

/** The generator processes of a simulation. */
export class Processes {
  private running: Process | undefined;

  constructor(readonly sim: Simulation) {}

  /** Starts a process, whose first lines run before this call returns: it takes no event. */
  begin(name: string, behaviour: (self: Process) => Behaviour): Process {
    const process = new Process(this, name);
    process.generator = behaviour(process);
    this.resume(process);
    return process;
  }

  /** The process whose line is running. @throws Error outside of a process */
  current(): Process {
    if (!this.running) throw new Error("No process is running: ask inside of one.");
    return this.running;
  }

  /** @internal Runs a process to its next wait, within whatever runs now. */
  resume(process: Process): void {
    const { generator } = process;
    if (!generator) throw new Error(`Process "${process.name}" has ended and can not go on.`);
    // A process that resumes another one runs on after it.
    const outer = this.running;
    if (outer) this.sim.follow(false);
    this.running = process;
    try {
      let result = generator.next();
      while (!result.done && result.value === ready) result = generator.next();
      if (result.done) process.generator = undefined;
    } catch (error) {
      process.generator = undefined;
      throw error;
    } finally {
      this.running = outer;
    }
  }
}
