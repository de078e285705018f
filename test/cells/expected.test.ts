import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";
import { cases as all } from "./cases.js";

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

/** What stands in a row of a page's table: the rule, the cells, what the last gives. */
function givenOnPage(file: string, title: string): string | undefined {
  const row = textOf(file)
    .split("\n")
    .find((line) => line.startsWith(`| ${title} |`));
  return row?.split(" | ").at(-1)?.replace(/ \|$/, "");
}

/** The statement of a file that makes the test of a title, or that has it among the cases of its test. */
function testIn(file: string, title: string): string | undefined {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): string | undefined => {
    if (ts.isStringLiteral(node) && node.text === title) {
      let above: ts.Node = node;
      while (!ts.isExpressionStatement(above) && above.parent) above = above.parent;
      return above.getText();
    }
    return ts.forEachChild(node, visit);
  };
  return visit(source);
}

const isError = /^`?TS\d+|^`?\w*Error:/;

it.each(rows)("%s: %s (%s) has its test, which runs and asks for that", (kind, _what, given, ...tests) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const [file, title] of tests) {
    const where = `${file}: ${title}`;
    if (file === cases) {
      const found = all.filter(({ what }) => what === title);
      expect(found, where).toHaveLength(1);
      const { error, traceback, result, stdout, stderr, displayed } = found[0].expected;
      if (given === "refused") expect(error, where).toBeDefined();
      // An error is what is to be given where the row is about errors.
      else if (kind === "errors")
        expect(
          [error, traceback, stderr].some((one) => one !== undefined),
          where,
        ).toBe(true);
      else {
        expect(error, where).toBeUndefined();
        expect(
          [result, stdout, displayed, traceback].some((one) => one !== undefined),
          where,
        ).toBe(true);
      }
    } else if (file === page) {
      const last = givenOnPage(file, title);
      expect(last, where).toBeDefined();
      expect(isError.test(last ?? ""), where).toBe(given === "refused");
    } else if (file.endsWith(".test.ts")) {
      const text = testIn(file, title);
      expect(text, where).toMatch(/^(?:it|test)\b(?!\S*\.(?:skip|todo|fails)\b)/);
      expect(text, where).toMatch(/\bexpect[.(]/);
    } else expect(textOf(file), where).toContain(`"${title}"`);
  }
});
