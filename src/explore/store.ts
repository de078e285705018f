/**
 * The set of states found so far, in the order they were found, with the state that first led to each.
 *
 * Typed arrays throughout: the words of state i stand at i × words; an open-addressing table of indices finds a state by its hash. This
 * trades a rehash at each doubling for no object a state (`npm run bench:mce` shows states a second and bytes a state).
 */
export class StateStore {
  readonly words: number;
  count = 0;
  #states: Uint32Array;
  #parents: Int32Array;
  /** Index + 1 of the state in each slot; 0 is empty. */
  #table: Uint32Array;
  #mask: number;

  constructor(words: number, capacity = 1024) {
    if (!Number.isInteger(words) || words < 1)
      throw new Error(`A state has ${words} words; it must have at least one.`);
    this.words = words;
    this.#states = new Uint32Array(capacity * words);
    this.#parents = new Int32Array(capacity);
    this.#table = new Uint32Array(capacity * 2);
    this.#mask = capacity * 2 - 1;
  }

  /** Adds a state and returns its index, or -1 when it is known already. */
  add(state: Uint32Array, parent: number): number {
    if (this.count === this.#parents.length) this.#grow();
    const slot = this.#slotOf(state);
    if (this.#table[slot] !== 0) return -1;
    const index = this.count++;
    this.#table[slot] = index + 1;
    const base = index * this.words;
    for (let w = 0; w < this.words; w++) this.#states[base + w] = state[w];
    this.#parents[index] = parent;
    return index;
  }

  has(state: Uint32Array): boolean {
    return this.#table[this.#slotOf(state)] !== 0;
  }

  read(index: number, into: Uint32Array): void {
    const base = index * this.words;
    for (let w = 0; w < this.words; w++) into[w] = this.#states[base + w];
  }

  parent(index: number): number {
    return this.#parents[index];
  }

  /** Bytes held by the arrays. */
  get bytes(): number {
    return this.#states.byteLength + this.#parents.byteLength + this.#table.byteLength;
  }

  /** The slot that holds the state, or the empty one where it belongs. */
  #slotOf(state: Uint32Array): number {
    const { words } = this;
    const states = this.#states;
    const table = this.#table;
    const mask = this.#mask;
    let slot = hash(state, words) & mask;
    for (;;) {
      const entry = table[slot];
      if (entry === 0) return slot;
      const base = (entry - 1) * words;
      let w = 0;
      while (w < words && states[base + w] === state[w]) w++;
      if (w === words) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const capacity = this.#parents.length * 2;
    const states = new Uint32Array(capacity * this.words);
    states.set(this.#states);
    this.#states = states;
    const parents = new Int32Array(capacity);
    parents.set(this.#parents);
    this.#parents = parents;
    this.#table = new Uint32Array(capacity * 2);
    this.#mask = capacity * 2 - 1;
    const state = new Uint32Array(this.words);
    for (let index = 0; index < this.count; index++) {
      this.read(index, state);
      let slot = hash(state, this.words) & this.#mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#table[slot] = index + 1;
    }
  }
}

/** A mixing hash of the words: each is multiplied by an odd constant and its high bits are folded down (the finaliser of MurmurHash3). */
function hash(state: Uint32Array, words: number): number {
  let h = 0x9747b28c;
  for (let w = 0; w < words; w++) {
    h = Math.imul(h ^ state[w], 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}
