/** What an expression asks for: a named value with its arguments. */
export interface Asked {
  ask(name: string, args: readonly string[]): number;
}

/**
 * The value of an expression: numbers, `+ - * /`, brackets, and calls whose arguments are plain words, in quotes where they hold a comma. Calls go to `outputs`, but for `max`, `min`, `round` and `abs`, whose arguments are expressions.
 * @throws Error naming what was not understood
 * @example evaluated("100 * (1 - point(fig-a, strict, 16) / 2)", outputs)
 */
export function evaluated(text: string, outputs: Asked): number {
  const reader = new Reader(text, outputs);
  const value = reader.sum();
  reader.end();
  if (!Number.isFinite(value)) throw new Error(`gives ${value}`);
  return value;
}

const arithmetic: Readonly<Record<string, (...values: number[]) => number>> = {
  max: Math.max,
  min: Math.min,
  round: Math.round,
  abs: Math.abs,
};

class Reader {
  private at = 0;
  constructor(
    private readonly text: string,
    private readonly outputs: Asked,
  ) {}

  sum(): number {
    let value = this.product();
    for (;;) {
      if (this.take("+")) value += this.product();
      else if (this.take("-")) value -= this.product();
      else return value;
    }
  }

  private product(): number {
    let value = this.factor();
    for (;;) {
      if (this.take("*")) value *= this.factor();
      else if (this.take("/")) value /= this.factor();
      else return value;
    }
  }

  private factor(): number {
    if (this.take("-")) return -this.factor();
    if (this.take("(")) {
      const value = this.sum();
      this.expect(")");
      return value;
    }
    const number = this.match(/\d+(?:\.\d+)?/y);
    if (number !== undefined) return Number(number);
    const name = this.match(/[a-z]+/y);
    if (name === undefined) this.fail("a number, a call or a bracket");
    this.expect("(");
    return Object.hasOwn(arithmetic, name) ? this.computed(arithmetic[name]) : this.outputs.ask(name, this.words());
  }

  private computed(of: (...values: number[]) => number): number {
    const values = [this.sum()];
    while (this.take(",")) values.push(this.sum());
    this.expect(")");
    return of(...values);
  }

  private words(): string[] {
    const words: string[] = [];
    do {
      const quoted = this.match(/'[^']*'/y);
      words.push(quoted === undefined ? this.bare() : quoted.slice(1, -1));
    } while (this.take(","));
    this.expect(")");
    return words;
  }

  /** A word without quotes: up to a comma or a bracket that closes none of its own. */
  private bare(): string {
    const from = this.at;
    for (let depth = 0; this.at < this.text.length; this.at++) {
      const sign = this.text[this.at];
      if (depth === 0 && (sign === "," || sign === ")")) break;
      if (sign === "(") depth++;
      if (sign === ")") depth--;
    }
    return this.text.slice(from, this.at).trim();
  }

  end(): void {
    this.skip();
    if (this.at < this.text.length) this.fail("the end");
  }

  private skip(): void {
    while (this.text[this.at] === " ") this.at++;
  }

  private take(sign: string): boolean {
    this.skip();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) this.fail(`"${sign}"`);
  }

  private match(pattern: RegExp): string | undefined {
    this.skip();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    return found;
  }

  private fail(wanted: string): never {
    throw new Error(`expected ${wanted} at "${this.text.slice(this.at, this.at + 20)}"`);
  }
}
