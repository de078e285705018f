/**
 * Where time went, as folded stacks: one line a stack, its frames from the outermost joined by semicolons, then the ticks spent in its last
 * frame. It is what flame graph tools read (Gregg's `flamegraph.pl`, speedscope, inferno).
 */
export class FoldedStacks {
  private readonly ticks = new Map<string, number>();

  /**
   * Charges ticks to a stack.
   * @param frames outermost first; a semicolon in a name becomes a comma, a line break a space
   * @param ticks whole, 0 or more
   */
  charge(frames: readonly string[], ticks: number): void {
    if (!(ticks >= 0)) throw new RangeError(`Ticks are 0 or more; got ${ticks} for ${frames.join(" > ")}.`);
    const stack = frames.map((frame) => frame.replaceAll(";", ",").replaceAll(/\s*[\r\n]+\s*/g, " ")).join(";");
    this.ticks.set(stack, (this.ticks.get(stack) ?? 0) + ticks);
  }

  /** All ticks charged. */
  get total(): number {
    let sum = 0;
    for (const ticks of this.ticks.values()) sum += ticks;
    return sum;
  }

  /** The file's text, stacks in alphabetical order. */
  toText(): string {
    const lines = [...this.ticks].filter(([, ticks]) => ticks > 0).map(([stack, ticks]) => `${stack} ${ticks}`);
    // By code units: what localeCompare says depends on the machine's language.
    return lines
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      .map((line) => `${line}\n`)
      .join("");
  }
}
