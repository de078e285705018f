/** A bitmap with the searches of Linux's lib/bitmap.c, on 32-bit words; every line looked at is charged. */
import { lineBytes, type Memory } from "./memory.js";

const bitsPerLine = lineBytes * 8;

export class Bitmap {
  private readonly words: Int32Array;
  private line = -1;

  constructor(
    readonly bits: number,
    private readonly memory: Memory | null,
    private readonly base: number,
  ) {
    this.words = new Int32Array(Math.ceil(bits / 32));
  }

  get(bit: number): boolean {
    return ((this.words[bit >>> 5] >>> (bit & 31)) & 1) === 1;
  }

  /** Sets or clears `count` bits from `start`. */
  fill(start: number, count: number, value: boolean): void {
    this.line = -1;
    for (let bit = start; bit < start + count; ) {
      const inWord = Math.min(32 - (bit & 31), start + count - bit);
      const mask = (inWord === 32 ? -1 : (1 << inWord) - 1) << (bit & 31);
      this.charge(bit, true);
      if (value) this.words[bit >>> 5] |= mask;
      else this.words[bit >>> 5] &= ~mask;
      bit += inWord;
    }
  }

  /** Whether all `count` bits from `start` have this value. */
  all(start: number, count: number, value: boolean): boolean {
    const other = this.next(!value, start, start + count, false);
    return other >= start + count;
  }

  /** Bits that are set. */
  count(): number {
    let sum = 0;
    for (let word of this.words) for (; word !== 0; word &= word - 1) sum++;
    return sum;
  }

  /**
   * First free area of `count` bits at or after `start`, below `end`, its index a multiple of `alignment` (a power of two)
   * (bitmap_find_next_zero_area).
   * @returns the index, or −1
   */
  findZeroArea(end: number, start: number, count: number, alignment: number): number {
    this.line = -1;
    let from = start;
    for (;;) {
      const index = Math.ceil(this.next(false, from, end, true) / alignment) * alignment;
      if (index + count > end) return -1;
      const set = this.next(true, index, index + count, true);
      if (set >= index + count) return index;
      from = set + 1;
    }
  }

  /** First bit of this value in [start, end), or end. */
  private next(value: boolean, start: number, end: number, charged: boolean): number {
    if (start >= end) return end;
    const flip = value ? 0 : -1;
    let word = start >>> 5;
    if (charged) this.charge(start, false);
    let found = (this.words[word] ^ flip) & (-1 << (start & 31));
    while (found === 0) {
      word++;
      if (word * 32 >= end) return end;
      if (charged) this.charge(word * 32, false);
      found = this.words[word] ^ flip;
    }
    const bit = word * 32 + 31 - Math.clz32(found & -found);
    return bit < end ? bit : end;
  }

  /** One access for each line, not for each word. */
  private charge(bit: number, write: boolean): void {
    if (this.memory === null) return;
    const line = Math.floor(bit / bitsPerLine);
    if (line === this.line) return;
    this.line = line;
    if (write) this.memory.write(this.base + line * lineBytes);
    else this.memory.read(this.base + line * lineBytes);
  }
}
