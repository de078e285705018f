/** Cells that gave a wrong answer in one kernel or another, with the right one; siblings stand together. */

/** A step of a case: a cell, or a change of the world outside. */
export type Step = string | { write: Record<string, string> } | { remove: string };

/** What the last cell of a case gives. */
export interface Expected {
  /** Its value as text; `null` where it shows none. */
  result?: string | RegExp | null;
  stdout?: string | RegExp;
  stderr?: RegExp;
  /** The error as `name: message`. */
  error?: RegExp;
  traceback?: RegExp;
  /** The bundles that it displays. */
  displayed?: unknown[];
}

export interface Case {
  kind: string;
  what: string;
  steps: Step[];
  expected: Expected;
}

const c = (kind: string, what: string, steps: Step[], expected: Expected | string): Case => ({
  kind,
  what,
  steps,
  expected: typeof expected === "string" ? { result: expected } : expected,
});

/** A package without types, as it lies in node_modules. */
const untyped = (name: string, code: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: "1.0.0", main: "index.js" }),
  [`node_modules/${name}/index.js`]: code,
});

export const cases: Case[] = [
  c(
    "scope",
    "a namespace with a dotted name",
    [
      "namespace Far.Off { export const v = 1; export function f() { return v + Off.v } }",
      "1",
      "Far.Off.f() + Far.Off.v",
    ],
    "3",
  ),
  c("scope", "a script's first line", ["#!/usr/bin/env node\n1 + 1"], "2"),
  c("scope", "a place below a script's first line", ["#!/usr/bin/env node\nnowhere"], { traceback: /:2:1/ }),
  c("await", "a function that is called at once", ["await (async () => 5)()"], "5"),
  c("await", "an array", ["(await [Promise.resolve(1)][0]) + 1"], "2"),
  c("await", "brackets without a call", ["await ([1, 2])"], "[ 1, 2 ]"),
  c("await", "twice in a row", ['const t = await (await fetch("data:text/plain,text")).text(); t'], "'text'"),
  c("await", "for await", ["let n = 0; for await (const x of [1, 2]) n += x; n"], "3"),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the cell's own
  c("await", "in a template, an argument, a default", ["`${await 1}${Math.max(await 2, 1)}`"], "'12'"),
  c(
    "await",
    "in a block, a loop, a condition",
    ["let m = 0; if (await true) { for (let i = 0; i < (await 2); i++) m += await i; } m"],
    "1",
  ),
  c(
    "await",
    "await using",
    ["let gone = false; { await using d = { async [Symbol.asyncDispose]() { gone = true } }; void d } gone"],
    "true",
  ),
  c(
    "await",
    "only inside of a function, which does not make the cell wait",
    ["const later = async () => { await 1; return 2 }; later() instanceof Promise"],
    "true",
  ),
  c("await", "a name declared by an awaited cell", ["const v = await Promise.resolve(4)", "v"], "4"),

  c("scope", "x = 1 without a declaration is an error", ["x = 1"], { error: /TS2304/ }),
  c("scope", "a property of globalThis", ["globalThis.fromCell = 1", "globalThis.fromCell"], "1"),
  c(
    "scope",
    "a namespace stays",
    ["namespace N { export const v = 1; export namespace M { export const w = 2 } }", "1", "[N.v, N.M.w]"],
    "[ 1, 2 ]",
  ),
  c(
    "scope",
    "a namespace of types",
    ["namespace T { export interface P { x: number } }", "const p: T.P = { x: 1 }; p"],
    "{ x: 1 }",
  ),
  c(
    "scope",
    "declare global with a variable",
    ["declare global { var shared: number } globalThis.shared = 3", "shared + 1"],
    "4",
  ),
  c(
    "scope",
    "the same cell twice",
    [
      "declare global { interface Array<T> { second(): T } } Array.prototype.second = function () { return this[1] }",
      "declare global { interface Array<T> { second(): T } } Array.prototype.second = function () { return this[1] }",
      "[1, 2].second()",
    ],
    "2",
  ),
  c(
    "scope",
    "names of globals may be declared",
    ["const URL = 'mine'; const name = 1; let btoa = 2", "[URL, name, btoa]"],
    "[ 'mine', 1, 2 ]",
  ),
  c(
    "scope",
    "and hide them only for cells",
    ["const JSON = 1", "(await import('node:url')).parse('http://a/b').host"],
    "'a'",
  ),
  c("scope", "a type and a value of one name", ["type A = number; const A = 2", "const B: A = A; B"], "2"),
  c(
    "scope",
    "an abstract generic class and its child in another cell",
    [
      "abstract class Base<T> { constructor(readonly v: T) {} abstract get(): T }",
      "class Child extends Base<number> { get() { return this.v } }",
      "new Child(3).get()",
    ],
    "3",
  ),
  c(
    "scope",
    "private members",
    ["class P { #x = 1; private y = 2; sum() { return this.#x + this.y } }", "new P().sum()"],
    "3",
  ),
  c(
    "scope",
    "generators and async generators",
    [
      "function* g() { yield 1; yield 2 } async function* ag() { yield* g() }",
      "const all: number[] = []; for await (const v of ag()) all.push(v); all",
    ],
    "[ 1, 2 ]",
  ),
  c(
    "scope",
    "overloads",
    [
      "function o(x: number): number; function o(x: string): string; function o(x: any) { return x }",
      "const s: string = o('a'); s",
    ],
    "'a'",
  ),
  c("scope", "a const enum", ["const enum K { A = 4 }", "K.A"], "4"),
  c(
    "scope",
    "a function and a namespace of one name",
    ["function both() { return both.v } namespace both { export const v = 3 }", "both() + both.v"],
    "6",
  ),
  c(
    "scope",
    "typeof, increments and compound assignment",
    ["let n = 1", "n++; n += 2; n **= 2; [n, typeof n]"],
    "[ 16, 'number' ]",
  ),
  c(
    "scope",
    "labels, switch, try and finally",
    [
      "let s = ''; outer: for (const a of [1, 2]) { switch (a) { case 2: break outer; default: s += a } } try { throw 1 } catch { s += 'c' } finally { s += 'f' }",
      "s",
    ],
    "'1cf'",
  ),

  c("types", "an empty array", ["const out = []", "out.push(1)"], "1"),
  c(
    "types",
    "an empty array that is filled in its cell",
    ["const list = []; list.push(1); list.push('a'); list"],
    "[ 1, 'a' ]",
  ),
  c("types", "a variable without a type", ["let later", "later = 5; later"], "5"),
  c("types", "export const", ["export const q = 1", "q"], "1"),
  c(
    "types",
    "export function, type, interface, class, enum",
    [
      "export function f() { return 2 } export type T = number; export interface I { x: T } export class C {} export enum E { A }",
      "const i: I = { x: f() }; [i, new C(), E.A]",
    ],
    "[ { x: 2 }, C {}, 0 ]",
  ),
  c("types", "export default and export lists", ["const a = 1; export { a, a as b }; export default a"], "1"),
  c("types", "export default function", ["export default function main() { return 3 }", "main()"], "3"),
  c("types", "@ts-nocheck", ["// @ts-nocheck\nfunction f(a) { return a * 2 }\nconst s: string = 1", "f(4) + s"], "9"),
  c(
    "types",
    "@ts-expect-error and @ts-ignore",
    ["// @ts-expect-error\nconst s: string = 1\n// @ts-ignore\nconst t: string = 2; [s, t]"],
    "[ 1, 2 ]",
  ),
  c(
    "types",
    "a tsconfig.json beside the notebook",
    [
      { write: { "tsconfig.json": '{ "compilerOptions": { "strict": false } } // relaxed' } },
      "function f(a) { return a }",
      "f(1)",
    ],
    "1",
  ),
  c(
    "types",
    "one that comes later, and goes",
    [
      { write: { "tsconfig.json": '{ "compilerOptions": { "noImplicitAny": false } }' } },
      "const g = (a) => a",
      { remove: "tsconfig.json" },
      "const h = (a) => a",
    ],
    { error: /TS7006/ },
  ),
  c(
    "types",
    "WebAssembly",
    [
      "const m = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); m instanceof WebAssembly.Module",
    ],
    "true",
  ),
  c(
    "types",
    "a newer standard's name runs where the checker lets it pass, and is refused with a reason where it does not exist",
    ["Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even')).odd"],
    "groupBy" in Object
      ? "[ 1, 3 ]"
      : { error: /TS2550.*of the standard 'es2024', and the Node.js that runs this kernel does not have it/ },
  ),
  c("modules", "Node's inner modules are not offered", ['require("internal/test/binding")'], {
    error: /Cannot find module/,
  }),
  c(
    "modules",
    "nor to threads",
    [
      `import { Worker } from "node:worker_threads"; const thread = new Worker(
        "let found = true; try { require('internal/util') } catch { found = false } require('worker_threads').parentPort.postMessage(found)",
        { eval: true }); await new Promise((r) => thread.once("message", r))`,
    ],
    "false",
  ),
  c(
    "types",
    "methods of ES2023 and 2024",
    ["[[3, 1].toSorted(), [1].with(0, 9), [1, 2].findLast((x) => x < 2), 'a\\ud800'.isWellFormed()]"],
    "[ [ 1, 3 ], [ 9 ], 1, false ]",
  ),
  c(
    "types",
    "using",
    ["const log: string[] = []; { using f = { [Symbol.dispose]() { log.push('disposed') } }; void f } log"],
    "[ 'disposed' ]",
  ),
  c(
    "types",
    "a standard decorator",
    [
      "const seen: string[] = []; function dec(value: unknown, context: ClassDecoratorContext) { seen.push(String(context.name)) } @dec class A {} seen",
    ],
    "[ 'A' ]",
  ),
  c(
    "types",
    "a decorator of a method, from another cell",
    [
      "function twice(f: (this: any) => number, _: ClassMethodDecoratorContext) { return function (this: any) { return 2 * f.call(this) } }",
      "class B { @twice get() { return 4 } }",
      "new B().get()",
    ],
    "8",
  ),
  c(
    "types",
    "satisfies, const type parameters, accessors",
    [
      "const conf = { a: 1 } satisfies Record<string, number>; function id<const T>(x: T) { return x } class G { accessor v = 3 }; [conf.a, id(['a'])[0], new G().v]",
    ],
    "[ 1, 'a', 3 ]",
  ),
  c("types", "JSX without a factory is refused in a sentence", ["const el = <b>hi</b>"], {
    error: /JSX needs a factory/,
  }),
  c(
    "types",
    "JSX with a factory",
    [
      "const h = (tag: string, props: unknown, ...children: unknown[]) => ({ tag, children })",
      "/** @jsx h */\nconst el = <b>hi</b>; el",
    ],
    "{ tag: 'b', children: [ 'hi' ] }",
  ),
  c(
    "types",
    "the notebook's own place",
    [
      "[__dirname === process.cwd(), __filename.startsWith(__dirname), import.meta.url.startsWith('file:'), import.meta.dirname === __dirname, typeof module, typeof require]",
    ],
    "[ true, true, true, true, 'object', 'function' ]",
  ),
  c(
    "types",
    "globals of Node",
    [
      "[typeof structuredClone, typeof Blob, typeof AbortController, typeof performance.now, typeof queueMicrotask, typeof TextDecoder, typeof crypto.subtle, typeof BroadcastChannel].every((t) => t !== 'undefined')",
    ],
    "true",
  ),
  c(
    "types",
    "import x = require",
    ['import fs = require("fs"); typeof fs.readFileSync', "typeof fs.writeFileSync"],
    "'function'",
  ),

  c(
    "modules",
    "a package without types is any, with a hint",
    [
      { write: untyped("plainjs", "exports.twice = (x) => 2 * x; exports.name = 'plain'") },
      'import p from "plainjs"; import { twice } from "plainjs"; [p.name, twice(2)]',
    ],
    { result: "[ 'plain', 4 ]", stderr: /"plainjs" has no types/ },
  ),
  c(
    "modules",
    "a package that is installed after a try",
    [
      'import late from "latecomer"',
      { write: untyped("latecomer", "module.exports = 7") },
      "1 + 1",
      'import late from "latecomer"',
      "late",
    ],
    "7",
  ),
  c(
    "modules",
    "a scoped package, and a path in one",
    [
      {
        write: {
          ...untyped("@scope/thing", "module.exports = 8"),
          "node_modules/@scope/thing/sub.js": "exports.sub = 9",
        },
      },
      'import t from "@scope/thing"; import { sub } from "@scope/thing/sub.js"; [t, sub]',
    ],
    "[ 8, 9 ]",
  ),
  c(
    "modules",
    "a file that is edited",
    [
      { write: { "v.ts": "export const val: number = 1" } },
      'import { val } from "./v"; val',
      { write: { "v.ts": "export const val: number = 2" } },
      'import { val } from "./v"; val',
    ],
    "2",
  ),
  c(
    "modules",
    "a file that is created after a try",
    [
      'import { val } from "./new"',
      { write: { "new.ts": "export const val = 'new'" } },
      'import { val } from "./new"; val',
    ],
    "'new'",
  ),
  c(
    "modules",
    "a module that a module imports",
    [
      { write: { "a.ts": 'export { val } from "./loc.ts"', "loc.ts": "export const val: number = 1" } },
      'import { val } from "./a.ts"; val',
      { write: { "loc.ts": "export const val: number = 2" } },
      'import { val } from "./a.ts"; val',
    ],
    "2",
  ),
  c(
    "modules",
    "one that is missing there at first",
    [
      { write: { "b.ts": 'export { w } from "./deep"' } },
      'import { w } from "./b"',
      { write: { "deep.ts": "export const w = 3" } },
      'import { w } from "./b"; w',
    ],
    "3",
  ),
  c(
    "modules",
    ".ts endings",
    [{ write: { "loc.ts": "export const val = 4" } }, 'import { val } from "./loc.ts"; val'],
    "4",
  ),
  c(
    "modules",
    ".js endings that mean .ts",
    [{ write: { "loc.ts": "export const val = 5" } }, 'import { val } from "./loc.js"; val'],
    "5",
  ),
  c(
    "modules",
    "JSON, edited",
    [
      { write: { "d.json": '{ "a": 1 }' } },
      'import d from "./d.json" with { type: "json" }; d.a',
      { write: { "d.json": '{ "a": 2 }' } },
      'import d from "./d.json" with { type: "json" }; d.a',
    ],
    "2",
  ),
  c(
    "modules",
    ".mjs, edited",
    [
      { write: { "m.mjs": "export const v = 1" } },
      'import { v } from "./m.mjs"; v',
      { write: { "m.mjs": "export const v = 2" } },
      'import { v } from "./m.mjs"; v',
    ],
    "2",
  ),
  c(
    "modules",
    "require of a file, edited",
    [
      { write: { "r.cjs": "exports.v = require('./s.cjs')", "s.cjs": "module.exports = 1" } },
      'require("./r.cjs").v',
      { write: { "s.cjs": "module.exports = 22" } },
      'require("./r.cjs").v',
    ],
    "22",
  ),
  c(
    "modules",
    "a module that awaits at its top level",
    [{ write: { "tla.ts": "export const v = await Promise.resolve(6)" } }, 'import { v } from "./tla"; v'],
    "6",
  ),
  c(
    "modules",
    "and one that imports such a module",
    [
      {
        write: {
          "tla.ts": "export const v = await Promise.resolve(6)",
          "up.ts": 'import { v } from "./tla"; export const w = v + 1',
        },
      },
      'import { w } from "./up"; w',
    ],
    "7",
  ),
  c(
    "modules",
    "import() of a local module",
    [
      { write: { "dyn.ts": "export default 8; export const n = 9" } },
      'const m = await import("./dyn"); [m.default, m.n]',
    ],
    "[ 8, 9 ]",
  ),
  c(
    "modules",
    "a binding that its module changes",
    [
      { write: { "live.ts": "export let n = 0; export function inc() { n++ }" } },
      'import { n, inc } from "./live"',
      "inc(); inc(); n",
    ],
    "2",
  ),
  c(
    "modules",
    "modules in a circle",
    [
      {
        write: {
          "x.ts": 'import { y } from "./y"; export const x = () => 1; export const both = () => x() + y()',
          "y.ts": 'import { x } from "./x"; export const y = () => x() + 1',
        },
      },
      'import { both } from "./x"; both()',
    ],
    "3",
  ),
  c(
    "modules",
    "import.meta and __dirname of a module",
    [
      { write: { "sub/here.ts": "export const url = import.meta.url; export const dir = import.meta.dirname" } },
      'import { url, dir } from "./sub/here"; [url.endsWith("/sub/here.ts"), dir.endsWith("/sub")]',
    ],
    "[ true, true ]",
  ),
  c(
    "modules",
    "types only",
    [
      { write: { "t.ts": "export interface P { x: number } export type Q = P[]" } },
      'import type { P } from "./t"; import { type Q } from "./t"; import { P as R } from "./t"; const q: Q = [{ x: 1 } as P as R]; q',
    ],
    "[ { x: 1 } ]",
  ),
  c(
    "modules",
    "an error of types in a module is shown with its place",
    [{ write: { "bad.ts": "export const ok = 1;\nexport const s: string = 5" } }, 'import { s } from "./bad"'],
    { error: /TS2322/, traceback: /bad\.ts:2:14/ },
  ),
  c("modules", "tslab's import is answered with what there is instead", ['import * as tslab from "tslab"'], {
    error: /TS2307: .*lab\.display/,
  }),
  c("modules", "the names that exist", ['import "iommu-lab/nothing"'], {
    error: /TS\d+: .*"iommu-lab\/experiments".*"iommu-lab\/plot"/,
  }),
  c("modules", "with a named import", ['import { x } from "iommu-lab/nothing"'], { error: /"iommu-lab\/iova"/ }),
  c("modules", "at run time", ['require("iommu-lab/nothing")'], { error: /"iommu-lab\/experiments"/ }),
  c(
    "modules",
    "the rooms of the package",
    ['import { lineFigure } from "iommu-lab/plot"; typeof lineFigure'],
    "'function'",
  ),
  c(
    "modules",
    "a file beside the notebook",
    [
      { write: { "data.csv": "a,b\n1,2" } },
      'import { readFileSync } from "node:fs"; readFileSync("data.csv", "utf8").split("\\n")[1]',
    ],
    "'1,2'",
  ),

  c(
    "errors",
    "a place in a local module",
    [
      {
        write: {
          "throws.ts":
            "// one\n// two\ninterface P { x: number }\n\nexport function boom(p?: P): never {\n  void p;\n  throw new Error('boom');\n}",
        },
      },
      'import { boom } from "./throws"; boom()',
    ],
    { error: /boom/, traceback: /throws\.ts:7:9/ },
  ),
  c("errors", "console.trace", ['console.trace("here")'], { stderr: /^Trace: here\n {4}at / }),
  c(
    "errors",
    "Error.captureStackTrace on any object",
    ["const o: { stack?: string } = {}; Error.captureStackTrace(o); o.stack!.split('\\n')[0]"],
    "'Error'",
  ),
  c("errors", "an unterminated template", ["const s = `abc"], { error: /TS1160/, traceback: /cell \[\d+\]:1:15/ }),
  c("errors", "an unclosed bracket", ["function f() {\n  return 1;\n"], {
    error: /TS1005/,
    traceback: /cell \[\d+\]:[123]:\d/,
  }),
  c("errors", "a call of what is no function names it", ["let f: any = 1", "f()"], {
    error: /^TypeError: f is not a function/,
  }),
  c("errors", "a property of nothing", ["let o: any", "o.x.y"], {
    error: /Cannot read properties of undefined \(reading 'x'\)/,
  }),
  c(
    "errors",
    "a proxy that throws",
    [
      "new Proxy({}, { get() { throw new Error('no') }, has() { throw new Error('no') }, ownKeys() { throw new Error('no') } })",
    ],
    { result: /./ },
  ),
  c(
    "errors",
    "a line and column after comments and types",
    ["// a comment\ntype T = number\nconst x: T = 1\n  ;(null as any).f"],
    { traceback: /cell \[\d+\]:4:\d+/ },
  ),

  c("output", "lab.html as the last line is only the HTML", ['lab.html("<b>x</b>")'], { result: null }),
  c(
    "output",
    "lab.display, markdown, bundle and progress",
    ['lab.display(1); lab.markdown("a"); lab.bundle({ "text/plain": "b" }); lab.progress(3)'],
    { result: null },
  ),
  c("output", "a handle in a value has no random id", ['[lab.html("<b>x</b>")]'], "[ [Display] ]"),
  c("output", "a semicolon suppresses", ["const arr = [1]; arr.push(2);"], { result: null }),
  c("output", "before a comment as well", ["1 + 1; // done"], { result: null }),
  c("output", "a semicolon inside does not", ["const z = 1; z"], "1"),
  c("output", "a function", ["() => 1"], "[Function (anonymous)]"),
  c(
    "output",
    "a named function and a class",
    ["const f = () => 1; class A {}; [f, A, function g() {}]"],
    "[ [Function: f], [class A], [Function: g] ]",
  ),
  c("output", "an object literal", ["{ a: 1 }"], "{ a: 1 }"),
  c(
    "output",
    "an object literal of other forms",
    ["const a = 1", "{ a, 'b-c': [2], ...{ d: 3 } } // all"],
    "{ a: 1, 'b-c': [ 2 ], d: 3 }",
  ),
  c("output", "a block stays a block", ["{ const q = 1; console.log(q) }"], { stdout: "1\n", result: null }),
  c("output", "an empty object", ["{}"], "{}"),
  c("output", "a picture's bytes, with a text beside it", ['lab.bundle({ "image/png": new Uint8Array([1, 2]) })'], {
    displayed: [{ "image/png": "AQI=", "text/plain": "[image/png]" }],
  }),
  c(
    "output",
    "what is no text by its media type, with a text beside it",
    ['lab.bundle({ "application/json": { a: { b: [1] } }, "image/svg+xml": "<svg/>" })'],
    {
      displayed: [
        {
          "application/json": { a: { b: [1] } },
          "image/svg+xml": "<svg/>",
          "text/plain": "[application/json, image/svg+xml]",
        },
      ],
    },
  ),
  c("output", "a semicolon suppresses what a timer is as well", ["setTimeout(() => {}, 1);"], { result: null }),
  c("output", "a semicolon keeps what is displayed", ['lab.html("<b>x</b>");'], {
    result: null,
    displayed: [{ "text/html": "<b>x</b>", "text/plain": "x" }],
  }),

  c(
    "language",
    "20,000 terms in one expression",
    [Array.from({ length: 20_000 }, (_, i) => i + 1).join("+")],
    "200010000",
  ),
  c("language", "a cell without code", ["// only a comment"], { result: null }),
  c("language", "a cell of types alone", ["interface Only { x: number }", "const o: Only = { x: 1 }; o"], "{ x: 1 }"),
  c(
    "language",
    "names with other letters",
    ["const größe = 1, $ = 2, _x = 3, ключ = 4", "[größe, $, _x, ключ]"],
    "[ 1, 2, 3, 4 ]",
  ),
  c("language", "windows line ends", ["const a = 1;\r\nconst b = a + 1;\r\nb"], "2"),
];
