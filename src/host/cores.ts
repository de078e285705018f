import { type DmaApi, type DmaClient, STEP_IDLE, STEP_STACK } from "../dma/index.js";
import {
  type Behaviour,
  type Process,
  type Processes,
  type RandomStream,
  type Simulation,
  type Wait,
  waiting,
} from "../engine/index.js";

/**
 * The cores of a simulated server. Each is a process that runs its load's program: it works, and sleeps until something wakes it (an interrupt, a
 * completion, the timer of the deferred flush). Where its time goes is booked in the accounts of the DMA API.
 */
export class ServerCores implements DmaClient {
  /** Set before the first event. */
  api!: DmaApi;
  private readonly simulation: Simulation;
  private readonly processes: readonly Process[];
  private readonly asleep: Uint8Array;
  private readonly flushDue: Uint8Array;

  /**
   * @param worked kind of the event that ends a core's work: the load's state machine lets the core go on then ({@link resume})
   * @param begin whether cores begin asleep, until something wakes them, or the load posts their first event itself
   * @param program of a core; its first lines, up to the first `yield waiting`, run before this returns
   */
  constructor(
    processes: Processes,
    count: number,
    private readonly worked: number,
    begin: "asleep" | "awake",
    program: (core: number) => Behaviour,
  ) {
    this.simulation = processes.sim;
    this.asleep = new Uint8Array(count).fill(begin === "asleep" ? 1 : 0);
    this.flushDue = new Uint8Array(count);
    this.processes = Array.from({ length: count }, (_, core) => processes.begin(`core ${core}`, () => program(core)));
  }

  get length(): number {
    return this.processes.length;
  }

  isAsleep(core: number): boolean {
    return this.asleep[core] === 1;
  }

  /** Its work is done: the core goes on. The last thing that the load does with that event. */
  resume(core: number): void {
    this.simulation.follow();
    this.processes[core].resume();
  }

  /** There is something to do. A core that is awake will see it by itself. */
  wake(core: number): void {
    if (this.asleep[core] === 0) return;
    this.asleep[core] = 0;
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.processes[core].resume();
  }

  /** Nothing is left to do. */
  sleep(core: number): Wait {
    this.asleep[core] = 1;
    this.api.accounts.enter(core, STEP_IDLE, 0, this.simulation.now);
    return waiting;
  }

  /** Work outside of the DMA API. @param cycles a whole number */
  work(core: number, cycles: number): Wait {
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.simulation.post(cycles, this.worked, core);
    return waiting;
  }

  dmaTimer(core: number): void {
    this.flushDue[core] = 1;
    this.wake(core);
  }

  /** Whether the timer of the deferred flush has expired on this core; asked, it is the core's to do. */
  takesFlush(core: number): boolean {
    if (this.flushDue[core] === 0) return false;
    this.flushDue[core] = 0;
    return true;
  }
}

/** What keeps a server's cores busy: it counts what is done, and stops the simulation at a count. */
export interface ServerLoad {
  api: DmaApi;
  readonly cores: ServerCores;
  readonly done: number;
  stopAt: number;
}

/** Work that is not always the same: from three to five quarters of its mean, evenly. */
export const variedWork = (cycles: number, random: RandomStream): number => cycles * (0.75 + 0.5 * random.uniform());
