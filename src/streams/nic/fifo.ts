/** Numbers, first in, first out, in a ring that grows. */
export class Fifo {
  private items = new Float64Array(16);
  private head = 0;
  /** How many there are. */
  length = 0;

  /** Adds one at the end. */
  push(item: number): void {
    const { items } = this;
    if (this.length === items.length) {
      const grown = new Float64Array(items.length * 2);
      for (let i = 0; i < this.length; i++) grown[i] = items[(this.head + i) & (items.length - 1)];
      this.items = grown;
      this.head = 0;
    }
    this.items[(this.head + this.length) & (this.items.length - 1)] = item;
    this.length++;
  }

  /** The first one, without taking it. */
  peek(): number {
    return this.items[this.head];
  }

  /** Takes the first one; only where there is one. */
  shift(): number {
    const item = this.items[this.head];
    this.head = (this.head + 1) & (this.items.length - 1);
    this.length--;
    return item;
  }
}
