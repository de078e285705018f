import ts from "typescript";
import { describe, expect, it } from "vitest";
import { isComplete } from "../../src/cells/heart/assist.js";
import { foreignCommand } from "../../src/cells/heart/foreign.js";
import { quickComplete, quickIsComplete } from "../../src/cells/heart/quick.js";

const complete = [
  "",
  "1 + 1",
  "const f = (n: number): number => { return n }",
  "const value = await Promise.resolve(1)",
  "for await (const x of [1]) { }",
  "interface P { x: number }",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a cell with a template in it
  "`a${`b${1}`}c`",
  "/[/\\]]/.test('x')",
  "a / b / c",
  "// a comment {",
  "x++",
  "const g: Map<string, number[]> = new Map()",
  'const s = "a // b"',
];
const incomplete = [
  "function f() {",
  "const text = `abc",
  "`a${1",
  "Math.max(1,",
  "/* a comment",
  "const a =",
  "if (x) { } else",
  "const f = (x) =>",
  "export",
  "[1, 2].map(x => x)\n.",
];
const invalid = ['"abc', "'abc\nd'", "/re", "}", "(]"];

describe("whether a cell is complete", () => {
  it.each([
    ...complete.map((code) => [code, "complete"]),
    ...incomplete.map((code) => [code, "incomplete"]),
    ...invalid.map((code) => [code, "invalid"]),
  ])("%j is %s: said by the compiler, and at once without it", (code, status) => {
    expect([isComplete(ts, code).status, quickIsComplete(code).status]).toEqual([status, status]);
  });

  it("the next line is indented after an opening bracket", () => {
    expect(quickIsComplete("  if (x) {")).toEqual({ status: "incomplete", indent: "    " });
  });
});

describe("completion without the compiler", () => {
  const texts = (code: string) =>
    quickComplete(code, code.length, ["answer", "answers"], { Math, JSON })?.matches.map(({ text }) => text);

  it("gives the names of the session, of the language and of global objects", () => {
    expect(texts("1 + answ")).toEqual(["answer", "answers"]);
    expect(texts("typeo")).toEqual(["typeof"]);
    for (const before of ['"a"; ', "`${", "// a\n", "/* a */ ", "a / b / "])
      expect(texts(`${before}answ`)).toEqual(["answer", "answers"]);
    expect(texts("Math.sqr")).toEqual(["sqrt"]);
    expect(quickComplete("Math.sqr", 8, [], { Math })).toMatchObject({ start: 5, end: 8 });
  });

  it("leaves to the compiler what only it can tell", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a cell with a template in it
    const inTexts = ['import "f', "require('f", "`answ", "f(`${1} answ", "/answ", "// answ", "/* answ"];
    for (const code of ["answer.le", "f(1).x", "unknown.", '"text".', "nosuchname", ...inTexts])
      expect(texts(code)).toBeUndefined();
  });
});

it.each([
  ["%time 1", /console\.time/],
  ["%%html\n<b>x</b>", /lab\.html/],
  ["%%markdown\n# x", /lab\.markdown/],
  ["!ls -l", /node:child_process/],
  ["%%bash\nls", /node:child_process/],
  ["%pip install x", /npm/],
  ["%matplotlib inline", /no magics/],
  ["console?", /Shift-Tab/],
  ["?console.log", /Shift-Tab/],
  ["const a = 1\n%time a", /console\.time/],
])("a cell with %j is told what to do instead", (code, sentence) => {
  expect(foreignCommand(code)).toMatch(sentence);
});

it.each([
  "let y x",
  "const = 3",
  "!done && run()",
  "a ? b : c",
  "x % y z",
  "const t = a\n  % b c",
])("%j is TypeScript, if wrong", (code) => {
  expect(foreignCommand(code)).toBeUndefined();
});
