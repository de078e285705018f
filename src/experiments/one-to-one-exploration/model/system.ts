import { type Model, ProgramAutomaton, type Property } from "../../../explore/index.js";
import { Hardware } from "./hardware.js";
import { PAGES, SmallMemory } from "./memory.js";
import { mapUnmapPairs, type ProcessStep } from "./process.js";
import { oneToOneProperties } from "./properties.js";
import { CPU_USED_FREED, FREE, IN_USE, RETIRED, StateLayout } from "./state.js";
import { describeHardware, describeState, describeStep, rangeName } from "./text.js";
import { smallDesign } from "./variants.js";
import type { OneToOneSystem, StateView } from "./view.js";

/** Where the actions of the hardware begin; below stand those of the CPUs: CPU × 16 + result. */
const HARDWARE = 64;

const bound = (name: string, value: number, from: number, to: number): void => {
  if (!Number.isInteger(value) || value < from || value > to)
    throw new Error(`${name} is ${value}; it must be a whole number from ${from} to ${to}.`);
};

/**
 * Dynamic 1:1 on a few CPUs as a transition system: every step of every program, and the hardware that walks, caches and is told to forget.
 *
 * - A CPU's step is one access. Which range it maps is left open.
 * - An invalidation is executed when no walk is under way; until then its CPU waits.
 * - A retired table page is free as soon as its grace period allows; the lowest free page is taken next.
 * - What only its own CPU can see is done together with the step before it: taking and giving back a page that nobody else knows, and
 *   retiring one. The beginning of an operation is done together with its first read. Each of these is least safe the earlier it comes.
 *
 * States are counted as they are: no symmetry is used.
 */
export class OneToOneModel implements Model, StateView {
  readonly name: string;
  readonly words: number;
  readonly layout: StateLayout;
  readonly memory: SmallMemory;
  readonly hardware: Hardware;
  readonly #programs: ProgramAutomaton<ProcessStep>[];
  readonly #values: Int32Array;
  readonly #next: Int32Array;
  /** What was done, in words, while an action is done once more for its name. */
  #log: string[] | undefined;

