import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/*
 * What people expect of a TypeScript kernel and have missed in one or another, what is given here, and the test that holds it: so that no such
 * expectation is without one. `refused`: by design, in a sentence that says what to do instead.
 */

const cases = "cells/cases.ts";
const page = "../src/cells/SEMANTICS.md";
const asking = "jupyter/asking.test.ts";
const assistance = "jupyter/assistance.test.ts";
const quick = "cells/quick.test.ts";

type Row = [kind: string, what: string, given: "works" | "refused", ...tests: [file: string, title: string][]];

const rows: Row[] = [
  ["await", "an async function called at once", "works", [cases, "a function that is called at once"]],
  ["await", "await (await …)", "works", [cases, "twice in a row"]],
  ["scope", "a function shares its cell's variable", "works", [page, "a function and later cells share a variable"]],
  [
    "scope",
    "a redefined function",
    "works",
    [page, "a function that is declared again is the new one for its callers"],
  ],
  ["scope", "a namespace in later cells", "works", [page, "namespaces"], [cases, "a namespace stays"]],
  ["scope", "declare global", "works", [page, "`declare global` is for all cells"], [cases, "the same cell twice"]],
  ["scope", "x = 1 without a declaration", "refused", [cases, "x = 1 without a declaration is an error"]],
  ["scope", "globalThis.x = 1", "works", [cases, "a property of globalThis"]],
  ["types", "const out = []", "works", [page, "an empty array may hold anything"], [cases, "an empty array"]],
  [
    "types",
    "export in front of anything",
    "works",
    [cases, "export const"],
    [cases, "export function, type, interface, class, enum"],
  ],
  ["types", "tsconfig.json beside the notebook", "works", [cases, "a tsconfig.json beside the notebook"]],
  ["types", "// @ts-nocheck", "works", [cases, "@ts-nocheck"]],
  ["types", "WebAssembly", "works", [cases, "WebAssembly"]],
  ["types", "what Node has of newer standards", "works", [cases, "methods of ES2023 and 2024"]],
  ["types", "using", "works", [cases, "using"], [cases, "await using"]],
  ["types", "standard decorators", "works", [cases, "a standard decorator"]],
  ["types", "JSX without a factory", "refused", [cases, "JSX without a factory is refused in a sentence"]],
  ["types", "__dirname, module, import.meta", "works", [cases, "the notebook's own place"]],
  ["modules", "a package without types", "works", [cases, "a package without types is any, with a hint"]],
  ["modules", "a package installed after a try", "works", [cases, "a package that is installed after a try"]],
  ["modules", "an edited module of a module", "works", [cases, "a module that a module imports"]],
  ["modules", "a path that ends in .ts", "works", [cases, ".ts endings"]],
  ["modules", "a module that awaits", "works", [cases, "a module that awaits at its top level"]],
  ["modules", "import x = require", "works", [cases, "import x = require"]],
  ["errors", "the line of a local module", "works", [cases, "a place in a local module"]],
  ["errors", "console.trace", "works", [cases, "console.trace"]],
  [
    "errors",
    "an unawaited rejection fails its cell",
    "works",
    ["jupyter/late.test.ts", "a promise that nobody waits for"],
  ],
  [
    "errors",
    "and the run",
    "works",
    ["site/late.test.ts", "an error of a promise that nobody waits for is stored under its cell, and fails the run"],
  ],
  [
    "errors",
    "an unterminated text has a place in the cell",
    "works",
    [cases, "an unterminated template"],
    [cases, "an unclosed bracket"],
  ],
  [
    "execute",
    "an error in a timer after its cell",
    "works",
    ["site/late.test.ts", "an error that comes after its cell has ended is stored under it, and fails the run"],
  ],
  ["output", "lab.html as the last line", "works", [cases, "lab.html as the last line is only the HTML"]],
  [
    "output",
    "a semicolon suppresses",
    "works",
    [cases, "a semicolon suppresses"],
    [cases, "a semicolon suppresses what a timer is as well"],
  ],
  ["output", "a function's own name", "works", [cases, "a function"], [cases, "a named function and a class"]],
  [
    "output",
    "a text beside a bundle",
    "works",
    [cases, "a picture's bytes, with a text beside it"],
    [cases, "what is no text by its media type, with a text beside it"],
  ],
  ["stdin", "prompt, confirm, alert", "works", [asking, "prompt, confirm and alert ask while everything waits"]],
  [
    "console",
    "is_complete at once after the start",
    "works",
    [
      assistance,
      "while the compiler is still loading, whether a cell is complete and what could stand there are answered all the same",
    ],
  ],
  [
    "console",
    "is_complete of strings, regular expressions, export",
    "works",
    [quick, "%j is %s: said by the compiler, and at once without it"],
  ],
  [
    "completion",
    "inside of import, require and import()",
    "works",
    [assistance, "knows %s, and where it stands"],
    [assistance, "of a request that makes no sense is an error with all its fields"],
  ],
  [
    "inspect",
    "an unknown name, a type alone",
    "works",
    [assistance, "of %j finds nothing"],
    [assistance, "a type that stands alone"],
  ],
  [
    "papermill",
    "-p alpha 5",
    "works",
    ["lab/papermill.test.ts", "papermill finds the translator by an entry point among the environment's packages"],
    ["lab/papermill.test.ts", "papermill's parameters are declarations that a cell takes"],
  ],
  [
    "magics",
    "%time, !ls, name?, %%html",
    "refused",
    [quick, "a cell with %j is told what to do instead"],
    [asking, "a command of another kernel gets a sentence"],
  ],
  ["history", "_ and Out[1]", "works", [asking, "_ is the latest result, and Out has them by the cells' numbers"]],
  ["language", "20,000 terms in one line", "works", [cases, "20,000 terms in one expression"]],
  [
    "start",
    "the first cell from a snapshot, or without one",
    "works",
    ["cells/snapshot.test.ts", "where a snapshot cannot be used, cells run after a cold start"],
  ],
  ["start", "the first cell on a busy machine is answered", "works", ["soak/kernel.mjs", "interrupts,wire,starts"]],
];

const texts = new Map<string, string>();
function textOf(file: string): string {
  const text = texts.get(file) ?? readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  texts.set(file, text);
  return text;
}

it.each(rows)("%s: %s (%s) has its test", (_kind, _what, _given, ...tests) => {
  expect(tests.length).toBeGreaterThan(0);
  const forms = (title: string) => [`"${title}"`, `| ${title} |`];
  for (const [file, title] of tests)
    expect(
      forms(title).some((form) => textOf(file).includes(form)),
      `${file}: ${title}`,
    ).toBe(true);
});
