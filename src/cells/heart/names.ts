/**
 * The names of a session: one place a name.
 *
 * Compiled code does not hold a top-level name as a variable but as a box, and reads and writes the box at every use. All cells, functions,
 * closures, timers and classes share the boxes of a session, whichever cell declared the name: so there is one variable and one value.
 *
 * Declaring a name again keeps the box and replaces what it holds. Between the start of a cell and its declaration the name has no value, as
 * in JavaScript (the "temporal dead zone"); where the cell ends before it comes to the declaration, the old value is back.
 */

/** How a name is declared. `import` and `function` have their value from the start of the cell. */
export type NameKind = "let" | "const" | "class" | "var" | "function" | "import";

/** What a box held before the running cell declared its name again. */
type Held = PropertyDescriptor | undefined;

/**
 * The place of one name.
 *
 * `v` is its value; while there is none, the accessor of the prototype throws. It is always the last property, so that taking it away and
 * adding it again leaves the engine's fast representation in place (`npm run bench:kernel` measures it).
 */
export class Box {
  /** The value. */
  declare v: unknown;

  /** @param name the name as in the cell, for error messages */
  constructor(readonly name: string) {}

  /** Initialises a `let`, a class or a function. */
  set i(value: unknown) {
    Object.defineProperty(this, "v", { value, writable: true, enumerable: true, configurable: true });
  }

  /** Initialises a `const`: strict code that assigns to it throws a TypeError. */
  set c(value: unknown) {
    Object.defineProperty(this, "v", { value, writable: false, enumerable: true, configurable: true });
  }

  /** Initialises an imported name: its value is what the module exports now, whenever it is read. */
  live(get: () => unknown): void {
    Object.defineProperty(this, "v", { get, enumerable: true, configurable: true });
  }

  /** What it holds, to be put back; undefined where it has no value. */
  hold(): Held {
    return Object.getOwnPropertyDescriptor(this, "v");
  }

  /** Takes the value away: reading and assigning throw until it is initialised. */
  empty(): void {
    delete (this as { v?: unknown }).v;
  }

  /** Puts back what {@link Box.hold} gave. */
  restore(held: Held): void {
    if (held) Object.defineProperty(this, "v", held);
    else this.empty();
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
    return [...this.boxes.values()].filter((box) => box.hold() !== undefined).map(({ name }) => name);
  }

  /**
   * Begins a cell: what it declares has no value until it is declared.
   * @param declares the names that the cell declares, with the kind of their declaration
   * @returns what ends the cell: gives the names back that have a value from it, and their old values to the others
   */
  begin(declares: Readonly<Record<string, NameKind>>): () => string[] {
    const before = new Map<Box, Held>();
    for (const [name, kind] of Object.entries(declares)) {
      const box = this.box(name);
      const held = box.hold();
      before.set(box, held);
      // A `var` that is declared again keeps its value, as in JavaScript; one that was a constant or an import becomes a variable.
      if (kind === "var") box.i = held === undefined ? undefined : (box.v as unknown);
      else box.empty();
    }
    return () => {
      const assigned: string[] = [];
      for (const [box, held] of before) {
        if (box.hold() !== undefined) assigned.push(box.name);
        else box.restore(held);
      }
      return assigned;
    };
  }
}
