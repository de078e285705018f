/**
 * The set of states found so far, in the order they were found, with the state that first led to each.
 *
 * Typed arrays throughout: the words of state i stand at i × words; an open-addressing table finds a state by its hash.
 * The table holds the words beside the index, so that a look-up, which mostly finds a state known already, reads one place of memory
 * and not two; that trades bytes for time, as `npm run bench:mce` shows.
 */
export class StateStore {
  readonly words: number;
  count = 0;
  #states: Uint32Array;
  #parents: Int32Array;
  /** In each slot the words of a state, then its index + 1; 0 there is an empty slot. */
  #table: Uint32Array;
  #mask: number;
  /** Words of states seen lately, by hash: the orders in which independent steps interleave lead to the same states again and soon. */
  readonly #recent: Uint32Array;

  constructor(words: number, capacity = 1024) {
    if (!Number.isInteger(words) || words < 1)
      throw new Error(`A state has ${words} words; it must have at least one.`);
    this.words = words;
    this.#states = new Uint32Array(capacity * words);
    this.#parents = new Int32Array(capacity);
    this.#table = new Uint32Array(capacity * 2 * (words + 1));
    this.#mask = capacity * 2 - 1;
    this.#recent = new Uint32Array((1 << 16) * words);
  }

  /** Adds a state and returns its index, or -1 when it is known already. */
  add(state: Uint32Array, parent: number): number {
    if (this.count === this.#parents.length) this.#grow();
    const { words } = this;
    const hashed = hash(state, words);
    // All-zero words may be an empty place: such a state goes the long way.
    const recent = this.#recent;
    const place = (hashed >>> 16) * words;
    let w = 0;
    let any = 0;
    while (w < words && recent[place + w] === state[w]) any |= state[w++];
    if (w === words && any !== 0) return -1;
    for (w = 0; w < words; w++) recent[place + w] = state[w];
    const table = this.#table;
    const at = this.#slotOf(state, hashed);
    if (table[at + words] !== 0) return -1;
    const index = this.count++;
    const base = index * words;
    for (w = 0; w < words; w++) {
      table[at + w] = state[w];
      this.#states[base + w] = state[w];
    }
    table[at + words] = index + 1;
    this.#parents[index] = parent;
    return index;
  }

  has(state: Uint32Array): boolean {
    return this.#table[this.#slotOf(state, hash(state, this.words)) + this.words] !== 0;
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

  /** Where in the table the state stands, or the empty place where it belongs. */
  #slotOf(state: Uint32Array, hashed: number): number {
    const { words } = this;
    const table = this.#table;
    const mask = this.#mask;
    const stride = words + 1;
    let slot = hashed & mask;
    for (;;) {
      const at = slot * stride;
      if (table[at + words] === 0) return at;
      let w = 0;
      while (w < words && table[at + w] === state[w]) w++;
      if (w === words) return at;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const { words, count } = this;
    const capacity = this.#parents.length * 2;
    const states = new Uint32Array(capacity * words);
    states.set(this.#states);
    this.#states = states;
    const parents = new Int32Array(capacity);
    parents.set(this.#parents);
    this.#parents = parents;
    this.#table = new Uint32Array(capacity * 2 * (words + 1));
    this.#mask = capacity * 2 - 1;
    const state = new Uint32Array(words);
    for (let index = 0; index < count; index++) {
      this.read(index, state);
      const at = this.#slotOf(state, hash(state, words));
      for (let w = 0; w < words; w++) this.#table[at + w] = state[w];
      this.#table[at + words] = index + 1;
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
