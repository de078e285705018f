import { Session } from "node:inspector";
import vm from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadCompiler } from "../../src/cells/host/compiler.js";
import { createLanguage, type Language } from "../../src/cells/host/language.js";
import { packageRoot } from "../../src/cells/index.js";
import { fc } from "../support/property.js";
import { cellSession } from "./session.js";

/*
 * Random programs of declarations, assignments, closures and redeclarations, cut into cells at random, give what V8's own REPL mode gives
 * for the same cells without their types. V8 lets a name be declared again with the same kind only, so a name keeps its kind here. A cell
 * that fails ends the comparison: V8 then takes the names away that the cell had not come to; here they keep their old value.
 */

const inspector = new Session();
let language: Language;
let folder: string;
beforeAll(() => {
  folder = process.cwd();
  language = createLanguage(packageRoot, packageRoot, loadCompiler(packageRoot));
  inspector.connect();
});
afterAll(() => {
  inspector.disconnect();
  process.chdir(folder);
});

interface Evaluated {
  result: { value?: unknown };
  exceptionDetails?: unknown;
}

/** A session of V8's REPL mode, in a context of its own; a cell that fails gives undefined. */
async function v8Session(): Promise<(code: string) => Promise<unknown>> {
  let contextId = 0;
  const onContext = ({ params }: { params: { context: { id: number } } }) => {
    contextId = params.context.id;
  };
  inspector.on("Runtime.executionContextCreated", onContext);
  const post = (method: string, params?: object) =>
    new Promise<unknown>((resolve, reject) =>
      inspector.post(method, params, (error, value) => (error ? reject(error) : resolve(value))),
    );
  await post("Runtime.enable");
  // Held by the session: a context that nothing refers to is collected under it.
  const context = vm.createContext({});
  await post("Runtime.disable");
  inspector.off("Runtime.executionContextCreated", onContext);
  return async (code) => {
    if (!vm.isContext(context)) throw new Error("the context is gone");
    const answer = (await post("Runtime.evaluate", {
      expression: code,
      contextId,
      replMode: true,
      awaitPromise: true,
      returnByValue: true,
    })) as Evaluated;
    return answer.exceptionDetails ? undefined : answer.result.value;
  };
}

// --- programs ---

/** All names, by kind: a number of `let`, `const` and `var`, a function of a depth, an arrow function, a class. */
const numbers = ["l0", "l1", "k0", "v0", "v1"];
const functions = ["f0", "f1", "a0", "a1"];
const classes = ["C0", "C1"];

type Random = (below: number) => number;

/** Writes programs: every choice comes from the stream, so a failure is found again by its seed. */
class Writer {
  readonly declared = new Set<string>();
  /** Names that the cell at hand declares further down: outside of functions, TypeScript lets nothing use them. */
  private pending = new Set<string>();

  constructor(private readonly random: Random) {}

  private pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)];
  }

  private usable(depth: string): string[] {
    return [...this.declared].filter((name) => depth === "d" || !this.pending.has(name));
  }

  /** A number made of what is declared. Calls hand on a depth that shrinks, so they end. */
  expression(depth: string, level = 0): string {
    const known = this.usable(depth);
    const kind = this.random(level > 2 ? 2 : 6);
    const name = known.length === 0 ? undefined : this.pick(known);
    if (kind === 0 || name === undefined) return String(this.random(10));
    if (kind <= 3) {
      if (numbers.includes(name)) return name;
      if (functions.includes(name)) return `${name}(${depth} - 1)`;
      return this.pick([`${name}.s`, `new ${name}().m(${depth} - 1)`]);
    }
    const operator = this.pick(["+", "-", "*"]);
    return `((${this.expression(depth, level + 1)} ${operator} ${this.expression(depth, level + 1)}) % 997)`;
  }

  /** An assignment to what may be assigned to, or nothing. */
  assignment(depth: string): string {
    const places = this.usable(depth).filter((name) => /^[lv]/.test(name));
    const statics = this.usable(depth)
      .filter((name) => name.startsWith("C"))
      .map((name) => `${name}.s`);
    const all = [...places, ...statics];
    if (all.length === 0) return "";
    const place = this.pick(all);
    return this.pick([
      `${place} = ${this.expression(depth)};`,
      `${place} += ${this.expression(depth)};`,
      `${place}++;`,
      ...(places.length > 1 ? [`[${places[0]}, ${places[1]}] = [${places[1]}, ${places[0]}];`] : []),
      `({ x: ${place} } = { x: ${this.expression(depth)} });`,
    ]);
  }

  private body(): string {
    return `if (d <= 0) return 1; ${this.random(2) ? this.assignment("d") : ""} return ${this.expression("d")};`;
  }

  declaration(name: string): string {
    // Its own name and those of its cell may be mentioned in bodies.
    const value = this.expression("2");
    this.pending.delete(name);
    this.declared.add(name);
    switch (name[0]) {
      case "l":
        return this.random(3) ? `let ${name} = ${value};` : `let { x: ${name} = ${value} } = { x: [${value}][0] };`;
      case "k":
        return `const ${name} = ${value};`;
      case "v":
        return this.pick([
          `var ${name} = ${value};`,
          `for (var ${name} = 0; ${name} < ${this.random(4)}; ${name}++) {}`,
        ]);
      case "f":
        return `function ${name}(d: number): number { ${this.body()} }`;
      case "a":
        return `let ${name} = (d: number): number => { ${this.body()} };`;
      default:
        return `class ${name} { static s = ${value}; m(d: number): number { ${this.body()} } }`;
    }
  }

  cell(): string {
    const statements: string[] = [];
    const all = [...numbers, ...functions, ...classes];
    this.pending = new Set(Array.from({ length: 1 + this.random(3) }, () => this.pick(all)));
    // Functions have their value from the start of the cell.
    for (const name of this.pending) if (name.startsWith("f")) statements.push(this.declaration(name));
    for (const name of [...this.pending]) {
      if (this.random(2)) statements.push(this.assignment("2"));
      statements.push(this.declaration(name));
    }
    statements.push(this.assignment("2"));
    const shown = [...this.declared].map((name) =>
      functions.includes(name) ? `${name}(2)` : classes.includes(name) ? `${name}.s, new ${name}().m(2)` : name,
    );
    return `${statements.join("\n")}\nJSON.stringify([${shown.join(", ")}])`;
  }
}

it("gives what V8's REPL mode gives, for random programs cut into cells", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(0x7fffffff)), fc.integer({ min: 2, max: 6 }), async (stream, count) => {
      const writer = new Writer((below) => (stream.next().value as number) % below);
      const ours = cellSession(language);
      const theirs = await v8Session();
      const cells: string[] = [];
      for (let i = 0; i < count; i++) {
        const cell = writer.cell();
        cells.push(cell);
        const expected = await theirs(`"use strict"; ${cell.replace(/: number/g, "")}`);
        const got = await ours(cell);
        const shown = got?.startsWith("'") ? got.slice(1, -1) : undefined;
        if (shown !== expected) throw new Error(`${cells.join("\n---\n")}\ngave ${got}, in V8 ${String(expected)}`);
        if (expected === undefined) return;
        compared++;
      }
    }),
    // The same programs each time; SEED=2 RUNS=1000 tries others.
    { numRuns: Number(process.env["RUNS"] ?? 25), seed: Number(process.env["SEED"] ?? 1) },
  );
  expect(compared).toBeGreaterThan(40);
});
