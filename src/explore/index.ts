/**
 * A small exhaustive state explorer (an explicit-state model checker).
 *
 * A {@link Model} gives initial states and successors as a few 32-bit words; {@link explore} visits every reachable state breadth first,
 * checks safety properties in each, and returns for every property that fails a shortest path to a state where it does. A model may
 * name a symmetry; then one state of each class is stored, and traces are still walked with real states.
 *
 * A program that is written as a generator, one step a yield, becomes part of a model by {@link ProgramAutomaton}.
 *
 * Invariants: states are numbered in the order found, so the same model gives the same numbers; a complete exploration has visited the
 * whole closure of the successor function; nothing is sampled and no state is dropped on a hash collision (full states are compared).
 */
export { ProgramAutomaton, type ProgramStep } from "./automaton.js";
export { type ExploreOptions, explore, formatTrace } from "./explorer.js";
export type { Exploration, Model, Property, Step, Violation } from "./model.js";
