/**
 * The names of a session: one place a name.
 *
 * Compiled code does not hold a top-level name as a variable but as a box, and reads and writes the box at every use. All cells, functions,
 * closures, timers and classes share the boxes of a session, whichever cell declared the name: so there is one variable and one value.
 *
 * Declaring a name again keeps the box; when the declaration runs, it replaces what the box holds. A name that is declared for the first time
 * has no value before that, as in JavaScript (the "temporal dead zone").
 */

/** How a name is declared. `import` and `function` have their value from the start of the cell. */
export type NameKind = "let" | "const" | "class" | "var" | "function" | "import";

/**
 * The place of one name.
 *
 * `v` is its value; while there is none, the accessor of the prototype throws.
 */
export class Box {
  /** The value. */
  declare v: unknown;
  /** How often it was initialised. */
  times = 0;

  /** @param name the name as in the cell, for error messages */
  constructor(readonly name: string) {}

  /** Initialises a `let`, a class or a function. */
  set i(value: unknown) {
    this.times++;
    Object.defineProperty(this, "v", { value, writable: true, enumerable: true, configurable: true });
  }

  /** Initialises a `const`: strict code that assigns to it throws a TypeError. */
  set c(value: unknown) {
    this.times++;
    Object.defineProperty(this, "v", { value, writable: false, enumerable: true, configurable: true });
  }

  /** Initialises an imported name: its value is what the module exports now, whenever it is read. */
  live(get: () => unknown): void {
    this.times++;
    Object.defineProperty(this, "v", { get, enumerable: true, configurable: true });
  }

  /** Whether it has a value. */
  get isSet(): boolean {
    return Object.hasOwn(this, "v");
  }
}
Object.defineProperty(Box.prototype, "v", {
  get(this: Box) {
    throw new ReferenceError(`Cannot access '${this.name}' before initialization`);
  },
  set(this: Box) {
    throw new ReferenceError(`Cannot access '${this.name}' before initialization`);
  },
});

/** All names of a session. */
export class Names {
  private readonly boxes = new Map<string, Box>();

  /** The place of a name, made where there is none. */
  box(name: string): Box {
    let box = this.boxes.get(name);
    if (!box) this.boxes.set(name, (box = new Box(name)));
    return box;
  }

  /** Names that have a value. */
  held(): string[] {
    return [...this.boxes.values()].filter((box) => box.isSet).map(({ name }) => name);
  }

  /**
   * Begins a cell.
   * @param declares the names that the cell declares, with the kind of their declaration
   * @returns what ends the cell: gives the names that have got a value by its declarations
   */
  begin(declares: Readonly<Record<string, NameKind>>): () => string[] {
    const before = new Map<Box, number>();
    for (const [name, kind] of Object.entries(declares)) {
      const box = this.box(name);
      before.set(box, box.times);
      // A `var` is there from the start, and keeps its value, as in JavaScript; one that was a constant or an import becomes a variable.
      if (kind === "var") box.i = box.isSet ? box.v : undefined;
    }
    return () => [...before].filter(([box, times]) => box.times !== times).map(([{ name }]) => name);
  }
}
