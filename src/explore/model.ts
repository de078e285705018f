/**
 * A finite transition system, given by its initial states and a successor function.
 *
 * A state is a fixed number of 32-bit words. The model packs its variables into them as it likes; the explorer only compares, hashes
 * and stores words.
 */
export interface Model {
  readonly name: string;
  /** 32-bit words a state. */
  readonly words: number;
  /** Writes each initial state into `out` and calls `emit` after each. */
  initial(out: Uint32Array, emit: () => void): void;
  /**
   * Writes each successor of `state` into `out` and calls `emit` with the number of the action that leads there.
   * `state` must not be changed; `out` may hold anything at the call and must be written in full before each `emit`.
   */
  next(state: Uint32Array, out: Uint32Array, emit: (action: number) => void): void;
  /**
   * Replaces a state by the representative of its symmetry class, in place. States of one class must have corresponding successors and
   * agree on every property.
   */
  canonical?(state: Uint32Array): void;
  /** The name of an action, in words, as it stands in a trace. */
  actionName(action: number, before: Uint32Array): string;
  /** A state in words, one line. */
  describe(state: Uint32Array): string;
}

/** Something that should hold in every reachable state. */
export interface Property {
  name: string;
  /** Whether it is true in this state. */
  holds(state: Uint32Array): boolean;
}

/** One step of a counterexample: the action taken (empty for the initial state) and the state it leads to. */
export interface Step {
  action: string;
  state: Uint32Array;
  description: string;
}

/** A property that fails, with a shortest path from an initial state to a state where it does. */
export interface Violation {
  property: string;
  trace: Step[];
}

/** What an exploration found. */
export interface Exploration {
  model: string;
  /** True when every reachable state was visited: what holds then holds in all of them. */
  complete: boolean;
  /** Distinct states found (classes of states, where the model has a symmetry). */
  states: number;
  /** Transitions taken, including those that lead to states already known. */
  transitions: number;
  /** Number of states at each distance from the initial states. */
  statesByDepth: number[];
  /** States without a successor. */
  deadlocks: number;
  /** Bytes that the set of states holds. */
  bytes: number;
  violations: Violation[];
}
