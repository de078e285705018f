import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiReference, writeApiReference } from "../../src/site/index.js";
import { making } from "../support/shared.js";

// The tests of its pages in a browser take it from here.
const { path, keep } = making("api-reference");
let reference: ApiReference;
let pages: string[];

beforeAll(async () => {
  reference = await writeApiReference(path, { home: "../index.html" });
  pages = (readdirSync(reference.folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".html"));
}, 300_000);
afterAll(keep);

test("it covers every room's door, and no comment is missing or leads nowhere", () => {
  expect(reference.faults).toEqual([]);
  expect(reference.rooms).toContain("iommu-lab/iova");
  expect(reference.rooms).not.toContain("iommu-lab/cli");
  for (const page of ["index", "modules/experiments", "classes/iova.RbTreeAllocator", "functions/dma.programSource"])
    expect(pages).toContain(`${page}.html`);
  const door = readFileSync(join(reference.folder, "modules/pagetables.html"), "utf8");
  expect(door).toContain("second-level");
  expect(door).toContain('<a href="../../index.html" class="tsd-nav-link">The laboratory</a>');
});

test("its pages load nothing from elsewhere, and their links lead to pages", () => {
  const broken: string[] = [];
  for (const page of pages) {
    const html = readFileSync(join(reference.folder, page), "utf8").replace(/<pre>.*?<\/pre>/gs, "");
    for (const [, tag, rest] of html.matchAll(/<(script|link|img|iframe|a)\b([^>]*)>/g)) {
      const target = rest.match(/\b(?:src|href)="([^"]*)"/)?.[1];
      if (target === undefined || target.startsWith("#")) continue;
      if (/^[a-z]+:/.test(target)) {
        if (tag !== "a") broken.push(`${page}: ${tag} from ${target}`);
      } else {
        const file = join(dirname(page), decodeURI(target.split(/[?#]/)[0]));
        // The link home leaves the reference's folder.
        if (file !== "../index.html" && !existsSync(join(reference.folder, file))) broken.push(`${page}: ${target}`);
      }
    }
  }
  expect(broken).toEqual([]);
});
