/// <reference lib="dom" />
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, writeApiReference } from "../../src/site/index.js";
import { made, making } from "../support/shared.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const own = making("api-reference");
// As the unit tests of the same run have made it; where none have, it is made here.
const before = made("api-reference");
const folder = before ?? own.path;
let browser: Awaited<ReturnType<typeof launchChromium>>;

beforeAll(async () => {
  if (before === undefined) await writeApiReference(folder, { home: "../index.html" });
  browser = await launchChromium();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  own.keep();
});

interface Violation {
  id: string;
  nodes: { target: string[]; html: string }[];
}

/** Pages of every kind: the first, and the one with the most in it. */
function pagesOfEachKind(): string[] {
  const kinds = ["modules", "functions", "classes", "interfaces", "types", "variables"];
  return ["index.html", "modules.html"].concat(
    kinds.flatMap((kind) => {
      const pages = readdirSync(join(folder, kind)).map((name) => `${kind}/${name}`);
      const sizes = pages.map((page) => readFileSync(join(folder, page)).length);
      return [pages[0], pages[sizes.indexOf(Math.max(...sizes))]];
    }),
  );
}

test.each([
  ["light", 1280],
  ["dark", 390],
] as const)(
  "axe finds nothing in the reference's pages, %s at %i px",
  { timeout: 120_000 },
  async (colorScheme, width) => {
    const found: string[] = [];
    for (const name of pagesOfEachKind()) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      await page.goto(`file://${join(folder, name)}`);
      await page.addScriptTag({ content: axe });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        return (await axe.run()).violations;
      });
      for (const { id, nodes } of violations) found.push(`${name}: ${id}: ${nodes[0].html.slice(0, 120)}`);
      await page.close();
    }
    expect(found).toEqual([]);
  },
);
