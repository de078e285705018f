/** Which table pages there are, and what has become of a state that can not go on. */
export const ERRORS: readonly string[] = [
  "",
  "a CPU used a table page after it was freed",
  "the walker used a table page after it was freed",
];
export const CPU_USED_FREED = 1;
export const WALKER_USED_FREED = 2;

/** Status of a table page: free, in use, or retired and waiting for the CPUs of a mask (RETIRED + mask). */
export const FREE = 0;
export const IN_USE = 1;
export const RETIRED = 2;

/**
 * The variables of a state, each a small whole number in a list, and their bits in the packed state. Order of the list:
 * program nodes by CPU · entries (root's, then two a table page) as codes · status of the table pages · walk caches by level ·
 * the walker · IOTLB · error.
 */
export class StateLayout {
  readonly nodes = 0;
  readonly cells: number;
  readonly status: number;
  readonly caches: number;
  readonly walker: number;
  readonly iotlb: number;
  readonly error: number;
  readonly size: number;
  readonly words: number;
  readonly #word: number[] = [];
  readonly #shift: number[] = [];
  readonly #mask: number[] = [];

  constructor(
    readonly cpus: number,
    readonly frames: number,
    readonly levels: number,
  ) {
    const bits: number[] = [];
    const section = (count: number, width: number): number => {
      const first = bits.length;
      for (let i = 0; i < count; i++) bits.push(width);
      return first;
    };
    section(cpus, 16);
    this.cells = section(1 + frames * 2, 7);
    this.status = section(frames, 4);
    this.caches = section(levels - 1, 3);
    this.walker = section(1, 6);
    this.iotlb = section(1, 2);
    this.error = section(1, 2);
    this.size = bits.length;
    let word = 0;
    let used = 0;
    for (const width of bits) {
      if (used + width > 32) {
        word++;
        used = 0;
      }
      this.#word.push(word);
      this.#shift.push(used);
      this.#mask.push((1 << width) - 1);
      used += width;
    }
    this.words = word + 1;
  }

  /** Packs the variables. @throws Error where one does not fit its bits */
  pack(values: Int32Array, out: Uint32Array): void {
    out.fill(0, 0, this.words);
    for (let i = 0; i < this.size; i++) {
      if ((values[i] & ~this.#mask[i]) !== 0)
        throw new Error(`variable ${i} of a state is ${values[i]}; ${this.#mask[i]} is the most that fits`);
      out[this.#word[i]] |= values[i] << this.#shift[i];
    }
  }

  unpack(state: Uint32Array, into: Int32Array): void {
    for (let i = 0; i < this.size; i++) into[i] = (state[this.#word[i]] >>> this.#shift[i]) & this.#mask[i];
  }
}
