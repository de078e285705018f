import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chapters, exercises, links, prose, root, solutions } from "./course.js";

const text = readFileSync(`${root}/data/references.bib`, "utf8");
/** The entries: type, key and fields. Every entry begins at the start of a line and ends with a brace of its own. */
const entries = [...text.matchAll(/^@(\w+)\{([^,\s]+),\n(.*?)^\}$/gms)].map(([, type, key, body]) => ({
  type,
  key,
  fields: Object.fromEntries([...body.matchAll(/^ {2}(\w+)\s*=\s*(.+?),?$/gm)].map(([, name, value]) => [name, value])),
}));

test("every entry can be found by a stranger: who, what, when and where", () => {
  expect(entries).toHaveLength(text.match(/^@/gm)!.length);
  for (const { type, key, fields } of entries) {
    expect(key).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    for (const field of ["author", "title", "year"]) expect(fields[field], `${key}: ${field}`).toBeTruthy();
    const place = { inproceedings: "booktitle", article: "journal", misc: "howpublished", manual: "organization" }[
      type
    ];
    expect(place, `${key}: @${type}`).toBeDefined();
    expect(fields[place!], `${key}: ${place}`).toBeTruthy();
    for (const value of Object.values(fields)) {
      expect(value.match(/\{/g)?.length ?? 0, `${key}: braces in ${value}`).toBe(value.match(/\}/g)?.length ?? 0);
    }
  }
  expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
});

test("a DOI is the bare name, once, and what a journal or a conference of the ACM printed has one", () => {
  const dois = entries.flatMap(({ fields }) => (fields["doi"] === undefined ? [] : [fields["doi"]]));
  for (const doi of dois) expect(doi).toMatch(/^\{10\.\d{4,}\/\S+\}$/);
  expect(new Set(dois).size).toBe(dois.length);
  const places = /Transactions|Operations Research|Technometrics|ASPLOS|SIGCOMM|SOSP/;
  for (const { key, fields } of entries)
    expect(fields["doi"] !== undefined, key).toBe(places.test(fields["journal"] ?? fields["booktitle"] ?? ""));
});

test("every citation has an entry, and every entry is cited", () => {
  const cited = new Set<string>();
  for (const notebook of [...chapters(), ...exercises(), ...solutions()]) {
    const up = "../".repeat(notebook.path.split("/").length - 1);
    for (const { target } of prose(notebook).flatMap(links)) {
      const key = target.match(/references\.bib(?:#(.*))?$/)?.[1];
      if (!target.includes("references.bib")) continue;
      expect(target, notebook.path).toBe(`${up}data/references.bib#${key}`);
      expect(
        entries.map((entry) => entry.key),
        `${notebook.path}: ${target}`,
      ).toContain(key);
      cited.add(key!);
    }
  }
  expect(entries.map(({ key }) => key).filter((key) => !cited.has(key))).toEqual([]);
});
