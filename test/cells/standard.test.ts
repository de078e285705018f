import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { nativeSide } from "../../src/cells/host/internals.js";
import { newerLibraries } from "../../src/cells/host/standard.js";

const folder = dirname(createRequire(import.meta.url).resolve("typescript"));
const ours = newerLibraries();
/** Declarations of newer standards that add values, and not only types. */
const newer = readdirSync(folder).filter(
  (name) => /^lib\.(es2024|esnext)\.\w+\.d\.ts$/.test(name) && !/\.(full|decorators|intl)\./.test(name),
);
/** Those that every supported Node has; they are always there. */
const everywhere = ["lib.es2024.sharedmemory.d.ts", "lib.es2024.string.d.ts", "lib.es2024.regexp.d.ts"];

const globals = globalThis as unknown as Record<string, object | undefined>;
/** Where the members of a declared interface are at run time; undefined for those that describe plain objects. */
function holder(name: string): object | undefined {
  if (name.endsWith("Constructor")) return globals[name.slice(0, -"Constructor".length)] ?? {};
  if (name === "IteratorObject") return Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
  const value = globals[name];
  return typeof value === "function" ? (value.prototype as object) : value;
}

/** What a file declares that this Node has not. */
function missing(library: string): string[] {
  const file = ts.createSourceFile(library, readFileSync(join(folder, library), "utf8"), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && !(node.name.text in globalThis))
      found.push(node.name.text);
    // The values of an error that is thrown are its own, not its class's.
    if (ts.isInterfaceDeclaration(node) && node.name.text !== "SuppressedError") {
      const at = holder(node.name.text);
      for (const { name } of node.members)
        if (at && name && ts.isIdentifier(name) && !(name.text in at)) found.push(`${node.name.text}.${name.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe("the standard that cells are checked against", () => {
  it.each([...ours, ...everywhere])("this Node has all that %s declares", (library) => {
    expect(missing(library)).toEqual([]);
  });

  it.each(
    newer.filter((name) => ![...ours, ...everywhere].includes(name)),
  )("what is left out is not there: %s", (library) => {
    expect(missing(library)).not.toEqual([]);
  });
});

it("Node's native side is found, and no global is left behind", () => {
  const before = Object.keys(globalThis);
  expect(nativeSide()("async_wrap")).toHaveProperty("setCallbackTrampoline");
  expect(Object.keys(globalThis)).toEqual(before);
});
