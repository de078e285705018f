/** A step of a program that is to be explored. */
export interface ProgramStep {
  /**
   * Where it stands, if everything that the program will do from here on follows from this text: whatever it did before, two runs that come
   * to the same place are then one. Without it, runs are told apart by the results they were given.
   */
  readonly place?: string;
}

interface Node<S> {
  /** The step that the program waits for, or undefined where it has ended. */
  readonly step: S | undefined;
  /** Results that lead here from the start: one way of many where the node is a place. */
  readonly results: readonly number[];
  readonly next: Map<number, number>;
}

/**
 * A program, given as a generator, as the automaton that it is: a node for each state that it can be in between two of its steps.
 *
 * A generator can not be copied or put into a set of states; but it is deterministic, so the results that it was given say where it is.
 * Nodes are found when they are first asked for, by running the program again with those results, and are remembered by number: while an
 * exploration goes on, a step of a program is a look-up.
 */
export class ProgramAutomaton<S extends ProgramStep> {
  readonly #nodes: Node<S>[] = [];
  readonly #places = new Map<string, number>();

  /** @param program makes the program, always the same */
  constructor(private readonly program: () => Generator<S, void, number>) {
    this.#add([]);
  }

  /** Nodes found so far; node 0 is the start. */
  get size(): number {
    return this.#nodes.length;
  }

  /** The step that the program waits for at a node, or undefined where it has ended. */
  step(node: number): S | undefined {
    return this.#nodes[node].step;
  }

  /** The node after this one, when its step gives this result. */
  after(node: number, result: number): number {
    const { next, results } = this.#nodes[node];
    const known = next.get(result);
    if (known !== undefined) return known;
    const found = this.#add([...results, result]);
    next.set(result, found);
    return found;
  }

  #add(results: readonly number[]): number {
    const running = this.program();
    let turn = running.next();
    for (const result of results) {
      if (turn.done) throw new Error("The program has ended: it takes no further result.");
      turn = running.next(result);
    }
    const step = turn.done ? undefined : turn.value;
    const place = turn.done ? "(ended)" : turn.value.place;
    const known = place === undefined ? undefined : this.#places.get(place);
    if (known !== undefined) return known;
    const node = this.#nodes.length;
    this.#nodes.push({ step, results, next: new Map() });
    if (place !== undefined) this.#places.set(place, node);
    return node;
  }
}
