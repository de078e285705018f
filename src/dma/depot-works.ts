import type { Behaviour, Simulation, StateMachine } from "../engine/index.js";
import { delayTicks, depotDelayMs, firingTick, type Rcache6Allocator } from "../iova/index.js";
import type { Core } from "./core.js";
import { CONTEXT_FLUSH, STEP_FREE } from "./steps.js";

/** Ticks a second of the simulated kernels. */
const hz = 1000;

/**
 * The delayed works that trim the depots of Linux ≥ 6.7: a push arms a size class's work on the CPU that pushed, and some 100 ms later that CPU gives
 * one magazine back to the tree, or finds that there is nothing to do.
 */
export class DepotWorks implements StateMachine {
  private readonly kinds: number;
  /** Size classes whose work is due, by the CPU that runs it. */
  private readonly due: number[][];
  /** Outside simulated time nothing is due; what was armed then counts from the start. */
  private started = false;

  /**
   * @param tick cycles of a tick
   * @param expired told on which CPU a work is due
   */
  constructor(
    private readonly simulation: Simulation,
    private readonly allocator: Rcache6Allocator,
    private readonly tick: number,
    cores: number,
    private readonly expired: (core: number) => void,
  ) {
    this.kinds = simulation.attach(this);
    this.due = Array.from({ length: cores }, () => []);
  }

  /** Simulated time begins. */
  begin(): void {
    if (this.started) return;
    this.started = true;
    for (const { bin, cpu } of this.allocator.armedWorks()) this.arm(bin, cpu);
  }

  arm(bin: number, core: number): void {
    if (!this.started) return;
    const { now } = this.simulation;
    const at = firingTick(Math.floor(now / this.tick), delayTicks(depotDelayMs, hz), true) * this.tick;
    this.simulation.post(at - now, this.kinds, core, bin);
  }

  dispatch(_kind: number, core: number, bin: number): void {
    this.due[core].push(bin);
    this.expired(core);
  }

  /** Takes what is due on a CPU. */
  take(core: number): number[] {
    return this.due[core].splice(0);
  }

  *run(core: Core, bins: readonly number[]): Behaviour {
    core.enter(CONTEXT_FLUSH);
    for (const bin of bins) yield* this.allocator.iova_depot_work(bin, core.id, core.at(STEP_FREE));
    core.leave();
  }
}
