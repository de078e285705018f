import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { housePicture, picturedHouse, roomNames } from "../support/floor-plan.mjs";
import { readmePictures } from "../support/pictures.mjs";
import { chapters, fragment, links, root } from "./course.js";

const pages = [
  "README.md",
  "src/README.md",
  "src/DECISIONS.md",
  "CONTRIBUTING.md",
  "src/lab/README.md",
  "src/jupyter/README.md",
  "src/experiments/README.md",
  "src/sweep/README.md",
  "data/README.md",
  "data/traces/README.md",
  "notebooks/exercises/README.md",
  "notebooks/solutions/README.md",
];
const read = (file: string): string => readFileSync(`${root}/${file}`, "utf8");
const readme = read("README.md");

test.each(pages)("every link of %s leads to a file, and to a heading of it", (page) => {
  for (const { target } of links(read(page))) {
    if (/^https?:/.test(target)) continue;
    const [file, anchor] = target.split("#");
    const path = file === "" ? page : join(dirname(page), file);
    expect(existsSync(`${root}/${path}`), target).toBe(true);
    if (anchor === undefined) continue;
    const headings = [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => fragment(heading));
    expect(headings, target).toContain(anchor);
  }
});

test("the README's pictures are those that the notebooks show now (else: npm run pictures)", () => {
  const pictures = readmePictures();
  expect(pictures).toHaveLength(2);
  for (const { file, png } of pictures) {
    expect(readFileSync(file).equals(png), `${file.pathname} differs; npm run pictures`).toBe(true);
    expect(png.length).toBeLessThan(120_000);
    expect(readme).toContain(file.pathname.slice(file.pathname.indexOf("notebooks/pictures/")));
  }
});

test("the README's map names every notebook, and every npm script and command that it shows exists", () => {
  for (const { path } of chapters()) expect(readme).toContain(`](${path})`);
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const [, script] of readme.matchAll(/npm (?:run )?(start|test|run \w+)/g))
    expect(scripts).toHaveProperty([script.replace("run ", "")]);
  const commands = [...readme.matchAll(/npx iommu-lab (\w+)/g)].map(([, command]) => command);
  const index = read("src/cli/index.ts");
  for (const command of new Set(commands)) expect(index.toLowerCase(), command).toContain(command);
});

test("CITATION.cff is valid, and names the version of package.json", () => {
  const citation = parse(read("CITATION.cff")) as Record<string, unknown> & {
    authors: unknown[];
    references: unknown[];
  };
  for (const key of ["cff-version", "message", "title", "authors", "version", "license"])
    expect(citation[key], key).toBeTruthy();
  expect(citation["cff-version"]).toBe("1.2.0");
  expect(["software", "dataset"]).toContain(citation["type"]);
  const { version, license } = JSON.parse(read("package.json")) as { version: string; license: string };
  expect([citation["version"], citation["license"]]).toEqual([version, license]);
  for (const author of citation.authors as Record<string, string>[])
    expect(author["name"] ?? author["family-names"]).toBeTruthy();
  for (const reference of citation.references as Record<string, unknown>[])
    for (const key of ["type", "title", "authors"]) expect(reference[key], key).toBeTruthy();
});

test("src/README.md's picture is made from the allowed imports, and its table names every room", () => {
  expect(picturedHouse()).toBe(housePicture());
  const rows = [...read("src/README.md").matchAll(/^\| `([a-z]+)\/` \|/gm)].map(([, room]) => room);
  expect(rows.sort()).toEqual([...roomNames].sort());
});
