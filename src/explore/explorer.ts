import type { Exploration, Model, Property, Step, Violation } from "./model.js";
import { StateStore } from "./store.js";

/** Bounds and listeners of an exploration. */
export interface ExploreOptions {
  /** Properties to check in every state. */
  properties?: readonly Property[];
  /** Stop, incomplete, when this many states are stored. Default 20 million. */
  maxStates?: number;
  /** Stop at the first property that fails. Otherwise each property gets its own shortest counterexample. Default false. */
  stopAtFirst?: boolean;
  /** Called after every `progressEvery` expanded states; return false to stop there. */
  onProgress?: (expanded: number, found: number) => boolean | undefined;
  /** Default 100,000. */
  progressEvery?: number;
}

/**
 * Visits every reachable state of a model, breadth first, and checks properties in each.
 *
 * Breadth first means that the first state found to break a property is one at the smallest distance, so its trace is a shortest one.
 * States are stored in the order they are found, which makes the store itself the queue: the frontier is a range of indices.
 * @throws Error when a bound is not a positive whole number.
 * @example explore(peterson, { properties: [mutualExclusion] }).violations // []
 */
export function explore(model: Model, options: ExploreOptions = {}): Exploration {
  const { properties = [], maxStates = 20_000_000, stopAtFirst = false, onProgress, progressEvery = 100_000 } = options;
  if (!Number.isInteger(maxStates) || maxStates < 1) {
    throw new Error(`explore: maxStates is ${maxStates}; it must be a whole number of at least 1.`);
  }
  if (!Number.isInteger(progressEvery) || progressEvery < 1) {
    throw new Error(`explore: progressEvery is ${progressEvery}; it must be a whole number of at least 1.`);
  }
  const { words } = model;
  const store = new StateStore(words);
  const current = new Uint32Array(words);
  const out = new Uint32Array(words);
  const broken = new Int32Array(properties.length).fill(-1);
  let brokenCount = 0;
  let transitions = 0;
  let parent = -1;
  let full = false;

  const check = (index: number): void => {
    for (let p = 0; p < properties.length; p++) {
      if (broken[p] < 0 && !properties[p].holds(out)) {
        broken[p] = index;
        brokenCount++;
      }
    }
  };
  // A stored state that a step leads to again is the common case: nothing is allocated for it.
  const emit = (): void => {
    if (parent >= 0) transitions++;
    if (model.canonical) model.canonical(out);
    if (store.count >= maxStates && !store.has(out)) {
      full = true;
      return;
    }
    const index = store.add(out, parent);
    if (index >= 0) check(index);
  };
  model.initial(out, emit);

  const statesByDepth: number[] = [store.count];
  let levelEnd = store.count;
  let deadlocks = 0;
  let next = 0;
  const stopped = () => full || (stopAtFirst && brokenCount > 0);
  let interrupted = false;
  while (next < store.count && !stopped() && !interrupted) {
    if (next === levelEnd) {
      statesByDepth.push(store.count - levelEnd);
      levelEnd = store.count;
    }
    store.read(next, current);
    parent = next;
    const before = transitions;
    model.next(current, out, emit);
    if (transitions === before) deadlocks++;
    next++;
    if (onProgress && next % progressEvery === 0) interrupted = onProgress(next, store.count) === false;
  }
  if (store.count > levelEnd) statesByDepth.push(store.count - levelEnd);

  const violations: Violation[] = [];
  for (let p = 0; p < properties.length; p++) {
    if (broken[p] >= 0) violations.push({ property: properties[p].name, trace: traceTo(model, store, broken[p]) });
  }
  return {
    model: model.name,
    complete: next === store.count && !full && !interrupted,
    states: store.count,
    transitions,
    statesByDepth,
    deadlocks,
    bytes: store.bytes,
    violations,
  };
}

/**
 * The path from an initial state to a stored one. With a symmetry the stored states are representatives; the path is then walked again
 * with real states, taking at each step a successor whose representative is the stored one, so that names stay the same along the trace.
 */
function traceTo(model: Model, store: StateStore, target: number): Step[] {
  const path: number[] = [];
  for (let index = target; index >= 0; index = store.parent(index)) path.unshift(index);
  const { words } = model;
  const wanted = new Uint32Array(words);
  const out = new Uint32Array(words);
  const representative = new Uint32Array(words);
  const same = (): boolean => {
    representative.set(out);
    if (model.canonical) model.canonical(representative);
    return representative.every((word, i) => word === wanted[i]);
  };
  const steps: Step[] = [];
  for (const [depth, index] of path.entries()) {
    store.read(index, wanted);
    let found: Uint32Array | undefined;
    let by = 0;
    const take = (action: number): void => {
      if (!found && same()) {
        found = out.slice();
        by = action;
      }
    };
    const before = steps.at(-1)?.state;
    if (depth === 0) model.initial(out, () => take(0));
    else model.next(before as Uint32Array, out, take);
    if (!found)
      throw new Error(
        `explore: ${model.name}: no successor leads on; its symmetry or successor function is not consistent.`,
      );
    steps.push({
      action: before ? model.actionName(by, before) : "",
      state: found,
      description: model.describe(found),
    });
  }
  return steps;
}

/** A trace as text: one numbered line a step, the action before the state it leads to. */
export function formatTrace(trace: readonly Step[]): string {
  const width = String(trace.length - 1).length;
  return trace
    .map(
      ({ action, description }, i) =>
        `${String(i).padStart(width)}  ${action === "" ? "(start)" : action}\n${" ".repeat(width)}    ${description}`,
    )
    .join("\n");
}
