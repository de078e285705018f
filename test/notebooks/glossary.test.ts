import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CourseNotebook, chapters, exercises, fragment, links, prose, root, solutions } from "./course.js";

const glossary = readFileSync(`${root}/notebooks/glossary.md`, "utf8");
const entries = glossary
  .split(/^## /m)
  .slice(1)
  .map((part) => {
    const [heading, ...rest] = part.split("\n");
    return { heading, slug: fragment(heading), body: rest.join("\n").trim() };
  });
const slugs = entries.map(({ slug }) => slug);
/** For each entry, how its word looks in running text. */
const words = JSON.parse(readFileSync(`${root}/test/notebooks/words.json`, "utf8")) as Record<string, string>;
const everything = (): CourseNotebook[] => [...chapters(), ...exercises(), ...solutions()];

/** The fragment that a link to the glossary names, or undefined for another link. */
function entryOf(target: string): string | undefined {
  return target.match(/^(?:\.\.\/)*glossary\.md(?:#(.*))?$/)?.[1];
}

test("the glossary is in alphabetical order, one plain paragraph a word", () => {
  const order = entries.map(({ heading }) => heading.toLowerCase());
  expect(order).toEqual([...order].sort());
  expect(new Set(slugs).size).toBe(slugs.length);
  for (const { heading, body } of entries) {
    expect(body.split("\n"), heading).toHaveLength(1);
    expect(body.split(/\s+/).length, heading).toBeGreaterThanOrEqual(15);
    expect(body.split(/\s+/).length, heading).toBeLessThanOrEqual(90);
  }
});

test("the glossary's own links lead to other entries", () => {
  for (const { heading, slug, body } of entries) {
    for (const { target } of links(body)) {
      expect(slugs, `${heading}: ${target}`).toContain(target.slice(1));
      expect(target, heading).not.toBe(`#${slug}`);
    }
  }
});

test("every link to the glossary leads to an entry, from the right folder", () => {
  for (const notebook of everything()) {
    const up = "../".repeat(notebook.path.split("/").length - 2);
    for (const { target } of prose(notebook).flatMap(links)) {
      if (!target.includes("glossary.md")) continue;
      expect(target.startsWith(`${up}glossary.md`), `${notebook.path}: ${target}`).toBe(true);
      if (target.includes("#")) expect(slugs, `${notebook.path}: ${target}`).toContain(entryOf(target));
    }
  }
});

test("every entry is linked from a notebook", () => {
  const linked = new Set(
    chapters().flatMap((notebook) =>
      prose(notebook)
        .flatMap(links)
        .map((l) => entryOf(l.target)),
    ),
  );
  expect(slugs.filter((slug) => !linked.has(slug))).toEqual([]);
});

/** Stands in running text where a link to an entry begins: a number, so that no word is found in it. */
const marker = (slug: string): string => `⟦${slugs.indexOf(slug)}⟧`;

/** Running text: no headings, quotations, code, footers with sources; links keep their place, marked with where they lead. */
function runningText(markdown: string): string {
  return markdown
    .replace(/^```.*?^```$/gms, "")
    .replace(/^(?:#|>).*$/gm, "")
    .replace(/\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g, (_, label: string, target: string) =>
      entryOf(target) === undefined ? " " : `${marker(entryOf(target)!)}${label}`,
    )
    .replace(/`([^`]*)`/g, (_, code: string) => (/^(?:clflush|dma_(?:un)?map)$/.test(code) ? code : " "))
    .replace(/"[^"]*"/g, " ");
}

test("the first use of a word in each notebook is a link to its entry", () => {
  expect(Object.keys(words).sort()).toEqual([...slugs].sort());
  const missing = chapters().flatMap((notebook) => {
    const body = prose(notebook)
      .join("\n\n")
      .split(/^## (?:Sources|Further reading)|^\*\*Sources/m)[0];
    const running = runningText(body);
    return slugs.flatMap((slug) => {
      const first = running.search(new RegExp(words[slug]));
      const link = running.indexOf(marker(slug));
      if (first < 0 || (link >= 0 && link <= first)) return [];
      return [`${notebook.path}: ${slug} is not linked at "${running.slice(Math.max(0, first - 30), first + 30)}"`];
    });
  });
  expect(missing).toEqual([]);
});
