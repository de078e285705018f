import { contexts, type Part, parts, steps } from "./steps.js";

/** Time spent in one step within one context. */
export interface StepTime {
  context: (typeof contexts)[number];
  step: string;
  part: Part;
  what: string;
  cycles: number;
}

/**
 * Where every core's time goes. At each moment a core is in exactly one step, so the parts of a core sum to the time that passed,
 * whatever happens.
 */
export class CycleAccounts {
  private readonly size = steps.length * contexts.length;
  private readonly spent: Float64Array;
  private readonly current: Uint8Array;
  private readonly since: Float64Array;

  constructor(readonly cores: number) {
    this.spent = new Float64Array(cores * this.size);
    this.current = new Uint8Array(cores);
    this.since = new Float64Array(cores);
  }

  /** From now on `core` is in `step` of `context`. */
  enter(core: number, step: number, context: number, now: number): void {
    this.spent[core * this.size + this.current[core]] += now - this.since[core];
    this.since[core] = now;
    this.current[core] = context * steps.length + step;
  }

  /** Brings every core up to date and forgets what was before: the end of the warm-up. */
  reset(now: number): void {
    this.settle(now);
    this.spent.fill(0);
  }

  /** Brings every core up to date. */
  settle(now: number): void {
    for (let core = 0; core < this.cores; core++) {
      this.spent[core * this.size + this.current[core]] += now - this.since[core];
      this.since[core] = now;
    }
  }

  /** Cycles over all cores by part (settle first). */
  byPart(): Record<Part, number> {
    const total = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
    for (let i = 0; i < this.spent.length; i++) total[steps[(i % this.size) % steps.length].part] += this.spent[i];
    return total;
  }

  /** Cycles over all cores by context and step, those with any time (settle first). */
  byStep(): StepTime[] {
    const rows: StepTime[] = [];
    for (let i = 0; i < this.size; i++) {
      let cycles = 0;
      for (let core = 0; core < this.cores; core++) cycles += this.spent[core * this.size + i];
      if (cycles === 0) continue;
      const { name, part, what } = steps[i % steps.length];
      rows.push({ context: contexts[Math.floor(i / steps.length)], step: name, part, what, cycles });
    }
    return rows;
  }
}
