import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCompiler } from "../../src/cells/host/compiler.js";
import { createLanguage, type Language } from "../../src/cells/host/language.js";
import { packageRoot } from "../../src/cells/index.js";
import { cellSession } from "./session.js";

const page = readFileSync(new URL("../../src/cells/SEMANTICS.md", import.meta.url), "utf8");

/** The examples of the page, by section. */
const sections = page.split(/^## /m).map((section) => ({
  title: section.split("\n")[0],
  rows: [...section.matchAll(/^\| (?!rule|---)(.+?) \| (`.*`) \|(?: `(.*)`)? \|$/gm)].map(
    ([, rule, cells, result]) => ({
      rule,
      cells: cells.slice(1, -1).split("` → `"),
      result,
    }),
  ),
}));

let language: Language;
let folder: string;
beforeAll(() => {
  folder = process.cwd();
  language = createLanguage(packageRoot, packageRoot, loadCompiler(packageRoot));
});
afterAll(() => process.chdir(folder));

it("the page has its examples", () => {
  const lines = page.split("\n").filter((line) => /^\| (?!rule)/.test(line));
  expect(lines.length).toBeGreaterThan(30);
  expect(sections.flatMap(({ rows }) => rows).length).toBe(lines.length);
});

for (const { title, rows } of sections.filter(({ rows }) => rows.length > 0))
  describe(title, () => {
    for (const { rule, cells, result } of rows)
      it(rule, async () => {
        const run = cellSession(language);
        let last: string | undefined;
        for (const cell of cells) last = await run(cell);
        expect(last).toBe(result);
      });
  });
