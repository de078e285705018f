/**
 * A hash index from whole numbers below 2^53 to small slot numbers, for the hot path of translation.
 * Open addressing with linear probing and backward-shift deletion in typed arrays: no objects a lookup (npm run bench:pages shows the gain).
 */
export class KeyIndex {
  private readonly keys: Float64Array;
  private readonly slots: Int32Array;
  private readonly mask: number;

  /** @param capacity how many keys it must hold at once */
  constructor(capacity: number) {
    let size = 8;
    while (size < capacity * 2) size *= 2;
    this.keys = new Float64Array(size);
    this.slots = new Int32Array(size).fill(-1);
    this.mask = size - 1;
  }

  private home(key: number): number {
    const high = (key / 4294967296) | 0;
    let h = Math.imul((key | 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    h ^= h >>> 15;
    return h & this.mask;
  }

  /** The slot of a key, or -1. */
  get(key: number): number {
    let at = this.home(key);
    while (this.slots[at] >= 0) {
      if (this.keys[at] === key) return this.slots[at];
      at = (at + 1) & this.mask;
    }
    return -1;
  }

  /** Adds a key that is not there yet. */
  add(key: number, slot: number): void {
    let at = this.home(key);
    while (this.slots[at] >= 0) at = (at + 1) & this.mask;
    this.keys[at] = key;
    this.slots[at] = slot;
  }

  /** Removes a key that is there; does nothing otherwise. */
  remove(key: number): void {
    let at = this.home(key);
    while (this.slots[at] >= 0 && this.keys[at] !== key) at = (at + 1) & this.mask;
    if (this.slots[at] < 0) return;
    let hole = at;
    for (let next = (at + 1) & this.mask; this.slots[next] >= 0; next = (next + 1) & this.mask) {
      const home = this.home(this.keys[next]);
      // The entry may fill the hole only if its home is not between the hole and where it stands.
      if (((next - home) & this.mask) >= ((next - hole) & this.mask)) {
        this.keys[hole] = this.keys[next];
        this.slots[hole] = this.slots[next];
        hole = next;
      }
    }
    this.slots[hole] = -1;
  }

  /** Forgets every key. */
  clear(): void {
    this.slots.fill(-1);
  }
}
