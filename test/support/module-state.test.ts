import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { stateOf, surroundingsOf } from "./module-state.js";

const parsed = (text: string, name = "module.ts") => ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
const found = (text: string) => stateOf(parsed(text), surroundingsOf([parsed(text)]));

describe("what a module keeps beyond a run", () => {
  test.each([
    ["a variable", "let count = 0;", "count"],
    ["an empty Map", "export const memo = new Map<string, number>();", "memo"],
    ["a filled Set", 'const known = new Set(["a"]);', "known"],
    ["a list", "const queue = [1, 2];", "queue"],
    ["a list that is computed", "const squares = ([1, 2] as const).map((x) => x * x);", "squares"],
    ["a typed array", "const table = Float64Array.of(1, 2);", "table"],
    ["an object of a class", "const host = new Host();", "host"],
    ["a static field", "class Host { static count = 0; }", "Host.count"],
    ["a static Map", "class Host { static readonly all = new Map(); }", "Host.all"],
    ["a static block", "class Host { static { fill(); } }", "Host.static {}"],
    ["a closure's variable", "const next = (() => { let n = 0; return () => ++n; })();", "next: n"],
    ["a closure's Map", "const memo = (function () { const m = new Map(); return (k) => m.get(k); })();", "memo: m"],
    [
      "a closure that a function hands out",
      "function counter() { let n = 0; return () => ++n; }\nconst next = counter();",
      "next: counter()",
    ],
    [
      "a property that is assigned",
      "const at = { place: 0 };\nexport function go() { at.place++; }",
      "at is written to",
    ],
    ["a function's property", "export function go() { go.calls = 1; }", "go is written to"],
    [
      "what another module's table is filled with",
      'import { table } from "./table.js";\nexport const put = (x) => table.rows.push(x);',
      "table is written to",
    ],
    [
      "another module's object",
      'import { rules } from "./rules.js";\nObject.assign(rules, { more: 1 });',
      "rules is written to",
    ],
    [
      "where a pattern stopped",
      "const word = /\\w+/g;\nexport const has = (text) => word.test(text);",
      "word.lastIndex",
    ],
  ])("%s is found", (_, text, name) => {
    expect(found(text)).toContain(name);
  });

  test.each([
    ["what is declared as read-only", 'export const known: ReadonlySet<string> = new Set(["a"]);'],
    ["what has a type that is read-only", "type Scale = readonly number[];\nconst scale: Scale = [1, 2];"],
    ["a list of constants", "const kinds = [1, 2] as const;\nconst more: readonly number[] = [3];"],
    ["what a run makes", "export function run() { const memo = new Map(); let n = 0; memo.set(1, n++); return memo; }"],
    [
      "an object of a run",
      "export class Run { readonly seen = new Set(); count = 0; add() { this.count++; this.seen.add(1); } }",
    ],
    ["a local of the same name", "const at = { x: 1 };\nexport const f = (at) => { at.x = 2; };"],
    [
      "a table that is computed and done",
      "const sum: number = (() => { let s = 0; for (const x of [1, 2]) s += x; return s; })();",
    ],
    ["a pattern that starts anew", 'const word = /\\w+/g;\nexport const cut = (text) => text.replace(word, "");'],
  ])("%s is no state", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});

/** What may stand at the top of a module although it could be changed, and why. */
const allowed: Readonly<Record<string, string>> = {
  "src/recordings/text/kernel-line.ts named is written to":
    "where the pattern goes on is set at the beginning of each line, before it is asked",
};

test("the core keeps nothing beyond a run", () => {
  const { core } = createRequire(import.meta.url)("../../src/rooms.cjs") as { core: string[] };
  const sources = core
    .flatMap((room) =>
      readdirSync(join("src", room), { recursive: true, encoding: "utf8" }).map((name) => join("src", room, name)),
    )
    .filter((name) => name.endsWith(".ts") && !name.endsWith("generated.ts"))
    .map((name) => parsed(readFileSync(name, "utf8"), name));
  const surroundings = surroundingsOf(sources);
  const kept = sources.flatMap((source) => stateOf(source, surroundings).map((name) => `${source.fileName} ${name}`));
  expect(kept.filter((name) => !Object.hasOwn(allowed, name))).toEqual([]);
  for (const name of Object.keys(allowed)) expect(kept, `${name} is allowed, and not there`).toContain(name);
});
