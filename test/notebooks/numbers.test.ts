import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkNumbers, spoken, tiedNumbers, wrongNumberText } from "../../src/site/index.js";
import { chapters, root, text } from "./course.js";
import { elsewhere } from "./elsewhere.js";

const all = chapters();
const byName = new Map(all.map(({ path, notebook }) => [path.replace(/^.*\/|\.ipynb$/g, ""), notebook]));

test("every number in prose that is tied to an output is what the output says", () => {
  const wrong = [...byName].flatMap(([name, notebook]) => checkNumbers(name, notebook, byName));
  expect(wrong.map(wrongNumberText)).toEqual([]);
});

test.each(elsewhere)("$notebook: $says", async ({ notebook, cell, says, values }) => {
  const prose = text(byName.get(notebook)!.cells.find(({ id }) => id === cell)!).replace(/\s+/g, " ");
  expect(prose).toContain(says.replace(/[{}]/g, ""));
  const told = [...says.matchAll(/\{([^{}]*)\}/g)].map(([, number]) => spoken(number)!);
  const computed = await values();
  expect(computed).toHaveLength(told.length);
  for (const [i, { value, within }] of told.entries())
    expect(Math.abs(computed[i] - value), `${value}, computed: ${computed[i]}`).toBeLessThanOrEqual(within);
});

/**
 * Numbers that hang on no run: what a source published, what is set, names. By notebook, as the text around them, or as a pattern in
 * slashes for all.
 */
const given = JSON.parse(readFileSync(`${root}/test/notebooks/given.json`, "utf8")) as Record<string, string[]>;

/** Numbers that are names, dates or records, wherever they stand. */
const names = [
  /```[\s\S]*?```/g,
  /^ {4}.*$/gm,
  /^>.*$/gm,
  /^# .*$/gm,
  /`[^`]*`/g,
  /\]\([^)]*\)/g,
  /\$\$[\s\S]*?\$\$/g,
  /<[^>]*>/g,
  /\*Reading:.*?\*/g,
  /"[^"]{3,}?"/g,
  // Records, products, standards: a number that is part of a word (PE2, E5-2690, x16, v4.3, L3, CR4, 4K, 2M, 1:1).
  /[\w.]*[A-Za-z]_?[\w./-]*\d[\w./-]*/g,
  /\b\d+(?:\.\d+)?(?:[KMG]\b|:1\b|th\b|-bit\b)/g,
  // Settings, which are told by their units: cores, sizes of memory and of transfers, threads.
  /\b\d[\d,]*(?:(?:,| and| to| or) \d+)*[ -](?:cores|CPUs|bytes?|[KMG]iB|MB|GB\/s|threads|connections|pools|queues|entries)\b/g,
  /^\d\. |(?<=[A-Za-z*] )\d\. (?=How|What)/gm,
  /\b95 % intervals?\b/g,
  /\b(?:19|20)\d\d(?:-\d\d-\d\d)?\b/g,
  /\b\d{1,2} (?:January|April|May|October|November|December)\b|\b(?:15|16) and \d+ (?:November|April)\b/g,
  /\b(?:[Nn]otebooks?|[Ff]igure|[Ss]teps?|[Rr]ecords?|[Bb]its?|[Cc]ores?|CPUs?|Vol|interrupt|commit) \d+(?:(?:,| and| to|:) \d+)*\b/g,
  /\b(?:Linux|[Uu]ntil|[Ff]rom|[Ii]n|[Ss]ince|[Bb]y|[Bb]efore|of|than|with|and|AMD|VT-d|to|between) \d\.\d{1,2}(?:\.\d+)?\b(?! ?(?:%|ns|Gb|µs|million|ms|pages|times|waiters))/g,
];

test("every number in digits in the chapters' prose is tied to an output or named as given", () => {
  const open: string[] = [];
  const unused: string[] = [];
  for (const { path, notebook } of all) {
    const own = given[path.replace(/^.*\//, "").slice(0, 2)] ?? [];
    const used = new Set<string>();
    for (const cell of notebook.cells) {
      if (cell.cell_type !== "markdown") continue;
      let prose = text(cell).split(/^## (?:Sources|Further reading)/m)[0];
      for (const one of names) prose = prose.replace(one, " ¦ ");
      prose = prose.replace(/\s+/g, " ");
      const plain = (passage: string) => passage.replace(/[{}]/g, "");
      // A tied passage may have lost a name: what is left of it is looked for piece by piece.
      const name = path.replace(/^.*\/|\.ipynb$/g, "");
      const others = elsewhere.filter((other) => other.notebook === name && other.cell === cell.id);
      for (const says of [...Object.keys(tiedNumbers(cell)), ...others.map((other) => other.says)]) {
        let said = plain(says);
        for (const one of names) said = said.replace(one, " ¦ ");
        prose = prose.replace(said.replace(/\s+/g, " ").trim(), " ");
      }
      for (const passage of own)
        if (prose.includes(passage)) {
          used.add(passage);
          prose = prose.replaceAll(passage, " ");
        }
      for (const found of prose.matchAll(/[^¦]{0,40}\d[\d,.]*[^¦]{0,30}/g))
        open.push(`${path}, ${cell.id}: ${found[0].trim()}`);
    }
    unused.push(...own.filter((passage) => !used.has(passage)).map((passage) => `${path}: ${passage}`));
  }
  expect(open).toEqual([]);
  expect(unused, "given, and not there any more").toEqual([]);
});
