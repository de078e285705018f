import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { mergedNodes } from "../../src/experiments/index.js";
import { basisOf, dataValues, type Facts, Memo } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const pe1 = dataValues(published).find(({ id }) => id === "PE1")!;
const more = published.changed([pe1.times(1.5)]);

describe("results and the facts they rest on", () => {
  const input = { parts: ["recovery" as const], policies: ["deferred" as const], replications: 1, transactions: 250 };
  const rowsOn = (facts: Facts, memo: Memo) => {
    const basis = { facts, memo };
    const points = mergedNodes.points(mergedNodes.parse(input, facts), basis);
    return points.map((point) => mergedNodes.simulate(point, basis)[0]);
  };

  test("a run with another published figure is not answered from a memo that holds the first", () => {
    const memo = new Memo();
    const plain = rowsOn(published, memo);
    const changed = rowsOn(more, memo);
    expect(changed).toEqual(rowsOn(more, new Memo()));
    expect(rowsOn(published, memo)).toEqual(plain);
    const off = (rows: typeof plain) =>
      rows.flatMap((row) => (row.part === "recovery" && row.role === "off" ? row.throughput : []))[0];
    expect(off(changed) / off(plain)).toBeGreaterThan(1.2);
  });

  test("the same facts give the same rows with a memo that is used again, and the work is done once", () => {
    const basis = basisOf(published);
    let asked = 0;
    for (let i = 0; i < 2; i++) basis.memo.of(basis, "page host", "x", () => ++asked);
    expect(asked).toBe(1);
  });
});

describe("the core", () => {
  const { core } = createRequire(import.meta.url)("../../src/rooms.cjs") as { core: string[] };
  /** What may stand at the top of a module although it could be changed, and why. */
  const allowed: Readonly<Record<string, string>> = {};
  const files = core.flatMap((room) =>
    readdirSync(join("src", room), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith("generated.ts"))
      .map((name) => join("src", room, name)),
  );
  const mutable = /^new (Map|WeakMap|WeakSet|Array|[A-Z]\w*Array|WeakRef)\b|^new Set(<[^>]*>)?\(\)|^\[\]$|^\{\}$/;

  test("keeps nothing at the top of a module that outlives a run", () => {
    const kept: string[] = [];
    for (const file of files) {
      const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
      for (const statement of source.statements) {
        if (!ts.isVariableStatement(statement)) continue;
        const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
        for (const { name, initializer, type } of statement.declarationList.declarations) {
          const text = initializer?.getText(source) ?? "";
          // A table that is filled where it stands and declared as read-only cannot be written to.
          const readOnly = /^(Readonly|readonly)/.test(type?.getText(source) ?? "");
          if (!isConst || (mutable.test(text) && !readOnly)) kept.push(`${file} ${name.getText(source)}`);
        }
      }
    }
    expect(kept.filter((name) => !Object.hasOwn(allowed, name))).toEqual([]);
    for (const name of Object.keys(allowed)) expect(kept, `${name} is allowed, and not there`).toContain(name);
  });
});