  /**
   * @param places take what the programs say they know for all that they know; without it every history is a state of its own
   * @throws Error naming a bound that is out of range
   */
  constructor(
    readonly system: OneToOneSystem,
    places = true,
  ) {
    const { variant, cpus, pairs, ranges, levels } = system;
    bound("cpus", cpus, 1, 3);
    bound("pairs", pairs, 1, 3);
    bound("levels", levels, 2, 3);
    if (ranges.length < 1 || ranges.length > 3) throw new Error("ranges: one to three are accepted.");
    for (const { page, pages } of ranges)
      if (page < 0 || pages < 1 || page + pages > PAGES)
        throw new Error(`ranges: ${pages} pages from page ${page}; the table has the pages 0 and 1.`);
    this.name = `dynamic 1:1, ${variant.name}`;
    // Each CPU can hold a page that it has not linked; linked and retired ones come beside them.
    this.layout = new StateLayout(cpus, Math.min(7, (cpus + 1) * (levels - 1) + 1), levels);
    this.words = this.layout.words;
    this.memory = new SmallMemory(this.layout);
    this.hardware = new Hardware(this.memory);
    this.#values = new Int32Array(this.layout.size);
    this.#next = new Int32Array(this.layout.size);
    const table = { design: smallDesign(variant, levels), root: 0 };
    this.#programs = Array.from(
      { length: cpus },
      (_, cpu) => new ProgramAutomaton(() => mapUnmapPairs(table, cpu, ranges, pairs, places)),
    );
  }

  initial(out: Uint32Array, emit: () => void): void {
    this.layout.pack(this.#values.fill(0), out);
    emit();
  }

  next(state: Uint32Array, out: Uint32Array, emit: (action: number) => void): void {
    const { layout } = this;
    const values = this.#values;
    const next = this.#next;
    layout.unpack(state, values);
    if (values[layout.error] !== 0) return;
    for (let cpu = 0; cpu < this.system.cpus; cpu++) {
      const step = this.stepOf(values, cpu);
      const choices = step?.kind === "choose" ? this.system.ranges.length : 1;
      for (let choice = 0; choice < choices; choice++) {
        next.set(values);
        if (!this.#run(cpu, choice)) continue;
        layout.pack(next, out);
        emit(cpu * 16 + choice);
      }
    }
    const { actions } = this.hardware;
    for (let i = 0; i < actions.length; i++) {
      next.set(values);
      if (!this.hardware.act(actions[i], next)) continue;
      layout.pack(next, out);
      emit(HARDWARE + i);
    }
  }

  /** The step that a CPU's program waits for in a state, or undefined where it has ended. */
  stepOf(values: Int32Array, cpu: number): ProcessStep | undefined {
    return this.#programs[cpu].step(values[cpu]);
  }

  /** Whether a CPU is inside an operation. */
  inside(values: Int32Array, cpu: number): boolean {
    const step = this.stepOf(values, cpu);
    return step !== undefined && step.kind !== "choose" && step.kind !== "hold";
  }

  /** A CPU goes on, into `next`. @returns false where it has ended or has to wait */
  #run(cpu: number, choice: number): boolean {
    const next = this.#next;
    let step = this.stepOf(next, cpu);
    if (step === undefined || (step.kind === "flush" && !this.hardware.idle(next))) return false;
    if (step.kind === "choose" || step.kind === "hold") {
      const { ranges } = this.system;
      this.#log?.push(
        step.kind === "choose" ? `map ${rangeName(ranges[choice])}` : `unmap ${rangeName(ranges[step.range])}`,
      );
      this.#advance(cpu, choice);
      step = this.stepOf(next, cpu);
    }
    while (step !== undefined && this.#execute(cpu, step)) {
      step = this.stepOf(next, cpu);
      if (step?.kind !== "allocate" && step?.kind !== "free" && step?.kind !== "retire") break;
    }
    return true;
  }

  /** One step of a CPU's program, into `next`. @returns false where it ends in an error */
  #execute(cpu: number, step: ProcessStep): boolean {
    const { layout, memory } = this;
    const next = this.#next;
    this.#log?.push(describeStep(this, next, step));
    let result = 0;
    switch (step.kind) {
      case "read":
      case "exchange":
        if (!memory.usable(next, step.at)) {
          next[layout.error] = CPU_USED_FREED;
          return false;
        }
        result = memory.read(next, step.at);
        if (step.kind === "exchange" && result === step.expected) memory.write(next, step.at, step.desired);
        break;
      case "allocate":
        result = 1;
        while (result <= layout.frames && next[layout.status + result - 1] !== FREE) result++;
        if (result > layout.frames) throw new Error(`${this.name}: ${layout.frames} table pages are too few.`);
        next[layout.status + result - 1] = IN_USE;
        break;
      case "free":
        memory.free(next, step.frame);
        break;
      case "retire": {
        let others = 0;
        for (let other = 0; other < this.system.cpus; other++)
          if (other !== cpu && this.inside(next, other)) others |= 1 << other;
        if (others === 0) memory.free(next, step.frame);
        else next[layout.status + step.frame - 1] = RETIRED + others;
        break;
      }
      case "flush":
        this.hardware.invalidate(next, step.iova, step.pages, step.leafOnly);
        break;
    }
    this.#advance(cpu, result);
    return true;
  }

  /** The program goes on; where that ends an operation, grace periods may end. */
  #advance(cpu: number, result: number): void {
    const { layout } = this;
    const next = this.#next;
    next[cpu] = this.#programs[cpu].after(next[cpu], result);
    if (this.inside(next, cpu)) return;
    for (let frame = 1; frame <= layout.frames; frame++) {
      const at = layout.status + frame - 1;
      if (next[at] <= RETIRED) continue;
      const waiting = (next[at] - RETIRED) & ~(1 << cpu);
      if (waiting === 0) this.memory.free(next, frame);
      else next[at] = RETIRED + waiting;
    }
  }

  /** What should hold in every state. */
  properties(): Property[] {
    return oneToOneProperties(this);
  }

  actionName(action: number, before: Uint32Array): string {
    const next = this.#next;
    this.layout.unpack(before, next);
    if (action >= HARDWARE) return describeHardware(this, next, this.hardware.actions[action - HARDWARE]);
    const cpu = Math.floor(action / 16);
    this.#log = [];
    this.#run(cpu, action % 16);
    const name = `CPU ${cpu}: ${this.#log.join("; ")}`;
    this.#log = undefined;
    return name;
  }

  describe(state: Uint32Array): string {
    this.layout.unpack(state, this.#values);
    return describeState(this, this.#values);
  }

  /** States that the programs were found to have, all CPUs together. */
  get programNodes(): number {
    return this.#programs.reduce((sum, program) => sum + program.size, 0);
  }
}
